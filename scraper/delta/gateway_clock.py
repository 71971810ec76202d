"""The gateway's own clock: when report dates are corrected, and by how much.

A gateway that is minutes off is left alone. Beyond five minutes its report dates are corrected by the measured offset.
That offset then stands still, so that one report keeps one identity; it changes only together with a `clock_step`
event, and its owner persists it in the transaction that commits the event.
"""

from scraper.events import make_event
from shared.durations import describe_duration
from shared.readings import Reading
from shared.units import MINUTE_MS

TOLERANCE_MS = 5 * MINUTE_MS
"""Largest error that is not corrected, and largest drift of the offset in force."""
RIGHT_AGAIN_MS = MINUTE_MS
"""A gateway this close to our clock is right: the correction ends. Well below the tolerance, so that it cannot flap."""


def measure(in_force_ms: int, gateway_ms: int, arrival_ms: int) -> tuple[int, Reading | None]:
    """The correction that holds after one look at the gateway's clock.

    Args:
        in_force_ms: The correction so far: gateway clock minus host clock, 0 for none (at first: the persisted one).
        gateway_ms: The gateway's clock, milliseconds since 1970; 0 or less means it has none, which changes nothing.
        arrival_ms: The host's clock when the answer came.

    Returns:
        The correction from now on and, if it changed, the event to commit with it.
    """
    offset_ms = gateway_ms - arrival_ms
    if gateway_ms <= 0:
        return in_force_ms, None
    right_again = in_force_ms != 0 and abs(offset_ms) <= RIGHT_AGAIN_MS
    if abs(offset_ms - in_force_ms) <= TOLERANCE_MS and not right_again:
        return in_force_ms, None
    target_ms = offset_ms if abs(offset_ms) > TOLERANCE_MS else 0
    return target_ms, _make_step(target_ms, arrival_ms)


def correct(in_force_ms: int, gateway_ms: int) -> int:
    """A time of the gateway on our clock, milliseconds since 1970."""
    return gateway_ms - in_force_ms


def _make_step(offset_ms: int, arrival_ms: int) -> Reading:
    if offset_ms == 0:
        reason = "the gateway's clock is right again; report dates are taken as they are"
    else:
        off = f"{describe_duration(offset_ms / 1000)} {'ahead' if offset_ms > 0 else 'behind'}"
        reason = f"the gateway's clock is {off}; report dates are corrected by that"
    return make_event("clock_step", arrival_ms, reason)
