"""Reads the intervals of one type: what is new since its watermark, and what became of what was committed."""

import msgspec

from scraper.cloud.kept import RepeatedImport
from scraper.cloud.rules.amounts import TOTAL
from scraper.cloud.rules.ledger import KEPT_S, list_entries_to_commit
from scraper.cloud.rules.progress import Stretch, join_lasting_hole
from scraper.cloud.rules.rows import mark_holes
from scraper.cloud.rules.windows import LONGEST_S, clamp_start, cut_window, find_quarter
from scraper.cloud.type_progress import FAR_BEHIND_S, TypeProgress
from shared.units import DAY_S, HOUR_S

FIRST_S = DAY_S
"""At the very first start so much of the past is read (seconds); what is older is for `cloud import`."""
TAIL_S = 6 * HOUR_S
"""So much before the watermark is read again with each pass, which costs no call (seconds)."""
NOTHING_READ: Stretch = (0, 0)


class IntervalReader(TypeProgress):
    """Reads one type. Arguments as `TypeProgress`."""

    @property
    def calls(self) -> int:
        """Of a pass."""
        return 1

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
        end, is_lively = self._find_end(), False
        first = end - FIRST_S
        start = clamp_start((self.ledger.watermark_s or first) - TAIL_S, self._read_second())
        while start < end:
            answer = await self._ask(cut_window(start, end, one_day=self.is_by_day))
            if answer.is_absent:
                await self._note_absent()
                return False
            if not self.ledger.watermark_s:  # only an answer tells the time for certain
                if self._find_end() - end > FAR_BEHIND_S:
                    end = self._find_end()
                    first = end - FIRST_S
                    start = first - TAIL_S
                    continue
                await self._keep([], self.ledger._replace(watermark_s=first))
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
        longest = day[0] if self.is_by_day else find_quarter(min(day[0], end - KEPT_S))
        start = max(min([longest, *(hole[0] for hole in self.ledger.holes)]), end - LONGEST_S)
        while start < end:
            answer = await self._ask(cut_window(start, end, one_day=self.is_by_day), from_reserve=True)
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
        begins = window[0] if answer.begins_s is None else answer.begins_s  # what was never there is no hole
        if answer.is_absent or begins >= window[1]:
            await self._settle([], (window[0], until), (), None, changes)
            return until, 0
        judged = self._judge(answer, begins)
        final = [one for one in judged.final if one.end_s <= judged.watermark_s]
        revision = None if repeated is None else repeated.revision
        entries = list_entries_to_commit(self.ledger, final, self._type.step_s, again=revision)
        read = (window[0], judged.watermark_s)
        if repeated is None:
            over, lasting = join_lasting_hole(self._kept.state.lasting_holes.get(self.name), judged.holes, read[1])
            changes["lasting_holes"] = self._list_lasting(lasting)
            await self._settle(entries, read, judged.holes, answer.amounts.devices_total, changes, marked=over)
        else:  # what was read before has its events already
            await self._settle(entries, read, (), answer.amounts.devices_total, changes)
        return until, len(entries)

    async def end_hole(self) -> None:
        """Commit the event of a hole with which the past ends that was read. Raises OutboxUnavailableError."""
        if (hole := self._kept.state.lasting_holes.get(self.name)) is not None:
            rows = mark_holes(self.source, self._position, [hole])
            await self._kept.keep(rows, lasting_holes=self._list_lasting(None))

    async def learn_length(self) -> None:
        """Ask for the newest week, to see whether the cloud gives weeks. Commits no rows. Raises as `read_new`."""
        end = self._find_end()
        await self._ask((end - LONGEST_S, end))
