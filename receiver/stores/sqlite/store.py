"""`SqliteStore`: the writer and the readers of one file, as a `Store`."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from receiver.stores.base import NO_TAGS, GatewayReading, GatewaySummary, Latest, SeriesPoints, StoreUnavailableError
from receiver.stores.kinds import KEPT_WITHOUT_LIMIT, THINNED
from receiver.stores.sqlite import queries
from receiver.stores.sqlite.examination import examine
from receiver.stores.sqlite.files import DamageNote
from receiver.stores.sqlite.readers import Readers
from receiver.stores.sqlite.writer import SqliteWriter
from shared.problems import Rejection
from shared.units import DAY_MS

_T = TypeVar("_T")
_EXPIRING_STEPS = 20
"""Transactions of one kind that one call makes: at one call a minute, a hundred houses with a value a second."""


class SqliteStore:
    """Readings in one SQLite file. Keeps the promises of `Store`.

    Args:
        path: The file. It is made (0600, in a 0700 directory) if it is missing at the first opening; one that is
            damaged or vanishes later is never replaced.
        retention_ms: Per kind, how long readings are kept, in milliseconds; None (the default) is without limit.
    """

    def __init__(self, path: Path, *, retention_ms: Mapping[str, int | None] = KEPT_WITHOUT_LIMIT) -> None:
        self._retention_ms = MappingProxyType({**KEPT_WITHOUT_LIMIT, **retention_ms})
        self._damage = DamageNote(path)
        self._writer = SqliteWriter(path, self._damage)
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-write")
        self._readers = Readers(path, self._damage)
        self._examination: asyncio.Task[None] | None = None
        self._examined_ms = 0

    @property
    def retention_ms(self) -> Mapping[str, int | None]:
        """As `Store.retention_ms`."""
        return self._retention_ms

    async def open(self) -> None:
        """As `Store.open`: make or migrate the file, if that is possible now."""
        await self.check_ready()

    async def close(self) -> None:
        """As `Store.close`. The writer goes last, so that SQLite can empty its journal into the file."""
        await self._readers.close()
        if self._examination is not None:
            await asyncio.wait([self._examination])
        await self._run_on_write_thread(self._writer.close)
        self._write_thread.shutdown()

    async def write(self, rows: Sequence[GatewayReading]) -> dict[int, Rejection]:
        """As `Store.write`."""
        return await self._run_on_write_thread(partial(self._writer.write, rows))

    async def remove(self, gateway: str, kind: str, *, start: int, stop: int) -> None:
        """As `Store.remove`."""
        await self._run_on_write_thread(partial(self._writer.remove, gateway, kind, start, stop))

    async def expire(self, now_ms: int) -> None:
        """As `Store.expire`: a bounded number of rows each time, in small transactions that let writes pass.

        Once a day the whole file is examined beside it: a damaged key ends a query early without an error.
        """
        if self._examination is None or abs(now_ms - self._examined_ms) >= DAY_MS:
            await self._begin_examination(now_ms)
        for kind, kept in self._retention_ms.items():
            if kept is not None:
                for _ in range(_EXPIRING_STEPS):
                    if not await self._run_on_write_thread(partial(self._writer.expire, kind, now_ms - kept)):
                        break
        kept = self._retention_ms["meter"]
        if kept is not None:
            for kind, field in THINNED.items():
                for _ in range(_EXPIRING_STEPS):
                    if not await self._run_on_write_thread(
                        partial(self._writer.expire_lone_field, kind, field, now_ms - kept)
                    ):
                        break

    async def _begin_examination(self, now_ms: int) -> None:
        if self._examination is not None:
            await asyncio.wait([self._examination])
        self._examined_ms = now_ms
        self._examination = asyncio.create_task(self._examine(), name="sqlite-examination")

    async def _examine(self) -> None:
        with contextlib.suppress(StoreUnavailableError):  # damage is noted, and `check_ready` says it
            await self._readers.run(examine)

    async def check_ready(self) -> str | None:
        """As `Store.check_ready`."""
        return await self._run_on_write_thread(self._writer.check_ready) or self._damage.find()

    async def list_gateways(self) -> list[GatewaySummary]:
        """As `Store.list_gateways`."""
        return await self._readers.run(queries.list_gateways)

    async def read_summary(self, gateway: str) -> GatewaySummary | None:
        """As `Store.read_summary`."""
        found = await self._readers.run(partial(queries.list_gateways, only=gateway))
        return found[0] if found else None

    async def read_latest(self, gateway: str, kind: str) -> list[Latest]:
        """As `Store.read_latest`."""
        return await self._readers.run(partial(queries.read_latest, gateway=gateway, kind=kind))

    async def read_points(
        self,
        gateway: str,
        kind: str,
        *,
        tags: Mapping[str, str] = NO_TAGS,
        fields: Collection[str] | None = None,
        start: int,
        stop: int,
        neighbours: bool = False,
        most: int | None = None,
    ) -> list[SeriesPoints]:
        """As `Store.read_points`."""
        window = queries.PointsQuery(start, stop, neighbours, most)
        query = partial(queries.read_points, gateway=gateway, kind=kind, tags=tags, fields=fields, window=window)
        return await self._readers.run(query)

    async def count(self) -> int:
        """As `Store.count`: looks at every page of the file."""
        return await self._readers.run(queries.count)

    async def _run_on_write_thread(self, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._write_thread, call)
