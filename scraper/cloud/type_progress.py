"""What is known of one type of intervals, and how answers become rows together with what is known after them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from scraper.cloud.kept import KeptCloud
from scraper.cloud.questions import Answer, Asker, IntervalType, ask_window
from scraper.cloud.rules.amounts import TOTAL, Amount
from scraper.cloud.rules.ledger import Entry, IntervalLedger, enter, is_covered, merge_stretches, subtract_stretches
from scraper.cloud.rules.progress import IntervalJudgement, Stretch, judge
from scraper.cloud.rules.rows import make_rows, mark_holes
from scraper.cloud.rules.windows import find_quarter
from shared.clock import Clock
from shared.readings import Reading
from shared.units import HOUR_S

FAR_BEHIND_S = HOUR_S
"""A host whose clock is so far behind the cloud's has not got the time yet (seconds)."""


class WantedSource(NamedTuple):
    """A type that is to be read, and the value of the tag `source` in its readings."""

    type: IntervalType
    source: str


class TypeProgress:
    """How far one type has come, and the commits that move it.

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
    def is_by_day(self) -> bool:
        """Whether a call gives one day, as far as is known."""
        return self._kept.state.one_day and not self._type.takes_end

    @property
    def ledger(self) -> IntervalLedger:
        """What was committed so far."""
        return self._kept.ledgers.get(self.name, IntervalLedger())

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
        gives_weeks = self._kept.state.gives_weeks
        answer = await ask_window(
            self._api, self._system_id, self._type, window, from_reserve=from_reserve, gives_weeks=gives_weeks
        )
        await self._kept.note_length(answer.spoken)
        return answer

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
        changes: Mapping[str, object] = MappingProxyType({}),
        *,
        marked: Sequence[Stretch] | None = None,
    ) -> None:
        """Commit entries and holes, together with the ledger after them and other `changes` of the state.

        `marked` are the holes that become events now; all, if it is not given.
        """
        step_s = self._type.step_s
        rows = [
            row
            for amount, revision in entries
            for row in make_rows(self.source, step_s, amount, devices_total, revision)
        ]
        rows += mark_holes(self.source, self._position, holes if marked is None else marked)
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

    def _list_lasting(self, own: Stretch | None) -> dict[str, Stretch]:
        others = {name: hole for name, hole in self._kept.state.lasting_holes.items() if name != self.name}
        return others if own is None else others | {self.name: own}

    def _find_end(self) -> int:
        """Until when to ask: a host that is ahead must not ask for the cloud's future, which it would refuse.

        A host that is far behind would begin in the past, and read all the time from there on once it is right.
        """
        offset_s = self._api.clock_offset_s or 0.0
        is_first = not self.ledger.watermark_s and offset_s > FAR_BEHIND_S
        return find_quarter(self._read_second() + (offset_s if is_first else min(0.0, offset_s)))

    def _read_second(self) -> int:
        return self._clock.now_ms() // 1000
