"""Slots of equal length of one gateway, under the input names that the scripts of the forum made. Pure.

A slot has a name only where something is known of it: EmonCMS takes null for 0, and a value that is repeated without
being measured counts energy that was not there.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from receiver.energy.combine import add
from receiver.energy.gaps import Gaps
from receiver.energy.interpolation import Segments
from receiver.energy.means import Summary, summarise_windows
from receiver.energy.site import NET, OTHER_PRODUCTION, PRODUCTION, STORAGE, TOTAL, MeterPhase, has_meter
from receiver.rollups.series import MEASURED, get_meter_phase, make_lines
from receiver.stores.base import Point, SeriesPoints
from shared.agreement import is_contradiction
from shared.fields import MAX_GAP_MS

NAMES = {"power": "wNow", "voltage": "rmsVoltage", "current": "rmsCurrent", "power_factor": "pwrFactor"}
"""How an input's name ends, by field."""
PHASES = ("a", "b", "c")
_DIGITS = 3

SlotSummaries = Mapping[MeterPhase, Mapping[str, Sequence[Summary]]]
"""Of each meter and phase, by field: one summary for each slot."""


def name_input(begin: str, phase: str, field: str) -> str:
    """One of the 36 names, e.g. `prod_ph-a_wNow`."""
    return f"{begin}_ph-{phase}_{NAMES[field]}"


def make_slots(
    series: Iterable[SeriesPoints],
    boundaries: Sequence[int],
    *,
    phases: Collection[MeterPhase],
    gaps: Gaps = (),
    has_battery: bool = False,
    has_generator: bool = False,
) -> list[dict[str, float]]:
    """The inputs of each slot between neighbouring boundaries; empty where nothing is known.

    Args:
        series: Of kind `meter`, corrected, with what lies `MAX_GAP_MS` beyond both ends.
        boundaries: UTC milliseconds.
        phases: Every meter and phase of the site, also those of which nothing was read here.
        gaps: Recorded ones.
        has_battery: Whether there is a battery, also without a storage meter: then no phase's load is known.
        has_generator: Whether one may have run: then no load is known.
    """
    segments: dict[MeterPhase, dict[str, Segments]] = {key: {} for key in phases if key[1] in PHASES}
    for one in series:
        key = get_meter_phase(one)
        if key[1] in PHASES:
            points = keep_fields(one.points)
            segments[key] = {name: make_lines(points, name, gaps) for name in NAMES}
    known = {
        key: {name: summarise_windows(one, boundaries) for name, one in by_name.items()}
        for key, by_name in segments.items()
    }
    slots: list[dict[str, float]] = [{} for _ in boundaries[:-1]]
    for phase in PHASES:
        _put_meter(slots, "prod", phase, known.get((PRODUCTION, phase), {}))
        _put_meter(slots, "net", phase, known.get((NET, phase), {}))
        if has_generator:
            continue
        if (TOTAL, phase) in known and not has_battery and not has_meter(known, STORAGE):
            _put_meter(slots, "cons", phase, known[TOTAL, phase])
        elif not has_battery or has_meter(known, STORAGE):
            _put_load(slots, phase, segments, known, boundaries)
    return slots


def keep_fields(points: Iterable[Point]) -> list[Point]:
    """Points in which a field that stayed within its dead-band has its last value: it was measured there, too.

    But not in nor after an answer that had no power of the phase: what it lacks was not measured.
    """
    last: dict[str, tuple[int, float | str]] = {}
    carried = []
    for time, fields in points:
        last = {} if fields.get(MEASURED) == 0.0 else last
        last |= {name: (time, value) for name, value in fields.items()}
        carried.append(Point(time, {name: value for name, (at, value) in last.items() if time - at <= MAX_GAP_MS}))
    return carried


def _put_meter(
    slots: Sequence[dict[str, float]], begin: str, phase: str, known: Mapping[str, Sequence[Summary]]
) -> None:
    for field, summaries in known.items():
        for slot, summary in zip(slots, summaries, strict=True):
            value = summary.mean if field == "power" else summary.last
            if value is not None:
                slot[name_input(begin, phase, field)] = _round(value)


def _put_load(
    slots: Sequence[dict[str, float]],
    phase: str,
    segments: Mapping[MeterPhase, Mapping[str, Segments]],
    known: SlotSummaries,
    boundaries: Sequence[int],
) -> None:
    """The load of a phase: production, grid and battery of it. Its voltage is the grid's; its current nobody measures.

    A phase that a meter does not have has nothing of it; a site without meters of production or grid has no load.
    """
    if not has_meter(segments, PRODUCTION) or (NET, phase) not in segments:
        return
    meters = [one for one in (PRODUCTION, OTHER_PRODUCTION, NET, STORAGE) if (one, phase) in segments]
    load = summarise_windows(add([segments[one, phase].get("power", ()) for one in meters]), boundaries)
    for index, slot in enumerate(slots):
        mean = load[index].mean
        if mean is None:
            continue
        supplies = [known[one, phase]["power"][index].mean or 0.0 for one in meters]
        if mean >= 0 or not is_contradiction(supplies):
            slot[name_input("cons", phase, "power")] = _round(max(mean, 0.0))
        voltage = known[NET, phase]["voltage"][index].last
        if voltage is not None:
            slot[name_input("cons", phase, "voltage")] = _round(voltage)


def _round(value: float) -> float:
    return round(value, _DIGITS) + 0.0  # + 0.0, for -0.0 would look like something
