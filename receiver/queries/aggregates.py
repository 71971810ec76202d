"""From points of one group of series to one value for each window, by how the field behaves between points. Pure.

A sum is known where all of its members are. Of meters these are all series of the group; of inverters those that say
something in the window, for a dead panel must not make the others unknown.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from receiver.energy.combine import add, fill_in
from receiver.energy.counters import CounterEnergy, compute_counter_windows
from receiver.energy.flows import add_counters
from receiver.energy.gaps import Gaps
from receiver.energy.interpolation import Segment, Segments, StepPoint, make_linear_segments, make_step_segments
from receiver.energy.linear import summarise_linear
from receiver.energy.means import Summary, summarise, summarise_windows
from receiver.energy.plausible import WRAPPING_KINDS, Possible, limit_panel
from receiver.energy.windows import cut_by_window
from receiver.queries.question import Aggregate, Fill, WindowedQuestion
from receiver.queries.times import LATEST_MS
from receiver.rollups.series import (
    REPORT_GAP_MS,
    REPORT_MS,
    add_silences,
    list_panel_powers,
    make_lines,
    select_samples,
    select_silent,
)
from receiver.stores.base import Point
from shared.fields import EIM_PHASE, MAX_GAP_MS, Interpolation
from shared.readings import FieldValue, Tags
from shared.units import HOUR_MS


class WindowValue(NamedTuple):
    """What is known of one window.

    Attributes:
        start: First millisecond (UTC).
        stop: End, not part of it (UTC milliseconds).
        value: In the unit of the answer; None for nothing.
        coverage: The known share of the window, 0 to 1.
        unallocated: Of counters: further increase in a gap that ends in this window and began before it; else None.
    """

    start: int
    stop: int
    value: FieldValue | None
    coverage: float
    unallocated: float | None = None


def aggregate_windows(
    question: WindowedQuestion,
    members: Sequence[Sequence[Point]],
    boundaries: Sequence[int],
    now_ms: int,
    gaps: Gaps = (),
    limits: Sequence[Possible | None] = (),
) -> list[WindowValue]:
    """One entry for each window between neighbouring boundaries.

    Args:
        question: What is asked.
        members: Points of each series of one group, with neighbours; a series without points is unknown.
        boundaries: UTC milliseconds.
        now_ms: States hold until now, not beyond.
        gaps: Recorded ones.
        limits: The most that each meter's counter can have counted, where a step is in doubt.
    """
    match question.described.interpolation:
        case Interpolation.COUNTER:
            return _aggregate_counters(question, members, boundaries, gaps, limits)
        case Interpolation.LAST:
            return _aggregate_states(question, members[0], boundaries, now_ms)
        case _:
            return [
                pick_value(question.aggregate, summary)
                for summary in summarise_group(question, members, boundaries, gaps)
            ]


def pick_value(aggregate: Aggregate, summary: Summary) -> WindowValue:
    """The value of a summary that an aggregate asks for."""
    match aggregate:
        case Aggregate.MEAN:
            value = summary.mean
        case Aggregate.MIN:
            value = summary.minimum
        case Aggregate.MAX:
            value = summary.maximum
        case Aggregate.LAST:
            value = summary.last
        case Aggregate.INTEGRAL:
            known_ms = summary.coverage * (summary.stop - summary.start)
            value = None if summary.mean is None else summary.mean * known_ms / HOUR_MS
    return WindowValue(summary.start, summary.stop, value, summary.coverage)


def fill_windows(windows: Sequence[WindowValue], fill: Fill) -> list[WindowValue]:
    """The windows with the unknown ones filled."""
    if fill is Fill.NULL:
        return list(windows)
    if fill is Fill.PREVIOUS:
        return _fill_with_previous(windows)
    if fill is Fill.LINEAR:
        return _fill_with_lines(windows)
    return [window for window in windows if window.value is not None or window.unallocated]


def summarise_group(
    question: WindowedQuestion,
    members: Sequence[Sequence[Point]],
    boundaries: Sequence[int],
    gaps: Gaps,
    names: Sequence[Tags] = (),
) -> list[Summary]:
    """One summary of a linear field, or of means, for each window between neighbouring boundaries (UTC milliseconds).

    Nothing is known inside `gaps`. `names`: the tags of meters, whose sum may stand in for their phases.
    """
    field, is_linear = question.field, question.described.interpolation is Interpolation.LINEAR
    if len(members) == 1 and is_linear:
        return summarise_line(members[0], field, boundaries, gaps)
    known: list[Segments] = [
        make_lines(points, field, gaps) if is_linear else make_step_segments(_list_means(points, field), REPORT_MS)
        for points in members
    ]
    if question.kind == "meter" and names:
        known = _merge_sums(known, names)
    if len(known) == 1:
        return summarise_windows(known[0], boundaries)
    cut = [[inside for _, _, inside in cut_by_window(segments, boundaries)] for segments in known]
    return [
        summarise(add([flow for flow in inside if flow or is_linear]), start, stop)
        for (start, stop), inside in zip(pairwise(boundaries), zip(*cut, strict=True), strict=True)
    ]


def summarise_line(points: Sequence[Point], field: str, boundaries: Sequence[int], gaps: Gaps = ()) -> list[Summary]:
    """The same of one series of a linear field."""
    silences = add_silences(gaps, select_silent(points), field)
    return summarise_linear(select_samples(points, field), boundaries, gaps=silences)


def _merge_sums(known: Sequence[Segments], names: Sequence[Tags]) -> list[Segments]:
    """The series that are to be added: the sum that a gateway gives of a meter is no further phase of it."""
    meters: dict[str, tuple[list[Segments], list[Segments]]] = {}
    for segments, tags in zip(known, names, strict=True):
        named = dict(tags)
        phases, sums = meters.setdefault(named["meter"], ([], []))
        (sums if named["phase"] == EIM_PHASE else phases).append(segments)
    found: list[Segments] = []
    for phases, sums in meters.values():
        found += [fill_in(add(phases), *sums)] if phases and sums else [*phases, *sums]
    return found


def _list_means(points: Sequence[Point], field: str) -> list[StepPoint]:
    """Means with the seconds before them that they cover, where they say so; reports are as in the roll-ups."""
    found = []
    for time, fields in points:
        value, interval = fields.get(field), fields.get("interval")
        if isinstance(value, float):
            found.append((time, value, interval if isinstance(interval, float) else None))
    return found


def _aggregate_counters(
    question: WindowedQuestion,
    members: Sequence[Sequence[Point]],
    boundaries: Sequence[int],
    gaps: Gaps,
    limits: Sequence[Possible | None],
) -> list[WindowValue]:
    is_meter = question.kind == "meter_energy"
    longest_ms = MAX_GAP_MS if is_meter else REPORT_GAP_MS
    read = [select_samples(points, question.field) for points in members]
    is_panel = question.kind == "inverter"
    possible = (
        [limit_panel(list_panel_powers(points)) for points in members] if is_panel else limits or [None] * len(read)
    )
    each = [
        compute_counter_windows(
            points, boundaries, longest_ms, gaps, most, asked_apart=not is_meter, wraps=question.kind in WRAPPING_KINDS
        )
        for points, most in zip(read, possible, strict=True)
    ]
    if question.aggregate is Aggregate.INTEGRAL:
        flows = [add_counters(_select_known(question, phases)) for phases in zip(*each, strict=True)]
        return [
            WindowValue(start, stop, flow.wh, flow.coverage, flow.unallocated_wh)
            for (start, stop), flow in zip(pairwise(boundaries), flows, strict=True)
        ]
    found = []
    for energy in each[0]:
        before = bisect_left(read[0], energy.stop, key=lambda sample: sample[0])
        is_inside = before > 0 and read[0][before - 1][0] >= energy.start
        found.append(
            WindowValue(energy.start, energy.stop, read[0][before - 1][1] if is_inside else None, energy.coverage)
        )
    return found


def _select_known(question: WindowedQuestion, members: Sequence[CounterEnergy]) -> Sequence[CounterEnergy]:
    """Those that a sum needs in this window."""
    return [flow for flow in members if question.kind != "inverter" or flow.wh is not None or flow.unallocated_wh]


def _aggregate_states(
    question: WindowedQuestion, points: Sequence[Point], boundaries: Sequence[int], now_ms: int
) -> list[WindowValue]:
    """Each value holds until the next one. Texts go through the same arithmetic by their number in a list."""
    known = [(time, fields[question.field]) for time, fields in points if question.field in fields]
    texts = list(dict.fromkeys(value for _, value in known if isinstance(value, str)))
    numbers = [(time, float(texts.index(value)) if isinstance(value, str) else value) for time, value in known]
    stops = [*(time for time, _ in numbers[1:]), min(now_ms, boundaries[-1])]
    segments = [
        Segment(time, stop, value, value)
        for (time, value), stop in zip(numbers, stops, strict=bool(numbers))
        if time < stop
    ]
    windows = [pick_value(question.aggregate, summary) for summary in summarise_windows(segments, boundaries)]
    if not texts:
        return windows
    return [
        window._replace(value=texts[int(window.value)]) if isinstance(window.value, float) else window
        for window in windows
    ]


def _fill_with_previous(windows: Sequence[WindowValue]) -> list[WindowValue]:
    found, previous = [], None
    for window in windows:
        if window.value is not None:
            previous = window.value
        found.append(window._replace(value=previous))
    return found


def _fill_with_lines(windows: Sequence[WindowValue]) -> list[WindowValue]:
    known = [(_find_middle(window), window.value) for window in windows if isinstance(window.value, float)]
    lines = make_linear_segments(known, max_gap_ms=LATEST_MS)
    found = list(windows)
    position = 0
    for index, window in enumerate(windows):
        time = _find_middle(window)
        while position < len(lines) and lines[position].stop < time:
            position += 1
        if window.value is None and position < len(lines) and lines[position].start <= time:
            found[index] = window._replace(value=lines[position].interpolate(time))
    return found


def _find_middle(window: WindowValue) -> int:
    return (window.start + window.stop) // 2
