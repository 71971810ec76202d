"""Rows of `energy_15m` with what the linked system of the cloud fills in, and without it. Pure.

- The energy of a gap goes from the quarter hour in which the gap ends to those in which it flowed (`fill`).
- A quarter hour of which nothing was measured or imported, and which is in no gap whose energy a counter knows, has the
  cloud's energy as it is.
- All of it is marked, and none of it counts in the coverage, in shares of two energies or in prices: these are of what
  was measured.
- A row keeps what it had before (`_measured`, `_placed`), so taking out what was filled in gives exactly the row that
  was computed from the readings.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from receiver.energy.flows import WHOLE
from receiver.rollups.energy import from_point, is_known, remove_fill
from receiver.rollups.fill import FillVerdict, Known, Placement, place_gap
from receiver.rollups.series import LONGEST_GAP_MS, read_number
from receiver.rollups.taken_over import ImportedWindow
from receiver.stores.base import Point
from shared.readings import FieldValue, Reading
from shared.units import QUARTER_MS

Shapes: TypeAlias = Mapping[str, Sequence[Mapping[int, float]]]
"""By quantity the cloud's Wh of quarter hours, by source; the first one that is known counts."""
_Rows: TypeAlias = dict[int, dict[str, FieldValue]]


class Misfit(NamedTuple):
    """A gap of which the cloud says another energy than the counter: [start, stop) in UTC milliseconds, and both Wh."""

    start: int
    stop: int
    quantity: str
    counted_wh: float
    cloud_wh: float


class FilledRows(NamedTuple):
    """All rows of a time, in order, and the gaps that were left as they are because the cloud says another energy."""

    rows: list[Reading]
    misfits: list[Misfit]


class GapRun(NamedTuple):
    """Gaps of a quantity that share quarter hours, from the first to the last of these (UTC milliseconds).

    Attributes:
        start: First millisecond of the first quarter hour.
        stop: End of the last one.
        ends: By start of the quarter hour in which a gap ends, its energy (Wh).
    """

    start: int
    stop: int
    ends: Mapping[int, float]


def take_out_fill(stored: Iterable[Point]) -> list[Point]:
    """The stored rows as they were computed; those in which all was filled in are gone."""
    bare = (remove_fill(point) for point in stored)
    return [point for point in bare if is_known(from_point(point))]


def keep_filled(computed: Iterable[Reading], stored: Iterable[Point]) -> list[Reading]:
    """Computed rows, with the stored ones in the place of those that they were made from.

    What is filled in is judged afterwards: until then readers see what they saw before.
    """
    rows = {row.timestamp: row for row in computed}
    for point in stored:
        bare = remove_fill(point)
        if bare.fields == point.fields:
            continue
        row = rows.get(point.timestamp)
        if row.fields == bare.fields if row else not is_known(from_point(bare)):
            rows[point.timestamp] = _make_row(point.timestamp, point.fields)
    return [rows[time] for time in sorted(rows)]


def find_reach(gaps: Iterable[tuple[int, int]], start: int, stop: int) -> tuple[int, int]:
    """The whole quarter hours of [start, stop) and of all gaps that share some with it, or with each other.

    Args:
        gaps: Begin and end of each (UTC milliseconds).
        start: UTC milliseconds.
        stop: UTC milliseconds.
    """
    left = [(_find_quarter(since), end) for since, end in gaps if end - since <= LONGEST_GAP_MS]
    while near := [gap for gap in left if gap[0] < stop and gap[1] > start]:
        start, stop = min(start, *(gap[0] for gap in near)), max(stop, *(gap[1] for gap in near))
        left = [gap for gap in left if gap not in near]
    return start, stop


def make_filled_rows(
    stored: Iterable[Point],
    ends: Iterable[Point],
    shapes: Shapes,
    imported: Sequence[ImportedWindow],
    start: int,
    stop: int,
) -> FilledRows:
    """The rows of [start, stop) (UTC milliseconds), from `find_reach`, with all that the cloud fills in.

    Args:
        stored: They as they are; what was filled in before is judged again.
        ends: Rows after them in which gaps end that reach into them.
        shapes: What the cloud says.
        imported: What was imported of that time: it goes before what the cloud says.
        start: A whole quarter hour.
        stop: Likewise.
    """
    bare = take_out_fill(stored)
    measured = {point.timestamp: point.fields for point in bare}
    rows = {time: dict(fields) for time, fields in measured.items()}
    misfits: list[Misfit] = []
    for name, sources in shapes.items():
        closed = {
            time
            for window in imported
            if name in window.energies
            for time in range(window.start, window.stop, QUARTER_MS)
        }
        for run in find_runs([*bare, *take_out_fill(ends)], measured, name):
            closed.update(range(max(run.start, start), min(run.stop, stop), QUARTER_MS))
            if start <= run.start and run.stop <= stop and run.stop - run.start <= LONGEST_GAP_MS:
                misfits += _fill_run(rows, run, name, sources)
        for time in range(start, stop, QUARTER_MS):
            cloud_wh = next((one[time] for one in sources if time in one), None)
            if cloud_wh is not None and time not in closed and _is_unknown(measured.get(time, {}), name):
                _put(rows, time, name, cloud_wh)
                rows[time][f"{name}_uncounted"] = cloud_wh
    return FilledRows([_make_row(time, rows[time]) for time in sorted(rows)], misfits)


def find_runs(points: Iterable[Point], measured: Mapping[int, Mapping[str, FieldValue]], name: str) -> list[GapRun]:
    """The gaps of a quantity whose energy a counter knows, in the order of time.

    A row names one start for the gaps of all its quantities, the earliest: a quantity that was measured throughout a
    later quarter hour fell silent after it.

    Args:
        points: Rows as they were computed.
        measured: Those of the time that is looked at, by start.
        name: The quantity.
    """
    runs: list[GapRun] = []
    for time, fields in sorted(points):
        wh, since = read_number(fields, f"{name}_unallocated"), read_number(fields, "unallocated_since")
        if not wh or since is None:
            continue
        first, start = _find_quarter(round(since)), time
        while start > first and _read_known(measured.get(start - QUARTER_MS, {}), name).coverage < WHOLE:
            start -= QUARTER_MS
        ends = {time: wh}
        while runs and start < runs[-1].stop:
            start, ends = min(start, runs[-1].start), {**runs.pop().ends, **ends}
        runs.append(GapRun(start, time + QUARTER_MS, ends))
    return runs


def _fill_run(rows: _Rows, run: GapRun, name: str, sources: Sequence[Mapping[int, float]]) -> list[Misfit]:
    """Put the energy of gaps where it flowed; what contradicts it, if it stays where it is."""
    quarters = range(run.start, run.stop, QUARTER_MS)
    measured = {time: _read_known(rows[time], name) for time in quarters if time in rows}
    placement: Placement = place_gap(sum(run.ends.values()), run.start, run.stop, measured, sources)
    if placement.verdict is FillVerdict.CONTRADICTED and placement.cloud_wh is not None:
        return [Misfit(run.start, run.stop, name, placement.counted_wh, placement.cloud_wh)]
    if placement.verdict is not FillVerdict.PLACED:
        return []
    for time, wh in placement.filled.items():
        _put(rows, time, name, wh)
    for time, wh in run.ends.items():
        rows[time][f"{name}_placed"] = wh
        del rows[time][f"{name}_unallocated"]
    return []


def _put(rows: _Rows, time: int, name: str, wh: float) -> None:
    fields = rows.setdefault(time, {"duration": QUARTER_MS / 1000, "resets": 0.0})
    measured = fields.get(name)
    if isinstance(measured, float):
        if wh == 0:
            return
        fields |= {name: measured + wh, f"{name}_measured": measured, f"{name}_filled": wh}
    else:
        fields |= {name: wh, f"{name}_coverage": 0.0, f"{name}_filled": wh}


def _is_unknown(fields: Mapping[str, FieldValue], name: str) -> bool:
    return name not in fields and f"{name}_taken_over_unallocated" not in fields


def _read_known(fields: Mapping[str, FieldValue], name: str) -> Known:
    return Known(read_number(fields, name) or 0.0, read_number(fields, f"{name}_coverage") or 0.0)


def _find_quarter(time: int) -> int:
    return time // QUARTER_MS * QUARTER_MS


def _make_row(time: int, fields: Mapping[str, FieldValue]) -> Reading:
    return Reading("energy_15m", {}, time, dict(fields))
