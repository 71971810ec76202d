"""The outbox on its one thread: SQLite waits for the disk there, never in the event loop.

One thread also means one order: what was committed first is asked for first.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

from scraper.outbox import Outbox, OutboxRow, OutboxStats
from scraper.outbox.restamping import MoveRow
from shared.clock import Clock
from shared.readings import Reading

P = ParamSpec("P")
T = TypeVar("T")


class DiskSpace(NamedTuple):
    """Bytes of a disk: those that are free, and all."""

    free: int
    size: int


class OutboxThread:
    """The asynchronous face of an `Outbox`. Errors are the outbox's own.

    Attributes:
        outbox_id: The random id of the file, 32 hex digits.
        committed: Set after every commit; the uplink clears it.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")
        self._outbox: Outbox | None = None
        self._directory = Path()
        self.committed = asyncio.Event()

    async def open(self, path: Path, *, quota_bytes: int, clock: Clock) -> None:
        """Open or make the file. Raises OutboxInUseError or OutboxUnavailableError."""
        self._directory = path.parent
        self._outbox = await self._call(Outbox.open, path, quota_bytes=quota_bytes, now_ms=clock.now_ms)

    async def close(self) -> None:
        """Close the file and end the thread."""
        if self._outbox is not None:
            await self._call(self._outbox.close)
        self._executor.shutdown()

    @property
    def outbox(self) -> Outbox:
        """The outbox itself, for calls that only read memory."""
        if self._outbox is None:
            raise RuntimeError("the outbox is not open")
        return self._outbox

    @property
    def outbox_id(self) -> str:
        """The random id of the file."""
        return self.outbox.id

    async def append(self, readings: Sequence[Reading], *, memory: bytes | None = None) -> None:
        """Commit readings durably, and what `memory` gives back in the same transaction."""
        await self._call(self.outbox.append, readings, memory=memory)
        self.committed.set()

    async def read_newest(self, max_rows: int, max_bytes: int) -> list[OutboxRow]:
        """The newest rows, oldest of them first."""
        return await self._call(self.outbox.read_newest, max_rows, max_bytes)

    async def read_oldest(self, max_rows: int, max_bytes: int) -> list[OutboxRow]:
        """The oldest rows."""
        return await self._call(self.outbox.read_oldest, max_rows, max_bytes)

    async def settle(self, accepted: Iterable[int], rejected: Mapping[int, str]) -> None:
        """Delete accepted rows, keep rejected ones as dead letters."""
        await self._call(self.outbox.settle, accepted, rejected)

    async def read_next_seq(self) -> int:
        """The number that the next row will have."""
        return await self._call(self.outbox.read_next_seq)

    async def restamp(self, move: MoveRow) -> frozenset[int]:
        """Give rows another stamp, under new numbers; the numbers that are gone."""
        return await self._call(self.outbox.restamp, move)

    async def note_uncommitted(self, readings: Sequence[Reading]) -> None:
        """Note readings that could not be committed, for a loss event when there is room again."""
        await self._call(self.outbox.note_uncommitted, readings)

    async def read_stats(self) -> OutboxStats:
        """Rows, bytes and losses."""
        return await self._call(self.outbox.read_stats)

    async def read_disk(self) -> DiskSpace:
        """The disk that the file lies on. Raises OSError."""
        usage = await self._call(shutil.disk_usage, self._directory)
        return DiskSpace(usage.free, usage.total)

    async def read_memory(self) -> bytes | None:
        """The JSON that was committed last beside readings."""
        return await self._call(self.outbox.read_memory)

    async def _call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: function(*args, **kwargs))
