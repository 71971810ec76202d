"""Counters that come back higher than is possible, and those of inverters and batteries that fell.

They make one `counter_reset` event. What was read goes out as it is. Falls of other counters are found by `counters`.
The receiver makes no energy of such a step, by the same rule (`shared.plausible`).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scraper.events import make_event, name_some
from shared.fields import KINDS, MAX_GAP_MS, Interpolation
from shared.plausible import (
    PanelPower,
    Point,
    Possible,
    compute_increase_wh,
    is_large,
    limit_ac_battery,
    limit_panel,
    limit_seen,
)
from shared.readings import Reading, Series
from shared.units import HOUR_MS

_COUNTERS = {
    kind: tuple(name for name, field in KINDS[kind].fields.items() if field.interpolation is Interpolation.COUNTER)
    for kind in ("inverter", "meter_energy", "production", "battery")
}
_FALLS_SEEN_HERE = frozenset({"inverter", "battery"})


class JumpState(NamedTuple):
    """What is known of one series.

    Attributes:
        latest: Its latest reading.
        since_ms: When the first one was taken, milliseconds since 1970.
        highest_w: The highest power between two readings of a counter, in a step that was possible.
    """

    latest: Reading
    since_ms: int
    highest_w: float = 0.0


class JumpHistory(NamedTuple):
    """All counters; never changed in place. `event_ms` is the stamp of the last event, so that no two share one."""

    series: Mapping[Series, JumpState] = {}
    event_ms: int = 0


def detect(state: JumpHistory, readings: Sequence[Reading]) -> tuple[JumpHistory, tuple[Reading, ...]]:
    """At most one event for the readings of one poll.

    Returns:
        The next state (keep it only once the event is committed) and the event.
    """
    series = dict(state.series)
    found: list[tuple[int, str]] = []
    for reading in readings:
        known = series.get(reading.series)
        if not _count(reading):
            continue
        if known is None:
            series[reading.series] = JumpState(reading, reading.timestamp)
        elif reading.timestamp > known.latest.timestamp:
            possible = _limit(known, reading)
            jumps = [name for name in _count(reading) if _has_jumped(known.latest, reading, name, possible)]
            where = " ".join(reading.tags[tag] for tag in KINDS[reading.kind].tags)
            found += [(reading.timestamp, f"{where} {name}") for name in jumps]
            highest = known.highest_w if jumps else max(known.highest_w, _find_power(known.latest, reading))
            series[reading.series] = JumpState(reading, known.since_ms, highest)
    if not found:
        return JumpHistory(series, state.event_ms), ()
    event_ms = max(min(stamp for stamp, _ in found) + 1, state.event_ms + 1)  # a fall may have the stamp itself
    reason = name_some([name for _, name in found], "impossible step: ")
    return JumpHistory(series, event_ms), (make_event("counter_reset", event_ms, reason, rows=len(found)),)


def _count(reading: Reading) -> dict[str, float]:
    """The counters of a reading, in Wh."""
    fields = reading.fields
    return {name: float(fields[name]) for name in _COUNTERS[reading.kind] if isinstance(fields.get(name), float | int)}


def _limit(known: JumpState, reading: Reading) -> Possible | None:
    """What is possible for a series; None where nothing bounds it."""
    if reading.kind == "inverter":
        return limit_panel([_read_power(known.latest), _read_power(reading)])
    if reading.kind == "battery":
        return limit_ac_battery()
    if reading.kind == "meter_energy" and known.highest_w > 0:
        return limit_seen(known.highest_w, known.latest.timestamp - known.since_ms)
    return None


def _read_power(reading: Reading) -> PanelPower:
    power, highest = (
        float(value) if isinstance(value := reading.fields.get(name), float | int) else None
        for name in ("power", "max_power")
    )
    return PanelPower(reading.timestamp, power, highest)


def _has_jumped(before: Reading, after: Reading, name: str, possible: Possible | None) -> bool:
    step = _make_step(before, after, name)
    if step is None or (step[1][1] <= step[0][1] and after.kind not in _FALLS_SEEN_HERE):
        return False
    if after.kind == "meter_energy" and not is_large(*step):
        return False
    return compute_increase_wh(*step, possible) is None


def _find_power(before: Reading, after: Reading) -> float:
    """The highest power (W) of the counters of two readings that follow each other closely; else 0."""
    length_ms = after.timestamp - before.timestamp
    if length_ms > MAX_GAP_MS:
        return 0.0
    steps = [step for name in _count(after) if (step := _make_step(before, after, name)) is not None]
    return max((max(b[1] - a[1], 0.0) * HOUR_MS / length_ms for a, b in steps), default=0.0)


def _make_step(before: Reading, after: Reading, name: str) -> tuple[Point, Point] | None:
    old, new = _count(before).get(name), _count(after).get(name)
    return None if old is None or new is None else ((before.timestamp, old), (after.timestamp, new))
