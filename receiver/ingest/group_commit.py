"""Group commit: requests that arrive together share one durable write of the store, and each gets its own answer.

- A caller is answered only after the store has taken its rows durably; nothing that waits here was ever acknowledged.
- A caller's rows are never split over two writes; order of arrival is order of writing.
- Beside a write that is under way a second one begins if it would be full, so that neither we nor the database ever
  wait for the other. Less than that waits and gathers more: large writes are cheap.
- A failure that is one caller's own stays its own: after an unexpected error, or where the store is damaged, each
  caller's rows are written alone.
- What waits is bounded; a caller beyond the bound gets `BusyError` at once.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from receiver.errors import BusyError
from receiver.stores.base import GatewayReading, StoreDamagedError, StoreUnavailableError, Writable
from shared.problems import Rejection
from shared.readings import Reading

_log = structlog.get_logger(__name__)

_WRITES_AT_ONCE = 2

OnStored = Callable[[str, Sequence[Reading]], None]
"""Called with a gateway's serial and its readings once they are durable. Must be quick; its errors are logged."""


class _WaitingRows:
    """One caller's rows, and the promise of an answer."""

    def __init__(self, rows: Sequence[GatewayReading]) -> None:
        self.rows = rows
        self.answer: asyncio.Future[dict[int, Rejection]] = asyncio.get_running_loop().create_future()

    def succeed(self, refused: dict[int, Rejection]) -> None:
        if not self.answer.done():  # else the caller went away
            self.answer.set_result(refused)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()  # marks it as seen: a caller cancelled just now would leave a warning in the log


class GroupCommit:
    """Shares writes of one store. For the tasks of one event loop.

    Args:
        store: Where rows go; its `write` has at most two callers at a time.
        max_rows: Readings that one write gathers, about: a caller that alone has more is still taken whole.
        max_waiting_rows: Readings that may wait while a write runs; more is `BusyError`.
        on_stored: Called with each gateway's durable readings, in the order of writing.
    """

    def __init__(
        self,
        store: Writable,
        *,
        max_rows: int = 1_000,
        max_waiting_rows: int = 20_000,
        on_stored: OnStored | None = None,
    ) -> None:
        self._store = store
        self._max_rows = max_rows
        self._max_waiting_rows = max_waiting_rows
        self._on_stored = on_stored
        self._waiting: deque[_WaitingRows] = deque()
        self._waiting_rows = 0
        self._workers: set[asyncio.Task[None]] = set()
        self._closed = False

    async def write(self, rows: Sequence[GatewayReading]) -> dict[int, Rejection]:
        """Store rows together with whatever else waits; returns once they are durable.

        If the caller is cancelled its rows may or may not be stored; writing them again is harmless.

        Returns:
            Index in `rows` to why that row will never be stored, as `Store.write`.

        Raises:
            BusyError: Nothing was taken; come again later.
            StoreUnavailableError: The store cannot write now; come again later.
        """
        if not rows:
            return {}
        if self._closed:
            raise BusyError("the receiver is stopping; send the batch again later")
        if self._waiting and self._waiting_rows + len(rows) > self._max_waiting_rows:
            raise BusyError("too many readings wait for the store; send the batch again later")
        request = _WaitingRows(rows)
        self._waiting.append(request)
        self._waiting_rows += len(rows)
        if len(self._workers) < self._count_useful_workers():
            self._workers.add(asyncio.create_task(self._work(), name="group-commit"))
        return await request.answer

    async def close(self) -> None:
        """Take no more, and return when all that waits has its answer. The store stays open."""
        self._closed = True
        if self._workers:
            await asyncio.wait(self._workers)  # unlike a plain await, it does not cancel the writes if we are cancelled

    def _count_useful_workers(self) -> int:
        return _WRITES_AT_ONCE if self._waiting_rows >= self._max_rows else 1

    async def _work(self) -> None:
        """Writes group after group until nothing waits, or until the other worker is enough for what does."""
        group: list[_WaitingRows] = []
        try:
            while self._waiting and len(self._workers) <= self._count_useful_workers():
                group = self._take_group()
                if group:
                    await self._commit(group)
        finally:
            # Nobody is left hanging if this task is cancelled with the event loop.
            self._workers.discard(asyncio.current_task())
            left = group if self._workers else [*group, *self._waiting]
            for request in left:
                request.fail(BusyError("the receiver is stopping; send the batch again later"))
            if not self._workers:
                self._waiting.clear()
                self._waiting_rows = 0

    def _take_group(self) -> list[_WaitingRows]:
        group: list[_WaitingRows] = []
        rows = 0
        while self._waiting and (not group or rows + len(self._waiting[0].rows) <= self._max_rows):
            request = self._waiting.popleft()
            self._waiting_rows -= len(request.rows)
            if not request.answer.done():  # else the caller went away: it will send its rows again
                group.append(request)
                rows += len(request.rows)
        return group

    async def _commit(self, group: list[_WaitingRows]) -> None:
        rows = [row for request in group for row in request.rows]
        try:
            refused = await self._store.write(rows)
        except Exception as error:  # noqa: BLE001 (every caller waits for an answer)
            hits_all = isinstance(error, StoreUnavailableError) and not isinstance(error, StoreDamagedError)
            if hits_all or len(group) == 1:
                for request in group:
                    request.fail(_copy_error(error) if isinstance(error, StoreUnavailableError) else error)
                return
            if not isinstance(error, StoreDamagedError):
                _log.exception("group write failed, writing each batch alone", batches=len(group), rows=len(rows))
            for request in group:
                await self._commit([request])
        else:
            self._answer(group, refused)

    def _answer(self, group: list[_WaitingRows], refused: dict[int, Rejection]) -> None:
        first = 0
        for request in group:
            stop = first + len(request.rows)
            request.succeed({index - first: why for index, why in refused.items() if first <= index < stop})
            first = stop
        if self._on_stored is not None:
            _tell(self._on_stored, [row for request in group for row in request.rows], refused)


def _tell(on_stored: OnStored, rows: list[GatewayReading], refused: dict[int, Rejection]) -> None:
    stored: dict[str, list[Reading]] = {}
    for index, row in enumerate(rows):
        if index not in refused:
            stored.setdefault(row.gateway, []).append(row.reading)
    for gateway, readings in stored.items():
        try:
            on_stored(gateway, readings)
        except Exception:  # noqa: BLE001 (the rows are stored even if a live view fails)
            _log.exception("a listener failed on stored readings", gateway=gateway, readings=len(readings))


def _copy_error(error: StoreUnavailableError) -> StoreUnavailableError:
    """An exception of each caller's own: raising one object in several tasks would pile up their tracebacks."""
    copy = type(error)(*error.args)
    copy.__cause__ = error
    return copy
