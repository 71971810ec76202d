"""Imported energies in quarter hours of which nothing was measured. Pure.

- The energy of an import belongs to a window of whole quarter hours. Where that is one quarter hour, it is its energy;
  where it is longer, nobody knows when it flowed inside: it stands in the window's last quarter hour, as the energy of
  a gap does, and counts in every coarser window that holds all of it.
- A quantity is taken only if no quarter hour of its window has measured any of it, and if no gap reaches into it whose
  energy a counter has said afterwards.
- It is never covered time: coverage says what was measured.
- Of windows that overlap, the one that begins first counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from receiver.energy.balance import QUANTITIES, SHARED, SiteEnergy, build_site_energy
from receiver.energy.energy import WindowEnergy
from receiver.rollups.energy import SHARED_PAIRS, from_point, is_known, make_energy_fields, remove_fill, reprice
from receiver.rollups.series import read_number
from receiver.sites.model import Site
from receiver.stores.base import Point, SeriesPoints
from shared.readings import FieldValue, Reading
from shared.units import HOUR_MS, QUARTER_MS

LONGEST_WINDOW_MS = 25 * HOUR_MS
"""A local day at the end of summer time. Longer windows are not taken."""
COUNTED_KINDS = ("meter_energy", "production", "battery")
"""Kinds whose counters say later what flowed while nobody read them."""
_NOTHING = WindowEnergy(None, 0.0)
_COMPARED = dict(zip(SHARED, [name for pair in SHARED_PAIRS for name in pair], strict=True))
"""The quantity that each field of `SHARED` has a part of."""


class ImportedWindow(NamedTuple):
    """What an import says of one window: [start, stop) in UTC milliseconds, and Wh by quantity."""

    start: int
    stop: int
    energies: Mapping[str, float]


def list_windows(series: Iterable[SeriesPoints]) -> list[ImportedWindow]:
    """The windows of kind `imported_energy` that can be taken, in the order of time.

    Whether one overlaps an earlier one is seen only if readings of `LONGEST_WINDOW_MS` before it are given, too.
    """
    windows: list[ImportedWindow] = []
    latest_stop = 0
    for time, _, fields in sorted(
        ((time, one.series, fields) for one in series for time, fields in one.points), key=lambda each: each[:2]
    ):
        length_ms = round((read_number(fields, "duration") or 0.0) * 1000)
        if not is_of_quarters(time, length_ms):
            continue
        energies = {name: wh for name in QUANTITIES if (wh := read_number(fields, name)) is not None and wh >= 0}
        if time >= latest_stop and energies:
            windows.append(ImportedWindow(time, time + length_ms, energies))
        latest_stop = max(latest_stop, time + length_ms)
    return windows


def is_of_quarters(start: int, length_ms: int) -> bool:
    """Whether a window can be taken at all."""
    return 0 < length_ms <= LONGEST_WINDOW_MS and start % QUARTER_MS == 0 and length_ms % QUARTER_MS == 0


def list_gaps(stored: Iterable[Point]) -> list[tuple[int, int]]:
    """Begin and end (UTC milliseconds) of the gaps whose energy stands in rows of `energy_15m`."""
    return [
        (round(since), point.timestamp + QUARTER_MS)
        for point in stored
        if (since := read_number(point.fields, "unallocated_since")) is not None
    ]


def find_measured(
    window: ImportedWindow, measured: Mapping[int, SiteEnergy], gaps: Sequence[tuple[int, int]]
) -> AbstractSet[str]:
    """The quantities of a window that were measured here, so that they are not taken.

    Args:
        window: From `list_windows`.
        measured: What was measured in each quarter hour of it, by start: from `take_out`.
        gaps: Those that reach into it, and others: from `list_gaps`.
    """
    start, stop, energies = window
    if any(since < stop and end > start for since, end in gaps):
        return energies.keys()
    inside = [measured[time] for time in range(start, stop, QUARTER_MS) if time in measured]
    return {name for name in energies if any(getattr(quarter, name).wh is not None for quarter in inside)}


def take_out(points: Iterable[Point]) -> dict[int, SiteEnergy]:
    """What was measured in stored rows of `energy_15m`, by start; rows that only imports have made are gone."""
    found = {}
    for point in points:
        energy = from_point(remove_fill(point))
        imported = _list_taken(energy)
        if imported:
            energy = _put(energy, dict.fromkeys(imported, _NOTHING), dict.fromkeys(_list_compared(imported), _NOTHING))
        energy = energy._replace(taken_over_since=None)
        if is_known(energy):
            found[point.timestamp] = energy
    return found


def select_measured(stored: Iterable[Point]) -> list[Point]:
    """The stored rows of `energy_15m` in which something was measured, without what the cloud filled in."""
    points = [remove_fill(point) for point in stored]
    measured = take_out(points)
    return [point for point in points if point.timestamp in measured]


def make_rows(
    windows: Iterable[ImportedWindow], stored: Sequence[Point], gaps: Sequence[tuple[int, int]], site: Site
) -> list[Reading]:
    """Rows of `energy_15m` of all that was measured, and of what windows give besides.

    Args:
        windows: From `list_windows`: those that lie in the time of `stored` as a whole.
        stored: The rows as they are; what imports gave to them before is judged again.
        gaps: As `find_measured`.
        site: Its prices.
    """
    measured = take_out(stored)
    merged = {point.timestamp: measured.get(point.timestamp) for point in stored if _list_taken(from_point(point))}
    for window in windows:
        names = window.energies.keys() - find_measured(window, measured, gaps)
        if names:
            last = window.stop - QUARTER_MS
            merged[last] = _add(merged.get(last) or measured.get(last) or _build_nothing(last), window, names)
    rows = {point.timestamp: point for point in stored if point.timestamp not in merged}
    rows |= {start: _make_point(energy) for start, energy in merged.items() if energy is not None}
    priced = {row.timestamp: row for row in reprice([rows[start] for start in merged if start in rows], site)}
    return [priced.get(start) or _make_reading(rows[start]) for start in sorted(rows)]


def keep_taken_over(computed: Sequence[Reading], stored: Iterable[Point], site: Site) -> list[Reading]:
    """Computed rows of `energy_15m` with what imports gave to the stored ones, where nothing else is known of it now.

    It is judged afterwards, by `make_rows`: until then readers see what they saw before.
    """
    rows = {row.timestamp: row for row in computed}
    for before in map(from_point, stored):
        row = rows.get(before.start)
        energy = _build_nothing(before.start) if row is None else from_point(Point(row.timestamp, dict(row.fields)))
        names = {name for name in _list_taken(before) if getattr(energy, name).wh is None}
        if names:
            shared = {
                field: getattr(before, field)
                for field in _list_compared(names)
                if _find_pair(_COMPARED[field]) <= _list_taken(before)
            }
            kept = _put(energy, {name: getattr(before, name) for name in names}, shared)
            point = _make_point(kept._replace(taken_over_since=before.taken_over_since))
            rows[before.start] = reprice([point], site)[0]
    return [rows[start] for start in sorted(rows)]


def _list_taken(energy: SiteEnergy) -> set[str]:
    """The quantities that an import gave."""
    quantities: dict[str, WindowEnergy] = {name: getattr(energy, name) for name in QUANTITIES}
    return {
        name
        for name, quantity in quantities.items()
        if quantity.taken_over_wh is not None or quantity.taken_over_unallocated_wh is not None
    }


def _list_compared(names: AbstractSet[str]) -> list[str]:
    """The fields of `SHARED` that compare one of these quantities."""
    return [field for field, name in _COMPARED.items() if names & _find_pair(name)]


def _find_pair(name: str) -> set[str]:
    return next(set(pair) for pair in SHARED_PAIRS if name in pair)


def _add(energy: SiteEnergy, window: ImportedWindow, names: AbstractSet[str]) -> SiteEnergy:
    """A quarter hour with energies of a window that ends with it."""
    if window.stop - window.start > QUARTER_MS:
        waiting = {name: WindowEnergy(None, 0.0, 0.0, None, window.energies[name]) for name in names}
        return _put(energy, waiting, {})._replace(taken_over_since=window.start)
    quantities = {name: WindowEnergy(window.energies[name], 0.0, 0.0, window.energies[name]) for name in names}
    shared = {
        field: WindowEnergy(window.energies[name], 0.0)
        for field, name in _COMPARED.items()
        if _find_pair(name) <= names
    }
    return _put(energy, quantities, shared)


def _put(energy: SiteEnergy, quantities: Mapping[str, WindowEnergy], shared: Mapping[str, WindowEnergy]) -> SiteEnergy:
    changes: dict[str, Any] = {**quantities, **shared}
    return energy._replace(**changes)


def _build_nothing(start: int) -> SiteEnergy:
    return build_site_energy(start, start + QUARTER_MS, [_NOTHING] * len(QUANTITIES), 0, None)


def _make_point(energy: SiteEnergy) -> Point:
    return Point(energy.start, make_energy_fields(energy))


def _make_reading(point: Point) -> Reading:
    fields: dict[str, FieldValue] = dict(point.fields)
    return Reading("energy_15m", {}, point.timestamp, fields)
