"""`envoy-receiver backup` and `restore`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from receiver import settings
from receiver.cli.console import show_errors_as_sentences
from receiver.settings import ReceiverSettings
from shared.clock import SystemClock

_FILE = "A .tar.gz; - for standard output or input."


def backup(file: Annotated[Path, typer.Argument(help=_FILE)]) -> None:
    """Save readings, keys, tokens and the sites file into one file, while the receiver runs."""
    from receiver.backup import back_up  # noqa: PLC0415 (it imports the client of InfluxDB)

    with show_errors_as_sentences():
        for sentence in back_up(settings.load(), file, SystemClock()):
            typer.echo(sentence, err=True)
        place = "on standard output" if file == Path("-") else file
        typer.echo(f"the backup is {place}; anybody who has it can read your data and sign in as a reader", err=True)


def restore(file: Annotated[Path, typer.Argument(help=_FILE)]) -> None:
    """Bring a backup back. Stop the receiver first; readings that are there are never replaced."""
    with show_errors_as_sentences():
        asyncio.run(_restore(settings.load(), file))
        typer.echo("done: start the receiver now", err=True)


async def _restore(chosen: ReceiverSettings, file: Path) -> None:
    from receiver.backup import restore as restore_backup  # noqa: PLC0415 (it imports the client of InfluxDB)

    async for sentence in restore_backup(chosen, file, SystemClock()):
        typer.echo(sentence, err=True)
