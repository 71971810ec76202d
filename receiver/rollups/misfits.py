"""Events of gaps that were not filled because the cloud says another energy than the counters. Pure.

They stand with the system of the cloud: of the gateway nothing is stored but what it measured, and roll-ups.
"""

from collections.abc import Iterable, Sequence

from receiver.rollups.filled_rows import Misfit
from shared.fields import MAX_TEXT
from shared.readings import Reading

EVENT_TYPE = "fill"
INTRO = "not filled: "
"""Begins the reason of each event."""
WITHDRAWN = "filled or measured after all, as readings that came later show"
"""Is the reason of an event that is none any more."""


def make_misfit_events(misfits: Iterable[Misfit]) -> list[Reading]:
    """One event for each start of a gap of the linked gateway, from where its first quarter hour begins."""
    by_start: dict[int, list[Misfit]] = {}
    for misfit in misfits:
        by_start.setdefault(misfit.start, []).append(misfit)
    return [_make_event(together) for _, together in sorted(by_start.items())]


def withdraw_misfit(stamp: int) -> Reading:
    """The event of that time, taken back."""
    return Reading("event", {"type": EVENT_TYPE}, stamp, {"reason": WITHDRAWN})


def _make_event(misfits: Sequence[Misfit]) -> Reading:
    said = "; ".join(
        f"{one.quantity} {one.counted_wh:.0f} Wh by the counters at home, {one.cloud_wh:.0f} Wh by the cloud"
        for one in misfits
    )
    end = max(one.stop for one in misfits)
    return Reading(
        "event", {"type": EVENT_TYPE}, misfits[0].start, {"end": float(end), "reason": (INTRO + said)[:MAX_TEXT]}
    )
