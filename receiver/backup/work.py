"""`backup` and `restore`: everything that a receiver must keep, in one file. A receiver may run beside a backup."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from receiver.backup import state
from receiver.backup.archive import FORMAT, BackupLabel, pack, unpack
from receiver.backup.database import make_stored_readings
from receiver.errors import BackupError
from receiver.settings import ReceiverSettings
from shared.clock import Clock
from shared.files import make_private_directory

_STATE = "state"


def back_up(settings: ReceiverSettings, target: Path, clock: Clock) -> Iterator[str]:
    """Save readings, keys, tokens and the sites file to a new file; a sentence for each. Raises BackupError."""
    if target.exists():
        raise BackupError(f"{target} exists and is left as it is: choose another name")
    readings = make_stored_readings(settings)
    about = BackupLabel(FORMAT, clock.now_ms(), readings.kind)
    with _make_workspace(readings.disk) as folder:
        yield from readings.save(folder / about.store)
        yield from state.save(settings, folder / _STATE)
        pack(folder, about, target)


async def restore(settings: ReceiverSettings, source: Path, clock: Clock) -> AsyncIterator[str]:
    """Restore a backup to a receiver that has no readings; a sentence for each. Raises BackupError, SetupError."""
    readings = make_stored_readings(settings)
    readings.refuse_to_replace()
    with _make_workspace(readings.disk) as folder:
        about = unpack(source, folder)
        if about.store != readings.kind:
            raise BackupError(
                f"the backup is of a receiver with RECEIVER_STORE={about.store}: restore it with that setting"
            )
        readings.check(folder / about.store)
        for sentence in state.restore(settings, folder / _STATE):
            yield sentence
        # Last, and all of it or nothing: after any error the same command may be given again.
        async for sentence in readings.restore(folder / about.store, clock):
            yield sentence


@contextlib.contextmanager
def _make_workspace(disk: Path) -> Iterator[Path]:
    """A private folder beside the database: there is room for a copy of it, and it is the same file system."""
    try:
        make_private_directory(disk)
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=disk) as folder:
            yield Path(folder)
    except OSError as error:
        named = error.filename or disk
        raise BackupError(f"{named} cannot be used ({error.strerror}): check its disk and its owner") from error
