"""Reads the intervals of one type: what is new since its watermark, and what became of what was committed."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from scraper.cloud.kept import KeptCloud, RepeatedImport
from scraper.cloud.questions import Answer, Asker, IntervalType, ask_window
from scraper.cloud.rules.amounts import TOTAL, Amount
from scraper.cloud.rules.ledger import (
    KEPT_S,
    Entry,
    IntervalLedger,
    enter,
    is_covered,
    list_entries_to_commit,
    merge_stretches,
    subtract_stretches,
)
from scraper.cloud.rules.progress import IntervalJudgement, Stretch, judge
from scraper.cloud.rules.rows import make_rows, mark_holes
from scraper.cloud.rules.windows import LONGEST_S, clamp_start, cut_window, find_quarter
from shared.clock import Clock
from shared.readings import Reading
from shared.units import DAY_S, HOUR_S

FIRST_S = DAY_S
"""At the very first start so much of the past is read (seconds); what is older is for `cloud import`."""
TAIL_S = 6 * HOUR_S
"""So much before the watermark is read again with each pass, which costs no call (seconds)."""
NOTHING_READ: Stretch = (0, 0)


class WantedSource(NamedTuple):
    """A type that is to be read, and the value of the tag `source` in its readings."""

    type: IntervalType
    source: str


class IntervalReader:
    """Reads one type.

    Args:
        api: Asked.
        kept: The state, which moves in the transactions of the rows.
        clock: Time.
        system_id: Which system.
        wanted: Which type.
        position: Of the type among all, so that events of two types are two.
        max_lag_s: Devices that are later than this are not waited for.
    """

    def __init__(
        self,
        api: Asker,
        kept: KeptCloud,
        clock: Clock,
        *,
        system_id: int,
        wanted: WantedSource,
        position: int,
        max_lag_s: float,
    ) -> None:
        self._api = api
        self._kept = kept
        self._clock = clock
        self._system_id = system_id
        self._type, self.source = wanted
        self._position = position
        self._max_lag_s = max_lag_s

    @property
    def name(self) -> str:
        """Of the type."""
        return self._type.name

    @property
    def takes_end(self) -> bool:
        """Whether a call gives seven days for certain."""
        return self._type.takes_end

    @property
    def calls(self) -> int:
        """Of a pass."""
        return 1

    @property
    def ledger(self) -> IntervalLedger:
        """What was committed so far."""
        return self._kept.ledgers.get(self.name, IntervalLedger())

    def is_due(self, now_s: float) -> bool:
        """Whether the system has such devices; one that has none is looked at once a day."""
        seen_s = self._kept.state.absent.get(self.name)
        return seen_s is None or now_s - seen_s >= DAY_S

    async def read_new(self) -> bool:
        """Read from the watermark until now; whether anything came that holds energy, or may still grow.

        Raises:
            CloudError, PersonNeededError, BadReplyError: As `ask_window`. What was committed before stays.
            OutboxUnavailableError: It could not be committed.
        """
        # a host whose clock is ahead must not ask for what is the future to the cloud: it would refuse all of it
        behind_s = min(0.0, self._api.clock_offset_s or 0.0)
        end, is_lively = find_quarter(self._read_second() + behind_s), False
        if not self.ledger.watermark_s:
            await self._keep([], self.ledger._replace(watermark_s=end - FIRST_S))
        start = clamp_start(self.ledger.watermark_s - TAIL_S, self._read_second())
        while start < end:
            answer = await self._ask(cut_window(start, end, one_day=self._is_by_day()))
            if answer.is_absent:
                await self._note_absent()
                return False
            if answer.begins_s is not None:
                await self._settle([], (self.ledger.watermark_s, answer.begins_s), (), None)
            judged = self._judge(answer, self.ledger.watermark_s)
            entries = list_entries_to_commit(self.ledger, self._select_own(judged.final), self._type.step_s)
            read = (self.ledger.watermark_s, judged.watermark_s)
            await self._settle(entries, read, judged.holes, answer.amounts.devices_total)
            is_lively |= judged.held > 0 or any(entry.amount.energies[TOTAL] for entry in entries)
            start = answer.spoken.until_s
        return is_lively

    async def repair(self, day: Stretch) -> None:
        """Read a day that is over, and all holes, again: from the month's reserve. Raises as `read_new`.

        Where a call gives a week, all that can be compared is looked at: some inverters are a day late.
        """
        if self.name in self._kept.state.absent:
            return
        end = min(day[1], self.ledger.watermark_s)
        longest = day[0] if self._is_by_day() else find_quarter(min(day[0], end - KEPT_S))
        start = max(min([longest, *(hole[0] for hole in self.ledger.holes)]), end - LONGEST_S)
        while start < end:
            answer = await self._ask(cut_window(start, end, one_day=self._is_by_day()), from_reserve=True)
            judged = self._judge(answer, self.ledger.watermark_s)
            entries = list_entries_to_commit(self.ledger, self._select_own(judged.final), self._type.step_s)
            await self._settle(entries, NOTHING_READ, (), answer.amounts.devices_total)
            start = answer.spoken.until_s

    async def read_past(self, window: Stretch, *, repeated: RepeatedImport | None) -> tuple[int, int]:
        """Read one window of the past with one call. Raises as `read_new`.

        Args:
            window: Seven days at most.
            repeated: The import that this is a part of, if what was committed before is committed again.

        Returns:
            Until when it was read (epoch seconds), and how many intervals were committed.
        """
        answer = await self._ask(window)
        until = window[1] if answer.is_absent else answer.spoken.until_s
        changes: dict[str, object] = {}
        if repeated is not None:
            done = msgspec.structs.replace(repeated, next_s=until)
            changes["repeated"] = self._kept.state.repeated | {self.name: done}
        judged = self._judge(answer, window[0])
        if answer.is_absent or answer.begins_s is not None:  # what was never there is no hole
            await self._settle([], window if answer.is_absent else (window[0], until), (), None, **changes)
            return until, 0
        final = [one for one in judged.final if one.end_s <= judged.watermark_s]
        revision = None if repeated is None else repeated.revision
        entries = list_entries_to_commit(self.ledger, final, self._type.step_s, again=revision)
        holes = judged.holes if repeated is None else ()  # what was read before has its events already
        read = (window[0], judged.watermark_s)
        await self._settle(entries, read, holes, answer.amounts.devices_total, **changes)
        return until, len(entries)

    def has_read(self, stretch: Stretch) -> bool:
        """Whether all of a stretch was read before."""
        return not subtract_stretches(stretch, self.ledger.covered)

    async def keep_days(self, days: Sequence[tuple[Stretch, float]], *, again: bool) -> int:
        """Commit the energies (Wh) of whole days, of which there are no intervals. Returns how many."""
        ledger = self.ledger
        revision = ledger.revision + 1 if again else 0
        rows = []
        for (start, end), energy in days:
            rows += make_rows(self.source, end - start, Amount(end, None, {TOTAL: energy}, {}), None, revision)
        covered = merge_stretches((*ledger.covered, *(stretch for stretch, _ in days)))
        await self._keep(rows, ledger._replace(covered=covered, revision=max(ledger.revision, revision)))
        return len(rows)

    async def _ask(self, window: Stretch, *, from_reserve: bool = False) -> Answer:
        answer = await ask_window(self._api, self._system_id, self._type, window, from_reserve=from_reserve)
        if answer.spoken.cut and not self._kept.state.one_day:
            await self._kept.keep(one_day=True)
        return answer

    def _is_by_day(self) -> bool:
        return self._kept.state.one_day and not self._type.takes_end

    def _judge(self, answer: Answer, watermark_s: int) -> IntervalJudgement:
        return judge(
            answer.amounts,
            watermark_s=watermark_s,
            step_s=self._type.step_s,
            spoken_until_s=answer.spoken.until_s,
            now_s=self._read_second(),
            max_lag_s=self._max_lag_s,
        )

    def _select_own(self, final: Sequence[Amount]) -> list[Amount]:
        """Those that were read before, or are new: what is older than the first start belongs to an import."""
        ledger = self.ledger
        return [one for one in final if one.end_s > ledger.watermark_s or is_covered(ledger.covered, one.end_s)]

    async def _settle(
        self,
        entries: Sequence[Entry],
        read: Stretch,
        holes: Sequence[Stretch],
        devices_total: int | None,
        **changes: object,
    ) -> None:
        """Commit entries and holes, together with the ledger after them."""
        step_s = self._type.step_s
        rows = [
            row
            for amount, revision in entries
            for row in make_rows(self.source, step_s, amount, devices_total, revision)
        ]
        rows += mark_holes(self.source, self._position, holes)
        after = enter(self.ledger, entries, read, holes, step_s, now_s=self._read_second())
        await self._keep(rows, after, **changes)

    async def _keep(self, rows: Sequence[Reading], ledger: IntervalLedger, **changes: object) -> None:
        state = self._kept.state
        absent = {name: seen_s for name, seen_s in state.absent.items() if name != self.name}
        await self._kept.keep(rows, ledgers={self.name: ledger}, **(changes | {"absent": absent}))

    async def _note_absent(self) -> None:
        """Where nothing was ever read, reading begins when there are such devices: what was before is no hole."""
        ledger = self.ledger if self.ledger.covered else self.ledger._replace(watermark_s=0)
        absent = self._kept.state.absent | {self.name: self._read_second()}
        await self._kept.keep(ledgers={self.name: ledger}, absent=absent)

    def _read_second(self) -> int:
        return self._clock.now_ms() // 1000
