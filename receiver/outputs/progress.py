"""How far a durable output is with one gateway. Pure.

Three facts say all: everything before `sent_until` was delivered, but for what came later of the minutes in `late` and
of the time in `late_span`. Storage order is not time order: after an outage the newest readings come before the oldest.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from receiver.outputs.base import Delivered, Slice
from shared.fields import KINDS
from shared.readings import Reading
from shared.units import MINUTE_MS, QUARTER_MS

MOST_LATE = 5_000
"""Late minutes that are remembered one by one; of more, all from the oldest to the newest is delivered again."""
ALL_KINDS = frozenset(KINDS)


class LateSpan(NamedTuple):
    """A time of which anything may have come late: too much to remember each minute. Milliseconds since 1970.

    Attributes:
        start: First instant that is in.
        stop: First instant that is out.
    """

    start: int
    stop: int


@dataclass
class OutputProgress:
    """Of one output and one gateway. Times are milliseconds since 1970.

    Attributes:
        gateway: Its serial.
        sent_until: The target has everything before it, but for late minutes.
        late: Start of each minute of which readings came after its delivery, and their kinds.
        late_span: All of it is late, too; None: nothing.
        last_success: When the target last took something; None: never, as far as is known.
        put_aside: Rows that the target refused for good.
        is_silent: Whether nothing was stored after `sent_until` when the target was asked last, so that it lacks
            nothing.
        newest: What the target said it must not get in disorder, by name: the newest time of it that it took.
    """

    gateway: str
    sent_until: int
    late: dict[int, frozenset[str]] = field(default_factory=dict)
    last_success: int | None = None
    put_aside: int = 0
    is_silent: bool = False
    late_span: LateSpan | None = None
    newest: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Nothing is under way."""
        self._tried_until = self.sent_until
        self._late_on_its_way: Slice | None = None

    @property
    def has_late(self) -> bool:
        """Whether something late waits that may be delivered again."""
        return self._find_oldest_ready() is not None

    def list_late(self) -> dict[int, frozenset[str]]:
        """The late minutes that the target may lack: those that are on their way to it, too, until it has said yes."""
        found = dict(self.late)
        if (part := self._late_on_its_way) is not None:
            for minute in range(part.start, part.stop, MINUTE_MS):
                found[minute] = found.get(minute, frozenset()) | (part.kinds or ALL_KINDS)
        return found

    def is_late_within(self, start: int, stop: int) -> bool:
        """Whether the target may lack something late of a time."""
        span = self.late_span
        if span is not None and span.start < stop and start < span.stop:
            return True
        return any(start <= minute < stop for minute in self.list_late())

    def note(self, readings: Iterable[Reading]) -> None:
        """Remember readings of a time that was delivered already, or is being delivered."""
        for reading in readings:
            if reading.timestamp < self._tried_until:
                self.mark(reading.timestamp, frozenset({reading.kind}))

    def mark(self, timestamp: int, kinds: frozenset[str]) -> None:
        """Let the minute of a time be delivered again."""
        minute = timestamp // MINUTE_MS * MINUTE_MS
        span = self.late_span
        if span is not None and span.start <= minute < span.stop:
            return
        self.late[minute] = self.late.get(minute, frozenset()) | kinds
        if len(self.late) > MOST_LATE:
            first, last = min(self.late), max(self.late) + MINUTE_MS
            self.late_span = (
                LateSpan(first, last) if span is None else LateSpan(min(span[0], first), max(span[1], last))
            )
            self.late = {}

    def go_back(self, since: int) -> None:
        """Deliver everything since a time again.

        What is late stays late: a target may take it another way then, as PVOutput does, when roll-ups have settled.
        """
        self.sent_until = min(self.sent_until, since)
        self._tried_until = self.sent_until
        self.is_silent = False
        self.newest = {}

    def take_next(self, until: int, slice_ms: int) -> Slice | None:
        """The next slice that was never delivered; None if all before `until` was.

        What is stored of it from now on counts as late, for it may come after the slice was read.
        """
        stop = min((self.sent_until // slice_ms + 1) * slice_ms, until)
        if stop <= self.sent_until:
            return None
        self._tried_until = max(self._tried_until, stop)
        return Slice(self.gateway, self.sent_until, stop, None, is_late=False, newest=self.newest)

    def take_late(self) -> Slice | None:
        """The oldest that is late, as much as stands side by side in one quarter hour; None if there is nothing.

        It is late no more once it was delivered; `put_back` undoes it. A minute that is not delivered wholly yet is
        left alone, unless nothing comes that would end it.
        """
        start = self._find_oldest_ready()
        if start is None:
            return None
        quarter_stop = start // QUARTER_MS * QUARTER_MS + QUARTER_MS
        span = self.late_span
        if span is not None and span.start == start:
            stop = min(span.stop, quarter_stop, self._find_ready_until())
            begin = -(-stop // MINUTE_MS) * MINUTE_MS
            self.late_span = LateSpan(begin, span.stop) if begin < span.stop else None
            kinds = ALL_KINDS
        else:
            stop, kinds = self._take_minutes(start, quarter_stop)
        self._late_on_its_way = Slice(
            self.gateway, start, min(stop, self.sent_until), kinds, is_late=True, newest=self.newest
        )
        return self._late_on_its_way

    def put_back(self, part: Slice) -> None:
        """A slice was not delivered: its late minutes stay late, and of another one something waits."""
        if not part.is_late:
            self.is_silent = False
            return
        self._late_on_its_way = None
        for minute in range(part.start, part.stop, MINUTE_MS):
            self.mark(minute, part.kinds or frozenset())

    def finish(self, part: Slice, now_ms: int, taken: Delivered) -> bool:
        """A slice was delivered, or as much of it as is complete; return whether it was all of it."""
        is_whole = taken.until is None or taken.until >= part.stop
        self.newest = {**self.newest, **taken.newest}
        if part.is_late and not is_whole:
            self.put_back(part)
            return False
        if part.is_late:
            self._late_on_its_way = None
        if not part.is_late:
            self.sent_until = part.stop if is_whole or taken.until is None else max(taken.until, part.start)
            self.is_silent = taken.is_silent
        if not is_whole:
            self._tried_until = self.sent_until  # the rest is read again, with what came meanwhile
        self.last_success = now_ms
        self.put_aside += taken.put_aside
        return is_whole

    def find_behind(self, now_ms: int, hold_ms: int) -> int:
        """Age (milliseconds) of the oldest instant that is missing there; 0 within the time that is waited anyway."""
        late = [*self.list_late(), *([] if self.late_span is None else [self.late_span.start])]
        oldest = min([now_ms if self.is_silent else self.sent_until, *late])
        return max(0, now_ms - hold_ms - oldest)

    def _find_ready_until(self) -> int:
        """The end of the last minute that was delivered, as far as it ever may be."""
        return self.sent_until if self.is_silent else self.sent_until // MINUTE_MS * MINUTE_MS

    def _find_oldest_ready(self) -> int | None:
        starts = [*self.late, *([] if self.late_span is None else [self.late_span.start])]
        oldest = min(starts, default=None)
        return oldest if oldest is not None and oldest < self._find_ready_until() else None

    def _take_minutes(self, start: int, before: int) -> tuple[int, frozenset[str]]:
        """Take away the late minutes that stand side by side; return their end, and all their kinds."""
        stop, kinds = start, frozenset[str]()
        while stop in self.late and stop < min(self.sent_until, before):
            kinds |= self.late.pop(stop)
            stop += MINUTE_MS
        return stop, kinds
