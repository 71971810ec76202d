"""`envoy-receiver keys`: the public keys of scrapers."""

from typing import Annotated

import typer

from receiver import settings
from receiver.auth import keys_file
from receiver.cli.console import show_errors_as_sentences
from receiver.cli.service_user import report_if_unreadable

app = typer.Typer(no_args_is_help=True, help="Public keys of scrapers, and the gateways each may write for.")


@app.command(context_settings={"ignore_unknown_options": True})  # a key may begin with -
def add(
    line: Annotated[list[str], typer.Argument(help="The line that `envoy-scraper key` printed.")],
    serial: Annotated[list[str] | None, typer.Option(help="Another gateway that this key may write for.")] = None,
) -> None:
    """Let a scraper's key in; a running receiver sees it within seconds."""
    with show_errors_as_sentences():
        chosen = settings.load()
        entry = keys_file.add(chosen.keys_file, " ".join(line), serial or [])
        typer.echo(f"key {entry.key.key_id} may now write for {', '.join(entry.gateways)}")
        report_if_unreadable(chosen.keys_file, chosen.state_dir)


@app.command("list")
def list_keys() -> None:
    """Show the keys."""
    with show_errors_as_sentences():
        entries = keys_file.load(settings.load().keys_file)
        if not entries:
            typer.echo("no keys yet; `envoy-scraper key` prints a line for `envoy-receiver keys add`")
        for entry in entries:
            state = "revoked" if entry.revoked else "active "
            typer.echo(f"{entry.key.key_id}  {state}  {', '.join(entry.gateways)}")


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The id that `keys list` shows.")]) -> None:
    """Take a key's right away; a running receiver obeys within seconds."""
    with show_errors_as_sentences():
        chosen = settings.load()
        keys_file.revoke(chosen.keys_file, key_id)
        typer.echo(f"key {key_id} is revoked")
        report_if_unreadable(chosen.keys_file, chosen.state_dir)
