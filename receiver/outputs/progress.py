"""How far a durable output is with one gateway. Pure.

Two facts say all: everything before `sent_until` was delivered, but for what came later of the minutes in `late`.
Storage order is not time order: after an outage the newest readings come before the oldest.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from receiver.outputs.base import Delivered, Slice
from shared.readings import Reading
from shared.units import MINUTE_MS, QUARTER_MS

MOST_LATE = 5_000
"""Late minutes that are remembered one by one; of more, everything since the oldest is delivered again."""


@dataclass
class OutputProgress:
    """Of one output and one gateway. Times are milliseconds since 1970.

    Attributes:
        gateway: Its serial.
        sent_until: The target has everything before it, but for late minutes.
        late: Start of each minute of which readings came after its delivery, and their kinds.
        last_success: When the target last took something; None: never, as far as is known.
        put_aside: Rows that the target refused for good.
        is_silent: Whether nothing was stored after `sent_until` when the target was asked last, so that it lacks
            nothing.
    """

    gateway: str
    sent_until: int
    late: dict[int, frozenset[str]] = field(default_factory=dict)
    last_success: int | None = None
    put_aside: int = 0
    is_silent: bool = False

    def __post_init__(self) -> None:
        """Nothing is under way."""
        self._tried_until = self.sent_until

    @property
    def has_late(self) -> bool:
        """Whether late minutes wait that may be delivered again."""
        return any(map(self._is_ready, self.late))

    def note(self, readings: Iterable[Reading]) -> None:
        """Remember readings of a time that was delivered already, or is being delivered."""
        for reading in readings:
            if reading.timestamp < self._tried_until:
                self.mark(reading.timestamp, frozenset({reading.kind}))

    def mark(self, timestamp: int, kinds: frozenset[str]) -> None:
        """Let the minute of a time be delivered again."""
        minute = timestamp // MINUTE_MS * MINUTE_MS
        self.late[minute] = self.late.get(minute, frozenset()) | kinds
        if len(self.late) > MOST_LATE:
            self.go_back(min(self.late))

    def go_back(self, since: int) -> None:
        """Deliver everything since a time again."""
        self.sent_until = min(self.sent_until, since)
        self._tried_until = self.sent_until
        self.is_silent = False
        self.late = {minute: kinds for minute, kinds in self.late.items() if minute < since}

    def take_next(self, until: int, slice_ms: int) -> Slice | None:
        """The next slice that was never delivered; None if all before `until` was.

        What is stored of it from now on counts as late, for it may come after the slice was read.
        """
        stop = min((self.sent_until // slice_ms + 1) * slice_ms, until)
        if stop <= self.sent_until:
            return None
        self._tried_until = max(self._tried_until, stop)
        return Slice(self.gateway, self.sent_until, stop, None, is_late=False)

    def take_late(self) -> Slice | None:
        """The oldest late minutes, as many as stand side by side in one quarter hour; None if there are none.

        They are late no more; `put_back` undoes it. A minute that is not delivered wholly yet is left alone, unless
        nothing comes that would end it.
        """
        minutes = list(filter(self._is_ready, self.late))
        if not minutes:
            return None
        start = stop = min(minutes)
        kinds: frozenset[str] = frozenset()
        while stop in self.late and stop < self.sent_until and stop // QUARTER_MS == start // QUARTER_MS:
            kinds |= self.late.pop(stop)
            stop += MINUTE_MS
        return Slice(self.gateway, start, min(stop, self.sent_until), kinds, is_late=True)

    def put_back(self, part: Slice) -> None:
        """A slice was not delivered: its late minutes stay late, and of another one something waits."""
        if not part.is_late:
            self.is_silent = False
            return
        for minute in range(part.start, part.stop, MINUTE_MS):
            self.mark(minute, part.kinds or frozenset())

    def finish(self, part: Slice, now_ms: int, taken: Delivered) -> bool:
        """A slice was delivered, or as much of it as is complete; return whether it was all of it."""
        is_whole = taken.until is None or taken.until >= part.stop
        if part.is_late and not is_whole:
            self.put_back(part)
            return False
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
        oldest = min([now_ms if self.is_silent else self.sent_until, *self.late])
        return max(0, now_ms - hold_ms - oldest)

    def _is_ready(self, minute: int) -> bool:
        """Whether a late minute was delivered, as far as it ever may be."""
        return minute + MINUTE_MS <= self.sent_until or (self.is_silent and minute < self.sent_until)
