"""One SQLite file as the outbox uses it: transactions, and what to do when one fails.

- Disk full or busy: `OutboxUnavailableError`, the connection stays.
- I/O error, read-only: the same, and the next call opens the file again and reads it through: what a failed fsync wrote
  is unknown, so success is never assumed.
- Damage: the file is salvaged and the work is done once more, in the new file.
- Files deleted or replaced: what the open ones hold is put back under their names.
- After each commit the witness says what the file holds (`scraper.outbox.witness`).
"""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from scraper.errors import OutboxError
from scraper.outbox import opening, schema
from scraper.outbox.disk_errors import can_keep_connection, is_damage, make_outbox_error
from scraper.outbox.lock import Lock
from scraper.outbox.placing import FileIds, read_file_ids, write_copy
from scraper.outbox.witness import Witness
from shared.durable_sqlite import open_transaction
from shared.files import make_private_directory

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class OutboxDatabase:
    """An open outbox file. Not thread-safe.

    Attributes:
        id: Random id of the file, 32 hex digits.
    """

    def __init__(self, path: Path, lock: Lock, now_ms: Callable[[], int], *, exclusive: bool) -> None:
        """Open the file; `exclusive` (the running scraper, which took the lock) makes, migrates and salvages it."""
        self._path = path
        self._lock = lock
        self._now_ms = now_ms
        self._exclusive = exclusive
        self._closed = False
        self._connection: sqlite3.Connection | None = None
        self._files: FileIds = ()
        self._witness: Witness | None = None
        self.id = ""
        self._connect()

    def write(self, work: Work[T]) -> T:
        """Do `work` in one durable transaction: all of it or nothing. Raises OutboxUnavailableError."""

        def work_in_transaction(connection: sqlite3.Connection) -> T:
            if not self._exclusive:
                with open_transaction(connection):
                    return work(connection)
            with open_transaction(connection):
                result = work(connection)
                witness = schema.read_witness(connection)
                if self._witness is not None:
                    self._note(self._witness._replace(certain=False))
            self._note(witness)
            return result

        return self.read(work_in_transaction)

    def read(self, work: Work[T]) -> T:
        """Do `work`, which changes nothing. Raises OutboxUnavailableError."""
        try:
            return work(self._connect())
        except sqlite3.Error as error:
            self._recover(error)
        try:
            return work(self._connect())
        except sqlite3.Error as error:
            raise make_outbox_error(self._path, error) from error

    def close(self) -> None:
        """Close in good order; never raises for the disk's sake."""
        self._closed = True
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(sqlite3.Error, OSError):
            # A command beside the scraper does so too when no scraper runs: as the last one it deletes the log.
            if self._exclusive or self._lock.try_take():
                opening.end_run(connection)
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        if self._closed:
            raise OutboxError("the outbox is closed")
        if self._connection is not None and self._exclusive:
            self._keep_in_place(self._connection)
        if self._connection is None:
            if self._exclusive:
                witness = self._lock.read_witness()
                self._connection = opening.open_exclusive(self._path, self._now_ms(), witness, again=bool(self.id))
                self._files = read_file_ids(self._path)
                self._note(schema.read_witness(self._connection))
            else:
                self._connection = opening.open_beside(self._path)
            (self.id,) = self._connection.execute("SELECT id FROM state").fetchone()
        return self._connection

    def _keep_in_place(self, connection: sqlite3.Connection) -> None:
        """Notice files that were deleted: SQLite would go on writing into them without a word."""
        if self._files == read_file_ids(self._path) and self._lock.is_in_place():
            return
        try:
            make_private_directory(self._path.parent)
            if not self._lock.is_in_place():
                self._lock.take_again()
            if self._files != read_file_ids(self._path):
                write_copy(connection, self._path)
                self._connection = None
                connection.close()  # deletes the log by its name, so the new one must not lie there yet
        except (sqlite3.Error, OSError) as error:
            raise make_outbox_error(self._path, error) from error

    def _note(self, witness: Witness) -> None:
        self._witness = witness
        self._lock.write_witness(witness)

    def _recover(self, error: sqlite3.Error) -> None:
        """After an error: salvage a damaged file, else raise OutboxUnavailableError."""
        if not self._exclusive:
            raise (
                opening.make_damage_error(self._path) if is_damage(error) else make_outbox_error(self._path, error)
            ) from error
        if can_keep_connection(error):
            raise make_outbox_error(self._path, error) from error
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        if not is_damage(error):
            raise make_outbox_error(self._path, error) from error
        try:
            opening.repair(self._path, self._now_ms(), error, self._lock.read_witness())
        except (sqlite3.Error, OSError) as failed:
            raise make_outbox_error(self._path, failed) from failed
