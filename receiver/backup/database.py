"""The readings of either store, saved and brought back by the store's own means."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from receiver.errors import BackupError
from receiver.settings import InfluxDB, ReceiverSettings, Sqlite
from receiver.stores.base import StoreUnavailableError
from receiver.stores.influxdb.backup import Snapshots
from receiver.stores.influxdb.setup import set_up
from receiver.stores.sqlite.copying import check_copy, copy_to, is_empty, put_in_place
from shared.clock import Clock

_COPY = "readings.sqlite"


class StoredReadings(Protocol):
    """What a backup does with the readings of one store."""

    @property
    def kind(self) -> str:
        """Which store it is, as the backup names it."""

    @property
    def disk(self) -> Path:
        """A directory whose file system has room for a copy of what `save` writes."""

    def save(self, folder: Path) -> Iterator[str]:
        """Save the readings below `folder`; a sentence for each step. Raises BackupError and OSError."""

    def refuse_to_replace(self) -> None:
        """Raise BackupError if readings are there: a restore brings readings back; it never takes any away."""

    def check(self, folder: Path) -> None:
        """Raise BackupError if what `save` wrote below `folder` is damaged: before anything is put in place."""

    def restore(self, folder: Path, clock: Clock) -> AsyncIterator[str]:
        """Bring the readings back to where there are none. Raises BackupError, SetupError and OSError."""


def make_stored_readings(settings: ReceiverSettings) -> StoredReadings:
    """The readings of the store that the settings name."""
    match settings.store:
        case Sqlite(path):
            return _SqliteReadings(path)
        case InfluxDB() as influxdb:
            return _InfluxReadings(influxdb, settings.meter_days, settings.state_dir)


def _explain_empty(path: Path) -> str:
    return (
        f"nothing is stored in {path} yet, so there is nothing to save: a receiver that runs with readings has another "
        "state directory (RECEIVER_STATE_DIR) or store (RECEIVER_STORE)"
    )


@dataclass(frozen=True)
class _SqliteReadings:
    path: Path
    kind = "sqlite"

    @property
    def disk(self) -> Path:
        return self.path.parent

    def save(self, folder: Path) -> Iterator[str]:
        if not self.path.exists():
            raise BackupError(_explain_empty(self.path))
        folder.mkdir()
        try:
            copy_to(self.path, folder / _COPY)
            empty = is_empty(folder / _COPY)
        except StoreUnavailableError as error:
            raise BackupError(str(error)) from error
        if empty:
            raise BackupError(_explain_empty(self.path))
        yield f"saved {self.path}"

    def refuse_to_replace(self) -> None:
        # SQLite would play an old journal into what was restored
        for name in (self.path.name, f"{self.path.name}-wal"):
            if self.path.with_name(name).exists():
                raise BackupError(
                    f"{self.path.with_name(name)} exists, and a restore never replaces readings: stop the receiver and "
                    f"move {self.path} (with its -wal and -shm) away first, or set RECEIVER_STORE to another path"
                )

    def check(self, folder: Path) -> None:
        try:
            check_copy(folder / _COPY)
        except StoreUnavailableError as error:
            raise BackupError("the readings in the backup are damaged: take another copy of it") from error

    async def restore(self, folder: Path, clock: Clock) -> AsyncIterator[str]:  # noqa: ARG002 (nothing to wait for)
        put_in_place(folder / _COPY, self.path)
        yield f"restored {self.path}"


@dataclass(frozen=True)
class _InfluxReadings:
    influxdb: InfluxDB
    meter_days: int
    disk: Path
    kind = "influxdb"

    def save(self, folder: Path) -> Iterator[str]:
        with Snapshots(self.influxdb) as snapshots:
            yield from snapshots.save(folder)

    def refuse_to_replace(self) -> None:
        """The server itself is asked later, once it is set up."""

    def check(self, folder: Path) -> None:
        """The shards are checked one by one when they are brought back."""

    async def restore(self, folder: Path, clock: Clock) -> AsyncIterator[str]:
        with Snapshots(self.influxdb) as snapshots:
            async for sentence in set_up(self.influxdb, self.meter_days, clock):  # the server may be new
                yield sentence
            snapshots.check_empty()
            for sentence in snapshots.restore(folder):
                yield sentence
            # the buckets are new ones, and so must the tokens be
            async for sentence in set_up(self.influxdb, self.meter_days, clock):
                yield sentence
