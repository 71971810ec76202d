"""Main relay and generator over time, for roll-ups: as `receiver.sites.storage` says of a moment. Pure.

While a generator feeds the house that no meter sees, or may do so, what the meters of grid and consumption show is
neither purchase nor load. While the main relay is open, what they show is neither bought nor sold.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from receiver.energy.combine import add
from receiver.energy.interpolation import Segment
from receiver.energy.means import summarise_windows
from receiver.energy.site import NET, TOTAL, MeterPhase, select_phases
from receiver.sites.storage import (
    CONNECTED,
    GENERATOR,
    GENERATOR_STAYS_MS,
    ISLANDED,
    STATE_SPEAKS_MS,
    read_running,
)
from receiver.stores.base import SeriesPoints
from shared.agreement import COMPARED_FROM_W
from shared.units import MINUTE_MS

Span: TypeAlias = tuple[int, int]
"""UTC milliseconds, the second not part of it."""

POLL_MS = MINUTE_MS
"""A state that is seen may have begun this long before (milliseconds)."""
_NEVER = 2**63
"""Later than any reading."""


class Look(NamedTuple):
    """One reading of a state.

    Attributes:
        time: UTC milliseconds.
        holds: Whether the state held; None: it was not known.
        first: Since when it may have been so (UTC milliseconds).
        until: When the next reading says otherwise or the same (UTC milliseconds).
    """

    time: int
    holds: bool | None
    first: int
    until: int


def find_generator_spans(generator: Sequence[SeriesPoints], grid: Sequence[SeriesPoints]) -> list[Span]:
    """When a generator fed the house or may have done so."""
    looks = [_list_looks([(time, read_running(fields)) for time, fields in entry.points]) for entry in generator]
    connected = [span for modes in _list_modes(grid) for span in _find_connected(modes)]
    spans = [span for entry in looks for look in entry for span in _find_spans(look, connected)]
    stopped = [(look.time, look.until) for entry in looks for look in entry if look.holds is False]
    for modes in _list_modes(grid):
        for look in _list_looks([(time, mode == GENERATOR) for time, mode in modes]):
            spans += _find_spans(look, [span for span in stopped if span[0] > look.time])
    return spans


def find_islands(grid: Sequence[SeriesPoints]) -> list[Span]:
    """When the main relay was surely open and no generator known: between two looks that saw it so."""
    return [
        (first, last)
        for seen in _list_modes(grid)
        for (first, mode), (last, then) in pairwise(seen)
        if mode == then == ISLANDED and last - first <= STATE_SPEAKS_MS
    ]


def is_fed_by_others(
    powers: Mapping[MeterPhase, Sequence[Segment]], islands: Sequence[Span], start: int, stop: int
) -> bool:
    """Whether power came in over an open relay in a quarter hour: a generator that the gateway does not tell of."""
    inside = [(max(first, start), min(last, stop)) for first, last in islands if first < stop and last > start]
    net = add(list(select_phases(powers, NET).values())) if inside else []
    return any(
        known.mean is not None and known.mean >= COMPARED_FROM_W
        for first, last in inside
        for known in summarise_windows(net, (first, last))
    )


def leave_out_generated(powers: Mapping[MeterPhase, Sequence[Segment]]) -> dict[MeterPhase, Sequence[Segment]]:
    """The powers of a quarter hour in which a generator ran: grid and consumption are unknown."""
    return {key: [] if key[0] in (NET, TOTAL) else segments for key, segments in powers.items()}


def is_in_spans(spans: Sequence[Span], start: int, stop: int) -> bool:
    """Whether one of the spans has a part between two times (UTC milliseconds)."""
    return any(first < stop and last > start for first, last in spans)


def list_state_reach(states: Sequence[SeriesPoints], start: int, stop: int, now_ms: int | None = None) -> Iterator[int]:
    """How far states inside [start, stop) reach: each until the next one, or as long as a generator may run by it.

    Args:
        states: Of main relay and generator, with neighbours.
        start: UTC milliseconds.
        stop: Likewise.
        now_ms: Nothing later than this has been computed yet (UTC milliseconds). None: it is not known what has been.
    """
    for entry in states:
        inside = [time for time, _ in entry.points if start <= time < stop]
        if inside:
            yield start - STATE_SPEAKS_MS
            yield stop + STATE_SPEAKS_MS
            following = next((time for time, _ in entry.points if time >= stop), _NEVER)
            until = min(following, inside[-1] + GENERATOR_STAYS_MS)
            yield max(stop, until if now_ms is None else min(until, now_ms))


def _list_modes(grid: Sequence[SeriesPoints]) -> list[list[tuple[int, object]]]:
    return [[(time, fields["mode"]) for time, fields in entry.points if "mode" in fields] for entry in grid]


def _list_looks(states: Sequence[tuple[int, bool | None]]) -> list[Look]:
    """Each reading with the time around it. What is seen may have begun after the look before it, or a poll ago."""
    before = [None, *(time for time, _ in states)]
    return [
        Look(time, holds, time - POLL_MS if last is None else max(last, time - POLL_MS), until)
        for last, ((time, holds), (until, _)) in zip(before, pairwise([*states, (_NEVER, None)]), strict=False)
    ]


def _find_spans(look: Look, against: Sequence[Span]) -> Iterator[Span]:
    """When a generator fed the house by one look, and when it may have done so, for `against` does not rule it out."""
    if look.holds is False:
        return
    stays = min(look.until, look.time + GENERATOR_STAYS_MS)
    may_begin = look.first
    if look.holds:
        may_begin = min(look.until, look.time + STATE_SPEAKS_MS)
        yield look.first, may_begin
    for first, last in sorted(against):
        if first >= stays:
            break
        if may_begin < first:
            yield may_begin, first
        may_begin = max(may_begin, last)
    if may_begin < stays:
        yield may_begin, stays


def _find_connected(modes: Sequence[tuple[int, object]]) -> Iterator[Span]:
    """When the main relay was closed: then no generator feeds the house, for a controller never connects both."""
    for (time, mode), (until, _) in pairwise([*modes, (_NEVER, None)]):
        if mode == CONNECTED:
            yield time, min(until, time + STATE_SPEAKS_MS)
