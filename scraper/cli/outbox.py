"""`envoy-scraper outbox`: look at what waits and at what the receiver refused; works beside a running scraper."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from scraper import settings
from scraper.errors import OutboxError
from scraper.outbox import Outbox
from scraper.service.startup import OUTBOX_FILE
from shared.clock import SystemClock
from shared.logs import make_inert

commands = typer.Typer(help="What waits for the receiver, and what it refused (dead letters).", no_args_is_help=True)


@commands.command("list")
def list_letters(limit: int = 50) -> None:
    """How much waits, and the refused readings with their codes."""
    with _open_outbox() as outbox:
        stats = outbox.read_stats()
        typer.echo(f"{stats.rows} readings waiting ({stats.bytes // 1024} KiB), {stats.lost_rows} lost so far")
        typer.echo(f"{stats.dead_letters} refused" + (":" if stats.dead_letters else ""))
        for letter in outbox.read_dead_letters(limit):
            when = datetime.fromtimestamp(letter.rejected_ms / 1000, UTC)
            typer.echo(f"{letter.seq:>10}  {when:%Y-%m-%d %H:%M:%S}  {make_inert(letter.code)}")


@commands.command()
def show(seq: int) -> None:
    """One refused reading, whole."""
    with _open_outbox() as outbox:
        letter = outbox.show(seq)
        if letter is None:
            raise OutboxError(f"there is no refused reading {seq}; `envoy-scraper outbox list` shows those there are")
        typer.echo(make_inert(f"{letter.code}  {bytes(letter.reading).decode(errors='replace')}"))


@commands.command()
def replay(
    seqs: Annotated[list[int] | None, typer.Argument(help="Which; all if left out.")] = None,
) -> None:
    """Put refused readings back into the queue, for example after an upgrade of the receiver."""
    with _open_outbox() as outbox:
        typer.echo(f"{outbox.replay(seqs or None)} readings wait for the receiver again")


@commands.command()
def export(path: Path) -> None:
    """Write every refused reading to a new file, one JSON line each."""
    with _open_outbox() as outbox:
        try:
            count = outbox.export(path)
        except OSError as error:
            raise OutboxError(f"cannot write {path} ({error.strerror}): name a new file elsewhere") from error
        typer.echo(f"{count} readings written to {path}")


@contextmanager
def _open_outbox() -> Iterator[Outbox]:
    loaded = settings.load()
    path = loaded.state_dir / OUTBOX_FILE
    if not path.exists():
        raise OutboxError(f"there is no outbox at {path} yet: it is made by the first `envoy-scraper run`")
    outbox = Outbox.open(path, quota_bytes=loaded.outbox_quota_bytes, now_ms=SystemClock().now_ms, exclusive=False)
    try:
        yield outbox
    finally:
        outbox.close()
