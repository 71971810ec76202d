"""`Outbox`: the durable queue between the gateway and the receiver.

What it guarantees:

- `append` returns only when its readings are on disk, all or none; a power cut or a kill takes nothing back.
- Rows leave only by `settle` (a verdict of the receiver) or by a loss that is itself recorded as an `event` reading in
  the same transaction: quota, damage, readings that could not be committed.
- Numbers (`seq`) strictly increase and are never used again within one outbox id.
- A damaged file never stops it, neither at the start nor while it runs: it is moved aside and salvaged.

Synchronous, and not thread-safe: one worker thread owns it.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from scraper.errors import OutboxError
from scraper.outbox import dead_letters, losses, quota, restamping, rows
from scraper.outbox import memory as memory_of
from scraper.outbox.database import OutboxDatabase
from scraper.outbox.dead_letters import DeadLetter
from scraper.outbox.disk_errors import make_outbox_error
from scraper.outbox.lock import Lock, name_lock
from scraper.outbox.losses import Loss
from scraper.outbox.restamping import MoveRow
from scraper.outbox.rows import OutboxRow, RowPage
from scraper.outbox.uncommitted_readings import NONE_LOST, UncommittedReadings
from shared.files import PRIVATE_FILE, make_private_directory
from shared.readings import Reading
from shared.wire import encode_reading


class OutboxStats(NamedTuple):
    """How the outbox stands; cheap to ask.

    Attributes:
        rows: Readings that wait.
        bytes: What the file holds on disk.
        oldest_ms: When the oldest waiting row was committed, milliseconds since 1970; None if none waits.
        newest_ms: The same of the newest.
        dead_letters: Readings that the receiver refused.
        lost_rows: Readings lost since the file was made, as far as they are known.
    """

    rows: int
    bytes: int
    oldest_ms: int | None
    newest_ms: int | None
    dead_letters: int
    lost_rows: int


class Outbox:
    """See the module. Make one with `Outbox.open`."""

    def __init__(self, database: OutboxDatabase, lock: Lock, now_ms: Callable[[], int], *, quota_bytes: int) -> None:
        """For `open` only."""
        self._database = database
        self._lock = lock
        self._now_ms = now_ms
        self._quota_bytes = quota_bytes
        self._uncommitted = UncommittedReadings()
        self._in_flight: dict[str, frozenset[int]] = {}

    @classmethod
    def open(
        cls, path: Path, *, now_ms: Callable[[], int], quota_bytes: int = quota.DEFAULT_BYTES, exclusive: bool = True
    ) -> "Outbox":
        """Open the file, making it and its private directory if need be.

        Args:
            path: The SQLite file; a `.lock` file and SQLite's own files lie beside it.
            now_ms: UTC, milliseconds since 1970.
            quota_bytes: Largest size of what the file holds; beyond it the oldest rows go.
            exclusive: False for commands that work beside the running scraper; the file must exist then.

        Raises:
            OutboxInUseError: Another running scraper has it.
            OutboxUnavailableError: The disk is full, read-only, broken or unable to keep a write-ahead log.
            OutboxVersionError: A newer release wrote it.
            OutboxError: There is none yet (not exclusive).
        """
        try:
            make_private_directory(path.parent)
            lock = Lock(name_lock(path))
        except OSError as error:
            raise make_outbox_error(path, error) from error
        try:
            if exclusive:
                lock.take()
            database = OutboxDatabase(path, lock, now_ms, exclusive=exclusive)
        except OSError as error:
            lock.close()
            raise make_outbox_error(path, error) from error
        except BaseException:
            lock.close()
            raise
        return cls(database, lock, now_ms, quota_bytes=quota_bytes)

    @property
    def id(self) -> str:
        """Random id of the file, 32 hex digits; a salvaged or copied file has a new one."""
        return self._database.id

    def append(self, readings: Sequence[Reading], *, memory: bytes | None = None) -> None:
        """Commit the readings in one durable transaction.

        Args:
            readings: May be empty.
            memory: JSON that must change together with the readings, for `memory`; None leaves it as it is.

        Raises:
            OutboxUnavailableError: Nothing is known to be committed; try again, or `note_uncommitted`.
            ValueError: A reading holds NaN or infinity, or is longer than a record may be; nothing is committed.
        """
        payloads = [encode_reading(reading) for reading in readings]
        following = self._uncommitted.follow(readings, self._now_ms())

        def append_rows(connection: sqlite3.Connection) -> None:
            now_ms = self._now_ms()
            _record_uncommitted(connection, following, now_ms)
            if memory is not None:
                memory_of.put(connection, memory, now_ms)
            if payloads:
                first = rows.insert(connection, payloads, now_ms)
                in_flight = frozenset[int]().union(*self._in_flight.values())
                quota.enforce(connection, self._quota_bytes, now_ms, keep_from=first, in_flight=in_flight)

        self._database.write(append_rows)
        self._uncommitted = following._replace(lost=NONE_LOST)

    def note_uncommitted(self, readings: Sequence[Reading]) -> None:
        """Note readings that `append` failed to commit; an `append` that works records which of them are lost."""
        self._uncommitted = self._uncommitted.add(readings, self._now_ms())

    def read_newest(self, max_rows: int, max_bytes: int, *, after: int = 0) -> list[OutboxRow]:
        """The newest rows (of those above seq `after`) that fit into a batch of `max_bytes`, oldest of them first."""
        return self._read_page("newest", lambda c: rows.read_newest(c, max_rows, max_bytes, after))[::-1]

    def read_oldest(self, max_rows: int, max_bytes: int, *, before: int | None = None) -> list[OutboxRow]:
        """The oldest rows (of those below seq `before`) that fit into a batch of `max_bytes`, oldest first."""
        return self._read_page("oldest", lambda c: rows.read_oldest(c, max_rows, max_bytes, before))

    def settle(self, accepted: Iterable[int], rejected: Mapping[int, str]) -> None:
        """Obey a verdict: accepted rows are deleted, rejected ones become dead letters with their code.

        Rows that are not there (any more) are ignored. Raises OutboxUnavailableError: nothing changed; the rows will
        be sent again, which is harmless.
        """
        seqs = list(accepted)

        def settle_rows(connection: sqlite3.Connection) -> None:
            rows.delete(connection, seqs)
            dead_letters.insert(connection, rejected, self._now_ms())

        self._database.write(settle_rows)
        self._database.read(quota.give_back)

    def read_next_seq(self) -> int:
        """The number that the next row will have. Raises OutboxUnavailableError."""
        return self._database.read(rows.read_next_seq)

    def restamp(self, move: MoveRow) -> frozenset[int]:
        """Replace rows by the same readings with another stamp, under new numbers, and queue the event that says so.

        Args:
            move: The new JSON of a row's reading; None for a row that stays.

        Returns:
            The numbers that are gone. Raises OutboxUnavailableError: nothing changed.
        """
        return self._database.write(lambda c: restamping.restamp(c, move, self._now_ms()))

    def read_stats(self) -> OutboxStats:
        """How the outbox stands."""

        def count_rows(connection: sqlite3.Connection) -> OutboxStats:
            waiting, dead, lost = connection.execute("SELECT rows, dead_letters, lost_rows FROM state").fetchone()
            oldest, newest = (rows.find_end_ms(connection, last=last) for last in (False, True))
            return OutboxStats(
                waiting, quota.count_used_bytes(connection), oldest, newest, dead, lost + self._uncommitted.lost.rows
            )

        return self._database.read(count_rows)

    def read_dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """The newest dead letters, oldest of them first."""
        return self._database.read(lambda c: dead_letters.read_newest(c, limit))

    def show(self, seq: int) -> DeadLetter | None:
        """One dead letter."""
        return self._database.read(lambda c: dead_letters.read_one(c, seq))

    def replay(self, seqs: Iterable[int] | None = None) -> int:
        """Put dead letters (None: all) back into the queue under new numbers; returns how many."""
        wanted = None if seqs is None else list(seqs)
        return self._database.write(lambda c: dead_letters.replay(c, wanted, self._now_ms()))

    def export(self, path: Path) -> int:
        """Write all dead letters to a new private file, one JSON object a line; returns how many.

        Raises FileExistsError and other OSError.
        """
        letters = self.read_dead_letters(dead_letters.LIMIT)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as target:
            target.writelines(msgspec.json.encode(letter) + b"\n" for letter in letters)
        return len(letters)

    def read_memory(self) -> bytes | None:
        """The JSON that `append` was last given, also by an earlier process; None if there is none."""
        return self._database.read(memory_of.get)

    def close(self) -> None:
        """Close in good order and let go of the lock; never raises for the disk's sake."""
        if (given_up := self._uncommitted.give_up()).lost.rows:
            self._uncommitted = UncommittedReadings()
            with contextlib.suppress(OutboxError):
                self._database.write(lambda c: _record_uncommitted(c, given_up, self._now_ms()))
        self._database.close()
        self._lock.close()

    def _read_page(self, order: str, read: Callable[[sqlite3.Connection], RowPage]) -> list[OutboxRow]:
        page = self._database.read(read)
        if page.damaged:
            self._database.write(lambda c: self._record_damage(c, page))
        self._in_flight[order] = frozenset(row.seq for row in page.rows)
        return page.rows

    def _record_damage(self, connection: sqlite3.Connection, page: RowPage) -> None:
        """Rows with a wrong checksum are lost; the others show roughly when they were committed."""
        now_ms = self._now_ms()
        times = [row.committed_ms for row in page.rows] or [now_ms]
        if count := rows.delete(connection, page.damaged):
            losses.record(connection, Loss(min(times), max(times), count, "rows of the outbox were damaged"), now_ms)


def _record_uncommitted(connection: sqlite3.Connection, uncommitted: UncommittedReadings, now_ms: int) -> None:
    if uncommitted.lost.rows:
        count, start_ms, end_ms = uncommitted.lost
        losses.record(connection, Loss(start_ms, end_ms, count, "readings could not be written to disk"), now_ms)
