"""States of alarms and outgoing messages on disk: one small SQLite file, on a thread of its own.

- A change of states and the messages that tell of it are one commit: after a crash there are both or neither.
- A message is `waiting`, then `sending` from just before the attempt on, then `sent`; each change is durable when the
  call returns. So a message that is `sending` at the start may have been sent: `settle_unfinished` decides by channel.
- A damaged file is put aside and an empty one begun: alarms that fire then are told once more.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import structlog

from receiver.alarms.book_file import BookError, open_file, read_states
from receiver.alarms.messages import Notice
from receiver.alarms.states import AlarmKey, AlarmState
from shared import durable_sqlite
from shared.durable_sqlite import is_damage, open_transaction
from shared.kept_sqlite import KeptFile

_T = TypeVar("_T")
_log = structlog.get_logger()

_PUT = "INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DROP_STATE = "DELETE FROM state WHERE alarm = ? AND gateway = ? AND subject = ?"
_ADD = "INSERT OR IGNORE INTO message (id, channel, status, made, not_before, notice) VALUES (?, ?, 'waiting', ?, ?, ?)"
_WITHDRAW = "UPDATE message SET status = 'withdrawn' WHERE id = ? AND status = 'waiting' AND not_before > ?"
_KNOWN = "SELECT 1 FROM message WHERE id = ? AND status != 'withdrawn'"
_DUE = """
SELECT notice FROM message WHERE channel = ? AND status = 'waiting' AND not_before <= ? ORDER BY number LIMIT 1
"""
_NOTE = "UPDATE message SET status = ? WHERE id = ?"
_FORGET = "DELETE FROM message WHERE made < ?"
_GIVE_UP = "UPDATE message SET status = 'late' WHERE status = 'waiting' AND made < ?"


class NewMessage(NamedTuple):
    """A message to be sent.

    Attributes:
        channel: To whom.
        notice: What.
        not_before: Not sooner (UTC milliseconds).
        follows: Id of the notice that it belongs to: it is sent only where that one was not withdrawn; None: always.
    """

    channel: str
    notice: Notice
    not_before: int
    follows: str | None = None


class Book:
    """The file.

    Args:
        path: It is made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = KeptFile(path, open_file)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="alarms")

    async def load(self) -> dict[AlarmKey, AlarmState]:
        """All states. Raises BookError; a damaged file is replaced by an empty one."""
        return await self._call(self._load)

    async def commit(
        self, changes: Mapping[AlarmKey, AlarmState | None], messages: Sequence[NewMessage], now_ms: int
    ) -> None:
        """Keep new states (None: forget it), the messages that tell of them, and the time. Raises BookError."""

        def write(connection: sqlite3.Connection) -> None:
            for key, state in changes.items():
                connection.execute(_DROP_STATE if state is None else _PUT, key if state is None else (*key, *state))
            for message in messages:
                _add_message(connection, message, now_ms)
            connection.execute("INSERT OR REPLACE INTO pass VALUES (1, ?)", (now_ms,))

        await self._call(lambda: self._write(write))

    async def take(self, channel: str, now_ms: int) -> Notice | None:
        """The next notice that is due for a channel, noted as `sending`; None if there is none. Raises BookError."""

        def write(connection: sqlite3.Connection) -> Notice | None:
            row = connection.execute(_DUE, (channel, now_ms)).fetchone()
            if row is None:
                return None
            notice = msgspec.json.decode(row[0], type=Notice)
            connection.execute(_NOTE, ("sending", notice.id))
            return notice

        return await self._call(lambda: self._write(write))

    async def note(self, notice_id: str, status: str) -> None:
        """Note what became of a message: `sent`, or `waiting` for another attempt. Raises BookError."""
        await self._call(lambda: self._write(lambda connection: connection.execute(_NOTE, (status, notice_id))))

    async def settle_unfinished(self, repeating: Collection[str]) -> int:
        """After a start: what was being sent is sent again by the channels that can tell a repetition, else never.

        Returns:
            How many messages may never have been sent. Raises BookError.
        """

        def write(connection: sqlite3.Connection) -> int:
            for channel in repeating:
                connection.execute(
                    "UPDATE message SET status = 'waiting' WHERE status = 'sending' AND channel = ?", (channel,)
                )
            return connection.execute("UPDATE message SET status = 'unsure' WHERE status = 'sending'").rowcount

        return await self._call(lambda: self._write(write))

    async def forget(self, *, late_before: int, before: int) -> int:
        """Give up messages that wait since `late_before`, and forget those made before `before` (UTC milliseconds).

        Returns:
            How many were given up. Raises BookError.
        """

        def write(connection: sqlite3.Connection) -> int:
            late = connection.execute(_GIVE_UP, (late_before,)).rowcount
            connection.execute(_FORGET, (before,))
            return late

        return await self._call(lambda: self._write(write))

    async def close(self) -> None:
        """Let go of the file. No call may follow."""
        await self._call(self._file.close)
        self._thread.shutdown()

    async def _call(self, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _load(self) -> dict[AlarmKey, AlarmState]:
        try:
            with self._use_connection() as connection:
                durable_sqlite.check(connection)
                return read_states(connection)
        except BookError as error:
            if not is_damage(error.__cause__):
                raise
            _log.warning("the file of the alarms begins empty; alarms that fire are told again", reason=str(error))
            self._put_aside()
        with self._use_connection() as connection:
            return read_states(connection)

    def _write(self, write: Callable[[sqlite3.Connection], _T]) -> _T:
        with self._use_connection() as connection, open_transaction(connection):
            return write(connection)

    @contextlib.contextmanager
    def _use_connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._file.use() as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise BookError(
                f"the file of the alarms {self._path} cannot be used ({error}): check the disk, its space and the "
                "permissions"
            ) from error

    def _put_aside(self) -> None:
        try:
            self._file.put_aside()
        except OSError as error:
            raise BookError(f"the damaged file {self._path} cannot be put aside ({error}): delete it") from error


def _add_message(connection: sqlite3.Connection, message: NewMessage, now_ms: int) -> None:
    if message.follows is not None:
        connection.execute(_WITHDRAW, (message.follows, now_ms))  # it waits for the end of quiet hours: both are void
        if connection.execute(_KNOWN, (message.follows,)).fetchone() is None:
            return
    notice = msgspec.json.encode(message.notice)
    connection.execute(_ADD, (message.notice.id, message.channel, now_ms, message.not_before, notice))
