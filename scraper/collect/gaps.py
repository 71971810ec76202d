"""Gaps as readings: an `event` of type `gap` opens when samples stop and gets its `end` when they come back.

The open gap is kept beside the outbox, in the transactions of its readings: one that an orderly stop opened is closed
by the next start, and a start after a kill opens one at the last committed sample. What opens and what closes a gap is
decided where commits take turns, in the `Recorder`, which asks these pure functions.

An outage of the grid is kept in the same way, and split in the same way.

A gap is a stretch of stamps without a sample. So it never ends before it begins, whatever the clock did meanwhile, and
none lies across a step of the host's clock: it ends on the old clock there, and another one begins on the new one.
"""

from collections.abc import Sequence

from scraper.collect.memory import NO_CHANGE, MemoryChange, MemoryState
from scraper.delta.host_clock import HostStep
from scraper.events import make_event
from shared.readings import Reading
from shared.wire import EARLIEST_MS

GapChange = tuple[Sequence[Reading], MemoryChange]
"""The events to commit, and the change of the memory to commit with them."""

NO_GAP_CHANGE: GapChange = ((), NO_CHANGE)


def open_gap(state: MemoryState, last_sample_ms: int, now_ms: int, reason: str) -> GapChange:
    """Samples stopped after `last_sample_ms`, unless a gap is open already."""
    if state.gap_start_ms is not None:
        return NO_GAP_CHANGE
    # a last sample that lies in the future, or in 1970, was stamped before the clock was set
    start_ms = last_sample_ms if EARLIEST_MS <= last_sample_ms <= now_ms else now_ms
    return (make_event("gap", start_ms, reason),), MemoryChange(gap_start_ms=start_ms)


def close_gap(state: MemoryState, end_ms: int) -> GapChange:
    """Samples came, the first of them at `end_ms`; nothing if no gap is open."""
    if state.gap_start_ms is None:
        return NO_GAP_CHANGE
    start_ms = state.gap_start_ms
    return (make_event("gap", start_ms, end_ms=max(start_ms, end_ms)),), MemoryChange(gap_start_ms=None)


def mark_pause(last_sample_ms: int, end_ms: int) -> Reading:
    """The gap between two samples that is over before anybody noticed it."""
    return make_event("gap", last_sample_ms, "no sample came", end_ms=end_ms)


def split_gap(state: MemoryState, step: HostStep) -> tuple[GapChange, GapChange]:
    """What ends before a step of the host's clock, and what begins after it."""
    if state.gap_start_ms is None or not step.known:
        return NO_GAP_CHANGE, NO_GAP_CHANGE
    reason = "samples were missing when the clock stepped"
    opened = (make_event("gap", step.new_ms, reason),), MemoryChange(gap_start_ms=step.new_ms)
    return close_gap(state, step.old_ms), opened


def split_outage(state: MemoryState, step: HostStep) -> tuple[Sequence[Reading], Sequence[Reading], MemoryChange]:
    """What ends before a step of the host's clock, what begins after it, and what the memory keeps, of an outage.

    Across a restart the step's size is not known; that the house was cut off until the last stamp on the old clock is.
    """
    start_ms = state.outage_start_ms
    if start_ms is None:
        return (), (), NO_CHANGE
    ended = make_event("outage", start_ms, end_ms=max(start_ms, step.old_ms))
    begun = make_event("outage", step.new_ms, "the main relay was open when the clock stepped")
    return (ended,), (begun,), MemoryChange(outage_start_ms=step.new_ms)
