"""The host's own clock: a step of it as an event, and what it means for readings that were stamped before. Pure.

Right or unknown: a reading is moved only if its stamp cannot be, by the clock as it is now, and every step since is
known in size. A step forward may be a machine that slept, so it moves nothing but what was stamped before 2000.
"""

from collections.abc import Sequence
from typing import NamedTuple

from scraper.events import make_event
from shared.durations import describe_duration
from shared.readings import Reading
from shared.units import SECOND_MS
from shared.wire import EARLIEST_MS, FUTURE_MS

REMEMBERED = 16
"""Steps that are kept: what was stamped before the oldest of them is not moved."""
RESOLUTION_MS = 10
"""Readings move by multiples of this (milliseconds), so that the last digit of a stamp, which counts steps, stays."""


class HostStep(NamedTuple):
    """The clock stepped; times in milliseconds since 1970.

    Attributes:
        old_ms: What the clock would say without the step.
        new_ms: What it says.
        known: Whether the size is measured; else, across a restart, it is only the least that it can be.
    """

    old_ms: int
    new_ms: int
    known: bool

    @property
    def by_ms(self) -> int:
        """How far it stepped: above 0 is forward."""
        return self.new_ms - self.old_ms


class StepRecord(NamedTuple):
    """What outlives the process of a step.

    Attributes:
        seq: Rows of the outbox below this number were stamped before it.
        by_ms: How far it stepped; None if that is not known.
    """

    seq: int
    by_ms: int | None


def mark_step(step: HostStep) -> Reading:
    """The event. It begins at the earlier of the two times, where no receiver takes it for one of the future."""
    earlier, later = sorted((step.old_ms, step.new_ms))
    direction = "back" if step.by_ms < 0 else "forward (or the machine slept)"
    reason = f"the clock of the scraper's host stepped {direction} by {describe_duration(step.by_ms / SECOND_MS)}"
    return make_event("clock_step", earlier if earlier >= EARLIEST_MS else later, reason, end_ms=later)


def add_step(steps: Sequence[StepRecord], step: StepRecord) -> tuple[StepRecord, ...]:
    """The steps with one more; the oldest that is kept then stands for all before it, whose sizes are forgotten."""
    kept = (*steps, step)
    if len(kept) <= REMEMBERED:
        return kept
    return StepRecord(kept[-REMEMBERED].seq, None), *kept[1 - REMEMBERED :]


def is_possible(timestamp_ms: int, now_ms: int) -> bool:
    """Whether a receiver whose clock agrees with ours can take a reading of this time."""
    return EARLIEST_MS <= timestamp_ms <= now_ms + FUTURE_MS


def move_reading(
    reading: Reading, *, seq: int, committed_ms: int, steps: Sequence[StepRecord], now_ms: int
) -> Reading | None:
    """The reading with the stamp that a right clock would have given it; None if it keeps its own.

    Args:
        reading: Of a row of the outbox.
        seq: The row's number.
        committed_ms: When it was committed.
        steps: All that are known, in order.
        now_ms: The clock as it is now, and right.
    """
    if is_possible(reading.timestamp, now_ms):
        return None
    if reading.kind == "inverter" and is_possible(committed_ms, now_ms):
        return None  # our clock was right, and the gateway's was not
    moved_ms = _move(reading.timestamp, seq, steps)
    is_step = reading.kind == "event" and reading.tags.get("type") == "clock_step"
    if not is_possible(moved_ms, now_ms):
        if not is_step:
            return None
        moved_ms = now_ms  # that the clock stepped is known, only no longer when
    fields = reading.fields
    end = fields.get("end")
    if isinstance(end, float) and not is_step and not is_possible(int(end), now_ms):
        fields = {**fields, "end": float(_move(int(end), seq, steps))}
    return Reading(reading.kind, reading.tags, moved_ms, fields)


def _move(timestamp_ms: int, seq: int, steps: Sequence[StepRecord]) -> int:
    """A time on the clock after the steps that followed the row `seq`, as far as they are certain."""
    for step in steps:
        if step.seq <= seq:
            continue
        if step.by_ms is None or (step.by_ms > 0 and timestamp_ms >= EARLIEST_MS):
            break
        timestamp_ms += round(step.by_ms / RESOLUTION_MS) * RESOLUTION_MS
    return timestamp_ms
