"""`envoy-receiver token`: tokens for people and programs that read."""

import sys
from typing import Annotated

import segno
import typer

from receiver import settings
from receiver.auth import readers
from receiver.cli.console import format_day, show_errors_as_sentences
from receiver.cli.service_user import report_if_unreadable
from receiver.settings import ReceiverSettings
from shared.clock import SystemClock
from shared.keys import is_serial

app = typer.Typer(no_args_is_help=True, help="Tokens that may read the values of gateways.")

_MAX_DAYS = 3650


@app.command()
def create(
    gateway: Annotated[list[str], typer.Option(help="Serial that may be read; '*' for every gateway.")],
    days: Annotated[int, typer.Option(min=1, max=_MAX_DAYS, help="How long the token is good.")] = 365,
    link: Annotated[bool, typer.Option("--link", help="Print an address that opens the page with this token.")] = False,
) -> None:
    """Print a new token. It is shown once and kept nowhere."""
    with show_errors_as_sentences():
        if gateway != [readers.EVERY_GATEWAY] and not all(map(is_serial, gateway)):
            raise ValueError("--gateway takes the serial number of a gateway, or '*' alone for every gateway")
        chosen = settings.load()
        key = _find_key(chosen)
        now_s = SystemClock().now_ms() // 1000
        entry, token = readers.create(chosen.state_dir, key, gateways=gateway, days=days, now_s=now_s, name=chosen.name)
        report_if_unreadable(chosen.state_dir / readers.LIST_FILE, chosen.state_dir)
        typer.echo(
            f"token {entry.jti}, good until {format_day(entry.expires)}; keep it now, it is not shown again:", err=True
        )
        typer.echo(readers.make_page_link(chosen.public_url, token) if link else token)
        if link and sys.stderr.isatty():
            segno.make(readers.make_page_link(chosen.public_url, token)).terminal(out=sys.stderr, compact=True)


@app.command("list")
def list_tokens() -> None:
    """Show what was handed out, never the tokens themselves."""
    with show_errors_as_sentences():
        chosen = settings.load()
        entries = readers.load(chosen.state_dir, _find_key(chosen))
        if not entries:
            typer.echo("no tokens yet; `envoy-receiver token create` makes one")
        now_s = SystemClock().now_ms() // 1000
        for entry in entries:
            state = "revoked" if entry.revoked else "expired" if entry.expires <= now_s else "active "
            typer.echo(
                f"{entry.jti}  {state}  {format_day(entry.created)} to {format_day(entry.expires)}  "
                f"{', '.join(entry.gateways)}"
            )


@app.command()
def revoke(jti: Annotated[str, typer.Argument(help="The id that `token list` shows.")]) -> None:
    """Make a token worthless; a running receiver obeys within seconds."""
    with show_errors_as_sentences():
        chosen = settings.load()
        readers.revoke(chosen.state_dir, _find_key(chosen), jti)
        typer.echo(f"token {jti} is revoked")
        report_if_unreadable(chosen.state_dir / readers.LIST_FILE, chosen.state_dir)


def _find_key(chosen: ReceiverSettings) -> bytes:
    return chosen.read_secret or readers.load_or_make_key(chosen.state_dir)
