"""A few threads and connections that read, beside the one that writes: WAL lets neither wait for the other."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from receiver.stores.slices import finish_slice
from receiver.stores.sqlite import files
from shared.durable_sqlite import FileConnection

_T = TypeVar("_T")
_THREADS = 4
_STEPS_BETWEEN_LOOKS = 100_000
"""Steps of SQLite's machine, some milliseconds, after which a query looks whether the store is closing."""


class Readers:
    """Runs queries on one file, each in a read transaction of its own, so that an answer is of one moment.

    Args:
        path: The file.
        damage: Learns what queries meet.
    """

    def __init__(self, path: Path, damage: files.DamageNote) -> None:
        self._path = path
        self._damage = damage
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sqlite-read")
        self._idle: list[FileConnection] = []
        self._busy: set[FileConnection] = set()
        self._closing = False

    async def run(self, query: Callable[[sqlite3.Connection], _T]) -> _T:
        """The answer of `query`. Raises StoreUnavailableError."""
        return await finish_slice(self._threads.submit(self._answer, query))

    async def close(self) -> None:
        """Interrupt what runs, forget what waits, and let go of the file."""
        self._closing = True
        for connection in list(self._busy):
            with contextlib.suppress(sqlite3.Error):  # it was closed meanwhile
                connection.interrupt()  # a check of the whole file is one step of SQLite's machine
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        while self._idle:
            self._idle.pop().close()

    def _answer(self, query: Callable[[sqlite3.Connection], _T]) -> _T:
        connection = None
        try:
            connection = self._take()
            self._busy.add(connection)
            try:
                connection.execute("BEGIN")
                answer = query(connection)
                connection.execute("COMMIT")
            except BaseException:
                connection.close()  # what failed in any way is not used again
                raise
            finally:
                self._busy.discard(connection)
        except (sqlite3.Error, OSError) as error:
            explained = files.explain(self._path, error)
            self._damage.note(connection, explained)
            raise explained from error
        self._idle.append(connection)
        return answer

    def _take(self) -> FileConnection:
        """An idle connection, unless the file was replaced under it (a restored backup)."""
        with contextlib.suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if connection.is_in_place(self._path):
                    return connection
                connection.close()
        connection = files.connect_reader(self._path)
        connection.set_progress_handler(lambda: self._closing, _STEPS_BETWEEN_LOOKS)  # true interrupts the query
        return connection
