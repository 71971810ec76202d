"""`envoy-receiver import`: what another program stored before."""

import asyncio
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from receiver import settings
from receiver.cli.console import show_errors_as_sentences
from receiver.errors import ReceiverSettingError
from receiver.imports.envoy_scrape import read_line
from receiver.imports.lines_file import read_lines
from receiver.imports.lock import hold_while_importing
from receiver.imports.summary import ImportedRow, ImportSummary
from receiver.imports.work import Importer
from receiver.ingest.journal import Journal
from receiver.ingest.marking import MarkingStore
from receiver.rollups.job import JOURNAL_FILE
from receiver.settings import ReceiverSettings
from receiver.stores.base import StoreUnavailableError
from receiver.stores.choose import choose_store
from shared.clock import SystemClock
from shared.files import make_private_directory
from shared.keys import is_serial
from shared.logs import make_inert


class ImportFormat(StrEnum):
    """What can be imported."""

    ENVOY_SCRAPE = "envoy-scrape"


def take_past(
    form: Annotated[ImportFormat, typer.Argument(metavar="FORMAT", help="envoy-scrape: line protocol of its bucket.")],
    file: Annotated[Path, typer.Argument(help="The exported file; it may be packed by gzip.")],
    gateway: Annotated[str, typer.Option(help="Serial of the gateway that the readings are of.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")] = False,
) -> None:
    """Take in what another program stored, never over what was measured. Stop the receiver first."""
    with show_errors_as_sentences():
        chosen = settings.load()
        if not is_serial(gateway):
            raise ReceiverSettingError("--gateway must be a serial number, e.g. 122300001234")
        rows = _read_rows(form, file, gateway)
        summary = asyncio.run(_look_ahead(chosen, gateway, rows) if dry_run else _take_in(chosen, gateway, rows))
        for sentence in summary.describe(dry_run=dry_run):
            typer.echo(make_inert(sentence))


def _read_rows(form: ImportFormat, file: Path, gateway: str) -> Iterator[ImportedRow]:
    now_ms = SystemClock().now_ms()
    match form:
        case ImportFormat.ENVOY_SCRAPE:
            read = (read_line(line, gateway=gateway, now_ms=now_ms) for line in read_lines(file))
            return (row for row in read if row is not None)


async def _look_ahead(chosen: ReceiverSettings, gateway: str, rows: Iterator[ImportedRow]) -> ImportSummary:
    """Only reads, so that a receiver may run beside it."""
    choice = choose_store(chosen)
    if choice.is_missing:
        raise ReceiverSettingError(
            f"nothing is stored in {chosen.store.description} yet, so all that is sound would be written"
        )
    store = choice.make()
    importer = Importer(gateway, store, None)
    try:
        await importer.take(rows)
    except StoreUnavailableError as error:
        raise ReceiverSettingError(str(error)) from error
    finally:
        await store.close()
    return importer.summary


async def _take_in(chosen: ReceiverSettings, gateway: str, rows: Iterator[ImportedRow]) -> ImportSummary:
    make_private_directory(chosen.state_dir)
    with hold_while_importing(chosen.state_dir):
        store = choose_store(chosen).make()
        journal = Journal(chosen.state_dir / JOURNAL_FILE)
        importer = Importer(gateway, store, MarkingStore(store, journal))
        try:
            await store.open()
            await importer.take(rows)
        except StoreUnavailableError as error:
            raise ReceiverSettingError(f"{error}; {importer.summary.taken} rows were written before") from error
        finally:
            await journal.close()
            await store.close()
        return importer.summary
