"""`envoy-receiver sites`: a sites file to begin with."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from receiver import settings
from receiver.cli.console import show_errors_as_sentences
from receiver.settings import ReceiverSettings
from receiver.sites.template import SeenGateway, write_template
from receiver.stores.base import Store, StoreUnavailableError
from receiver.stores.choose import choose_store


def print_sites(
    output: Annotated[Path | None, typer.Option(help="Write it here; a file that exists is left alone.")] = None,
) -> None:
    """Print a sites file with every gateway, meter and panel seen so far, ready to be filled in."""
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
