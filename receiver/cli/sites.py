"""`envoy-receiver sites`: a sites file to begin with, and the places of panels out of a layout."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from receiver import settings
from receiver.cli.console import show_errors_as_sentences
from receiver.settings import ReceiverSettings
from receiver.sites.layouts import MAX_CHARACTERS, PastedPanels, parse_layout
from receiver.sites.load import SitesFileError
from receiver.sites.template import SeenGateway, write_template
from receiver.sites.writing import SitesFileLockedError, SitesFileWriter
from receiver.stores.base import Store, StoreUnavailableError
from receiver.stores.choose import choose_store
from shared.files import read_regular

app = typer.Typer(help="Print a sites file to begin with; or take the places of panels from a layout.")


@app.callback(invoke_without_command=True)
def print_sites(
    context: typer.Context,
    output: Annotated[Path | None, typer.Option(help="Write it here; a file that exists is left alone.")] = None,
) -> None:
    """Print a sites file with every gateway, meter and panel seen so far, ready to be filled in."""
    if context.invoked_subcommand is not None:
        return
    with show_errors_as_sentences():
        chosen = settings.load()
        choice = choose_store(chosen)
        found = [] if choice.is_missing else asyncio.run(_look(choice.make()))
        if not found:
            raise ValueError(
                f"nothing is stored in {chosen.store.description} yet: let a scraper send first, then run this again"
            )
        text = write_template(found)
        if output is None:
            typer.echo(text, nl=False)
        else:
            _write(output, text)
            typer.echo(f"{output} is written: fill it in and set RECEIVER_SITES_FILE={output.absolute()}")


@app.command("import-layout")
def import_layout(
    file: Annotated[Path, typer.Argument(help="Enlighten's array layout (JSON), or a table of panels (CSV).")],
    gateway: Annotated[str, typer.Option(help="Serial of the gateway whose panels these are.")],
) -> None:
    """Write the places of panels into the sites file; all else in it stays, comments too."""
    with show_errors_as_sentences():
        chosen = settings.load()
        panels = _read_layout(file)
        known = _list_inverters(chosen, gateway)
        here = {serial: words for serial, words in panels.items() if serial in known}
        if not here:
            raise ValueError(
                f"none of the {len(panels)} inverters of {file} has reported at gateway {gateway}: is it the layout of "
                "another system?"
            )
        try:
            SitesFileWriter(chosen.sites_file).change(gateway, here, None)
        except (SitesFileLockedError, SitesFileError) as error:
            raise ValueError(str(error)) from error
        typer.echo(f"{len(here)} panels of gateway {gateway} are written into {chosen.sites_file}")
        if left_out := len(panels) - len(here):
            typer.echo(f"{left_out} of the layout have not reported at this gateway and were left out")
        if missing := len(known - here.keys()):
            typer.echo(f"{missing} panels of the gateway are not in the layout and stay as they were")


def _read_layout(path: Path) -> PastedPanels:
    """Raises ValueError."""
    try:
        text = read_regular(path, 4 * MAX_CHARACTERS).decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}): give the path of the layout") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: save it as UTF-8") from error
    try:
        return parse_layout(text)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _list_inverters(chosen: ReceiverSettings, gateway: str) -> set[str]:
    """The panels that a gateway has reported. Raises ValueError where nothing is stored of it."""
    choice = choose_store(chosen)
    seen = [] if choice.is_missing else asyncio.run(_look(choice.make()))
    found = next((each for each in seen if each.gateway == gateway), None)
    if found is None:
        known = ", ".join(each.gateway for each in seen) or "none yet"
        raise ValueError(f"nothing is stored of gateway {gateway}; there are readings of {known}")
    return set(found.inverters)


async def _look(store: Store) -> list[SeenGateway]:
    """Only reads, so that a receiver may run beside it."""
    try:
        return await list_seen(store)
    except StoreUnavailableError as error:
        raise ValueError(str(error)) from error
    finally:
        await store.close()


async def list_stored_gateways(chosen: ReceiverSettings) -> set[str]:
    """The serials that the store has readings of. Only reads. Raises ValueError."""
    choice = choose_store(chosen)
    if choice.is_missing:
        return set()
    store = choice.make()
    try:
        return {summary.gateway for summary in await store.list_gateways()}
    except StoreUnavailableError as error:
        raise ValueError(str(error)) from error
    finally:
        await store.close()


async def list_seen(store: Store) -> list[SeenGateway]:
    """What the store holds of every gateway. Raises StoreUnavailableError."""
    found = []
    for summary in await store.list_gateways():
        meters: dict[str, list[str]] = {}
        for entry in await store.read_latest(summary.gateway, "meter"):
            meters.setdefault(entry.tags["meter"], []).append(entry.tags["phase"])
        inverters = [entry.tags["inverter"] for entry in await store.read_latest(summary.gateway, "inverter")]
        found.append(SeenGateway(summary.gateway, inverters, meters))
    return found


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ValueError(f"{path} exists and is left as it is: choose another name and copy what is new") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be written ({error.strerror}): choose another place") from error
