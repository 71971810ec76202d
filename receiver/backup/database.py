"""The readings of either store, saved and brought back by the store's own means."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from receiver.database_settings import InfluxSettings
from receiver.errors import BackupError
from receiver.settings import ReceiverSettings
from receiver.stores.base import StoreUnavailableError
from receiver.stores.influxdb.backup import Snapshots
from receiver.stores.influxdb.setup import set_up
from receiver.stores.sqlite.copying import copy_to, put_in_place
from shared.clock import Clock

SQLITE = "sqlite"
INFLUXDB = "influxdb"
_COPY = "readings.sqlite"


def kind_of(settings: ReceiverSettings) -> str:
    """Which store the settings name."""
    return INFLUXDB if settings.sqlite_path is None else SQLITE


def save(settings: ReceiverSettings, folder: Path) -> Iterator[str]:
    """Save the readings below `folder`. Raises BackupError and OSError."""
    if settings.influxdb is not None:
        with Snapshots(settings.influxdb) as snapshots:
            yield from snapshots.save(folder)
    elif settings.sqlite_path is not None:
        if not settings.sqlite_path.exists():
            raise BackupError(f"nothing is stored in {settings.sqlite_path} yet, so there is nothing to save")
        folder.mkdir()
        try:
            copy_to(settings.sqlite_path, folder / _COPY)
        except StoreUnavailableError as error:
            raise BackupError(str(error)) from error
        yield f"saved {settings.sqlite_path}"


async def bring_back(settings: ReceiverSettings, folder: Path, clock: Clock) -> AsyncIterator[str]:
    """Bring the readings back to where there are none. Raises BackupError, SetupError and OSError."""
    if settings.influxdb is not None:
        async for sentence in _into_influxdb(settings.influxdb, settings.meter_days, folder, clock):
            yield sentence
    elif settings.sqlite_path is not None:
        put_in_place(folder / _COPY, settings.sqlite_path)
        yield f"restored {settings.sqlite_path}"


def refuse_to_replace(settings: ReceiverSettings) -> None:
    """A restore brings readings back; it never takes any away. Raises BackupError."""
    path = settings.sqlite_path
    if path is None:
        return
    for name in (path.name, f"{path.name}-wal"):  # SQLite would play an old journal into what was restored
        if path.with_name(name).exists():
            raise BackupError(
                f"{path.with_name(name)} exists, and a restore never replaces readings: stop the receiver and move "
                f"{path} (with its -wal and -shm) away first, or set RECEIVER_STORE to another path"
            )


async def _into_influxdb(influxdb: InfluxSettings, meter_days: int, folder: Path, clock: Clock) -> AsyncIterator[str]:
    with Snapshots(influxdb) as snapshots:
        async for sentence in set_up(influxdb, meter_days, clock):  # the server may be new
            yield sentence
        snapshots.check_empty()
        for sentence in snapshots.bring_back(folder):
            yield sentence
        async for sentence in set_up(influxdb, meter_days, clock):  # the buckets are new ones: so must the tokens be
            yield sentence
