"""`envoy-receiver token`: tokens and links for people and programs that read."""

import asyncio
import sys
from typing import Annotated

import typer

from receiver import settings
from receiver.auth import keys_file, links, readers
from receiver.auth.keys import ReaderScope
from receiver.cli.console import format_day, show_errors_as_sentences
from receiver.cli.service_user import report_if_unreadable
from receiver.cli.sites import list_stored_gateways
from receiver.cli.terminal import explain_loopback, format_clickable, print_qr_code
from receiver.settings import ReceiverSettings
from shared.clock import SystemClock
from shared.keys import is_serial

app = typer.Typer(no_args_is_help=True, help="Tokens and links that may read the values of gateways.")

_MAX_DAYS = 3650
_TOKEN_DAYS = 365
_LONGEST_NAME = 60


@app.command()
def create(
    gateway: Annotated[
        list[str] | None,
        typer.Option(help="Serial that may be read; '*' for every gateway there will be; without it, all known ones."),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=_MAX_DAYS, help="How long it is good: 365 for a token, 3650 for a link."),
    ] = None,
    link: Annotated[bool, typer.Option("--link", help="Print an address that opens the page.")] = False,
    name: Annotated[str, typer.Option(help="Whom it is for, as `token list` shows it.")] = "",
    owner: Annotated[
        bool, typer.Option("--owner", help="It may also place and name panels; without it, it reads alone.")
    ] = False,
) -> None:
    """Print a new token, or a link to the page. It is shown once and kept nowhere."""
    with show_errors_as_sentences():
        if len(name) > _LONGEST_NAME or not name.isprintable():
            raise ValueError(f"--name takes at most {_LONGEST_NAME} printable characters")
        chosen = settings.load()
        gateways = _choose_gateways(chosen, gateway)
        now_s = SystemClock().now_ms() // 1000
        scope: ReaderScope = "owner" if owner else "read"
        if link:
            _create_link(chosen, name, gateways, days or links.STANDING_DAYS, now_s, scope)
            report_if_unreadable(chosen.state_dir / links.LIST_FILE, chosen.state_dir)
            return
        entry, token = readers.create(
            chosen.state_dir,
            _find_key(chosen),
            gateways=gateways,
            days=days or _TOKEN_DAYS,
            now_s=now_s,
            name=chosen.name,
            label=name,
            scope=scope,
        )
        report_if_unreadable(chosen.state_dir / readers.LIST_FILE, chosen.state_dir)
        typer.echo(
            f"token {entry.jti}, good until {format_day(entry.expires)}; keep it now, it is not shown again:", err=True
        )
        typer.echo(token)


def _create_link(
    chosen: ReceiverSettings, name: str, gateways: list[str], days: int, now_s: int, scope: ReaderScope
) -> None:
    """Print the address alone on standard output, so that it can be piped, and all else on standard error."""
    made, code = links.create(chosen.state_dir, name=name, gateways=gateways, days=days, now_s=now_s, scope=scope)
    typer.echo(
        f"link {made.id}, good until {format_day(made.expires)}; `envoy-receiver token revoke {made.id}` ends it:",
        err=True,
    )
    address = links.make_page_link(chosen.public_url, code)
    typer.echo(format_clickable(address) if sys.stdout.isatty() else address)
    explain_loopback(chosen.public_url)
    if sys.stderr.isatty():
        print_qr_code(address)


def _choose_gateways(chosen: ReceiverSettings, given: list[str] | None) -> list[str]:
    """The serials that were asked for, if they are known; all known ones where none was. Raises ValueError."""
    if given == [readers.EVERY_GATEWAY]:
        return given
    if given is not None and not all(map(is_serial, given)):
        raise ValueError("--gateway takes the serial number of a gateway, or '*' alone for every gateway")
    known = {*chosen.gateways, *_list_keyed_gateways(chosen)}
    if given is None or not known.issuperset(given):
        known |= asyncio.run(list_stored_gateways(chosen))
    if not known:
        raise ValueError(
            "no gateway is known yet: start a scraper first (`make run`, or `envoy-receiver keys add`), or give "
            "--gateway '*' for every gateway there will be"
        )
    unknown = [serial for serial in given or () if serial not in known]
    if unknown:
        raise ValueError(
            f"this receiver knows no gateway {unknown[0]}; it knows {', '.join(sorted(known))} (`--gateway '*'` means "
            "every gateway there will be)"
        )
    return given or sorted(known)


def _list_keyed_gateways(chosen: ReceiverSettings) -> set[str]:
    """The gateways that a scraper's key may write for."""
    entries = keys_file.load(chosen.keys_file)
    return {serial for entry in entries if not entry.revoked for serial in entry.gateways}


@app.command("list")
def list_tokens() -> None:
    """Show what was handed out, never the tokens and links themselves."""
    with show_errors_as_sentences():
        chosen = settings.load()
        rows: list[tuple[str, str, str, readers.ReaderToken | links.PageLink]] = [
            (one.jti, "token", one.label, one) for one in readers.load(chosen.state_dir, _find_key(chosen))
        ]
        rows += [(one.id, "link", one.name, one) for one in links.load(chosen.state_dir)]
        if not rows:
            typer.echo("no tokens yet; `envoy-receiver token create --link` makes a link to the page")
        now_s = SystemClock().now_ms() // 1000
        for number, kind, name, entry in rows:
            state = "revoked" if entry.revoked else "expired" if entry.expires <= now_s else "active "
            typer.echo(
                f"{number}  {kind:5}  {state}  {format_day(entry.created)} to {format_day(entry.expires)}  "
                f"{', '.join(entry.gateways)}"
                + ("  owner" if entry.scope == "owner" else "")
                + (f"  {name}" if name else "")
            )


@app.command()
def revoke(
    wanted: Annotated[str, typer.Argument(help="The id or the name that `token list` shows.", metavar="ID")],
) -> None:
    """Make a token or a link worthless; a running receiver obeys within seconds."""
    with show_errors_as_sentences():
        chosen = settings.load()
        number = _find_number(chosen, wanted)
        if links.revoke(chosen.state_dir, number):
            typer.echo(f"link {number} is revoked")
            report_if_unreadable(chosen.state_dir / links.LIST_FILE, chosen.state_dir)
            return
        readers.revoke(chosen.state_dir, _find_key(chosen), number)
        typer.echo(f"token {number} is revoked")
        report_if_unreadable(chosen.state_dir / readers.LIST_FILE, chosen.state_dir)


def _find_number(chosen: ReceiverSettings, wanted: str) -> str:
    """The id of the one token or link that is called so and not revoked; else what was given. Raises ValueError."""
    named = {one.jti: one for one in readers.load(chosen.state_dir, _find_key(chosen))}
    linked = {one.id: one for one in links.load(chosen.state_dir)}
    if wanted in named or wanted in linked:
        return wanted
    found = [number for number, one in named.items() if one.label == wanted and not one.revoked]
    found += [number for number, one in linked.items() if one.name == wanted and not one.revoked]
    if wanted and len(found) > 1:
        raise ValueError(f"{len(found)} have the name {wanted!r}: say which one, {', '.join(found)}")
    return found[0] if wanted and found else wanted


def _find_key(chosen: ReceiverSettings) -> bytes:
    return chosen.read_secret or readers.load_or_make_key(chosen.state_dir)
