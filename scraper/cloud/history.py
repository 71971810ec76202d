"""The past, read on demand: oldest to newest, resumed after a kill, within a share of the month's calls.

Windows that were read before are left out, unless a person wants them again: then all of them go out under one new
revision, and what of it was done is kept beside the rows.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import msgspec
import structlog

from scraper.cloud.errors import CloudLaterError, CloudPlanError, CloudQuotaError
from scraper.cloud.kept import KeptCloud, RepeatedImport
from scraper.cloud.readers import IntervalReader
from scraper.cloud.rules.ledger import subtract_stretches
from scraper.cloud.rules.progress import Stretch
from scraper.cloud.rules.windows import clamp_start, count_windows, cut_window, find_quarter
from shared.clock import Clock
from shared.units import DAY_S, MINUTE_S, SECOND_MS

log = structlog.get_logger()

_T = TypeVar("_T")
_TRIES = 3
_LONGEST_MINUTE_S = 5 * MINUTE_S


class PastWork(NamedTuple):
    """What is left to read of one type."""

    reader: IntervalReader
    stretches: tuple[Stretch, ...]


class PastStep(NamedTuple):
    """One call that was made.

    Attributes:
        name: Of the type.
        until_s: How far it has come (epoch seconds).
        committed: How many intervals were.
    """

    name: str
    until_s: int
    committed: int


class HistoryImport:
    """Reads a stretch of the past.

    Args:
        kept: Says what was read before.
        readers: Of the types that are wanted.
        clock: Time.
        wish: Start and end, quarter hours of the past.
        again: Whether what was read before is read again.
    """

    def __init__(
        self, kept: KeptCloud, readers: Sequence[IntervalReader], clock: Clock, wish: Stretch, *, again: bool
    ) -> None:
        now_s = clock.now_ms() / SECOND_MS
        self._kept = kept
        self._readers = readers
        self._clock = clock
        self._again = again
        self._has_ended = False
        self._has_looked = False
        self._wish = clamp_start(find_quarter(wish[0]), now_s), min(find_quarter(wish[1]), find_quarter(now_s))

    @property
    def earliest_s(self) -> int:
        """From when on intervals can be had (epoch seconds): the cloud keeps two years."""
        return self._wish[0]

    def list_work(self) -> list[PastWork]:
        """What is left of each type: nothing once all was read, also where it was wanted again."""
        if self._has_ended:
            return []
        return [PastWork(reader, self._list_stretches(reader)) for reader in self._readers]

    def count_calls(self) -> int:
        """How many calls are left to make, if the cloud gives in one what it is thought to give."""
        return sum(
            count_windows(*stretch, one_day=work.reader.is_by_day)
            for work in self.list_work()
            for stretch in work.stretches
        )

    def count_most_calls(self) -> int:
        """How many are at most: until the cloud has given more than a day in a call, it may be a call a day.

        Then one more looks whether it gives weeks, and the first reply may end before its day does.
        """
        most = 0
        for reader, stretches in self.list_work():
            is_known = reader.takes_end or self._kept.state.gives_weeks
            most += sum(count_windows(*stretch, one_day=not is_known) for stretch in stretches)
            if not is_known and any(end - start > DAY_S for start, end in stretches):
                most += 1 if reader.is_by_day else 2
        return most

    async def run(self, most_calls: int) -> AsyncIterator[PastStep]:
        """Make calls, one at each step, until all is read or `most_calls` are made.

        Raises:
            CloudQuotaError: The month has no calls left; what was read is kept.
            CloudError, PersonNeededError, BadReplyError: It cannot go on now; the same.
            OutboxUnavailableError: It could not be committed.
        """
        calls = 0
        for reader, stretch in self._list_in_order():
            start, end = stretch
            while start < end:
                if calls >= most_calls:
                    return
                calls += 1
                window = cut_window(start, end, one_day=reader.is_by_day)
                try:
                    start, count = await self._read_window(reader, window)
                    if calls < most_calls and end - start > DAY_S and self._is_in_doubt(reader, window, start, count):
                        calls += 1
                        self._has_looked = True
                        await self._ask(reader.learn_length)
                except CloudPlanError as error:
                    log.warning("not read", type=reader.name, reason=str(error))
                    break
                yield PastStep(reader.name, start, count)
        for reader in self._readers:
            await reader.end_hole()
        if self._again:
            left = {name: one for name, one in self._kept.state.repeated.items() if one.next_s < one.end_s}
            await self._kept.keep(repeated=left)
            self._has_ended = not left

    def _is_in_doubt(self, reader: IntervalReader, window: Stretch, reached: int, count: int) -> bool:
        """Whether a reply may have been cut to one day, or only look so because the system was out.

        Then the newest week is looked at, once: an outage of a year would else cost a call a day.
        """
        if self._has_looked or reader.takes_end or self._kept.state.gives_weeks:
            return False
        return count == 0 or reached < window[1]

    async def _read_window(self, reader: IntervalReader, window: Stretch) -> tuple[int, int]:
        async def ask() -> tuple[int, int]:
            return await reader.read_past(window, repeated=self._find_repeated(reader))

        return await self._ask(ask)

    async def _ask(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """One call; waits where a minute has no calls left, and tries again what passes soon."""
        tries = 0
        while True:
            try:
                return await ask()
            except CloudQuotaError as error:
                wait_s = self._measure_wait(error)
                if wait_s > _LONGEST_MINUTE_S:
                    raise
            except CloudLaterError as error:
                tries += 1
                wait_s = max(float(MINUTE_S), self._measure_wait(error))
                if tries == _TRIES or wait_s > _LONGEST_MINUTE_S:
                    raise
            await self._clock.sleep(wait_s)

    def _measure_wait(self, error: CloudLaterError) -> float:
        if error.retry_at_ms is None:
            return float(MINUTE_S)
        return max(1.0, (error.retry_at_ms - self._clock.now_ms()) / SECOND_MS)

    def _list_in_order(self) -> Iterator[tuple[IntervalReader, Stretch]]:
        found = [(stretch, work.reader) for work in self.list_work() for stretch in work.stretches]
        yield from ((reader, stretch) for stretch, reader in sorted(found, key=lambda one: one[0]))

    def _list_stretches(self, reader: IntervalReader) -> tuple[Stretch, ...]:
        start, end = self._wish
        if start >= end:
            return ()
        if (repeated := self._find_repeated(reader)) is not None:
            return ((repeated.next_s, end),)
        return subtract_stretches((start, end), reader.ledger.covered)

    def _find_repeated(self, reader: IntervalReader) -> RepeatedImport | None:
        """How far the repetition of this type has come; None where nothing is repeated."""
        if not self._again:
            return None
        start, end = self._wish
        known = self._kept.state.repeated.get(reader.name)
        if known is not None and known.start_s == start and known.next_s < known.end_s:
            return msgspec.structs.replace(known, end_s=end)
        return RepeatedImport(start, end, start, reader.ledger.revision + 1)
