"""`panel_15m`: each panel compared with its peers. Pure.

A panel is known by the serial of its inverter, and has a row wherever any inverter of the site is known, also while it
is silent itself: from its first report until it has been silent for `LONG_GONE_MS`; with a name in the sites file, also
if it never reported at all. Its peers are the other panels of its array.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from receiver.energy.counters import compute_counter_windows
from receiver.energy.energy import compute_window_energy
from receiver.energy.interpolation import Point, Segments
from receiver.energy.means import summarise_windows
from receiver.energy.peers import PeerValue, compute_median_of_peers
from receiver.energy.plausible import Possible, limit_panel
from receiver.rollups.series import (
    LONGEST_GAP_MS,
    REPORT_GAP_MS,
    has_samples_around,
    list_panel_powers,
    make_reports,
    select_samples,
)
from receiver.sites.model import Site
from receiver.stores.base import Point as StoredPoint
from receiver.stores.base import SeriesPoints
from shared.fields import REPORT_SPEAKS_MS
from shared.readings import FieldValue, Reading

LONG_GONE_MS = LONGEST_GAP_MS
"""An inverter that has been silent for this long is not there any more (milliseconds)."""
SILENT_MS = REPORT_SPEAKS_MS
"""An inverter whose last report is older than this at the end of a window gives nothing; else one may be on its way."""
PEERS_IN_DAYLIGHT_W = 50.0
"""Peers that give this much (median) have light enough for a panel in the shade to give something, too."""
_NOTHING_W = 1.0
NO_ARRAY = "-"
"""The array of panels that the sites file puts into none."""


class Inverter(NamedTuple):
    """What is known of one inverter.

    Attributes:
        serial: Its own.
        panel: Its name, else its serial.
        array: Its array, else "-".
        times: Of all its reports, ascending (UTC milliseconds).
        power: W.
        counter: Lifetime energy, Wh.
        possible: The most energy between two readings of the counter.
    """

    serial: str
    panel: str
    array: str
    times: Sequence[int]
    power: Segments
    counter: Sequence[Point]
    possible: Possible

    @property
    def tags(self) -> dict[str, str]:
        """Of its rows."""
        return {"inverter": self.serial, "panel": self.panel, "array": self.array}


class _InverterWindow(NamedTuple):
    """One inverter in one window."""

    inverter: Inverter
    power: float | None
    coverage: float
    energy: float | None
    is_silent: bool


def list_inverters(raw: Iterable[SeriesPoints], site: Site) -> list[Inverter]:
    """Every inverter that has reported or is named, by serial."""
    points = {series.get_tag("inverter"): points for series, points in raw}
    return [
        _make_inverter(serial, points.get(serial, []), site) for serial in sorted(points.keys() | site.panels.keys())
    ]


def make_panel_rows(raw: Iterable[SeriesPoints], site: Site, boundaries: Sequence[int]) -> list[Reading]:
    """`panel_15m` of each window between neighbouring boundaries (UTC milliseconds) in which any inverter is known."""
    known = [_compute_windows(inverter, boundaries) for inverter in list_inverters(raw, site)]
    rows = []
    for index, start in enumerate(boundaries[:-1]):
        here = [found for windows in known if (found := windows[index]) is not None]
        if any(found.power is not None for found in here):
            rows += [Reading("panel_15m", found.inverter.tags, start, _make_row(found, here)) for found in here]
    return rows


def _make_inverter(serial: str, points: Sequence[StoredPoint], site: Site) -> Inverter:
    panel = site.panels.get(serial)
    return Inverter(
        serial,
        panel=(panel.name if panel else None) or serial,
        array=(panel.array if panel else None) or NO_ARRAY,
        times=[time for time, _ in points],
        power=make_reports(points),
        counter=select_samples(points, "energy_lifetime"),
        possible=limit_panel(list_panel_powers(points)),
    )


def _compute_windows(inverter: Inverter, boundaries: Sequence[int]) -> list[_InverterWindow | None]:
    """The inverter in each window; None while it does not belong to the site."""
    means = summarise_windows(inverter.power, boundaries)
    integrals = compute_window_energy(inverter.power, boundaries)
    counted = compute_counter_windows(
        inverter.counter, boundaries, REPORT_GAP_MS, possible=inverter.possible, wraps=True
    )
    answers: list[_InverterWindow | None] = []
    for mean, integral, count in zip(means, integrals, counted, strict=True):
        energy = count.wh if has_samples_around(inverter.counter, mean.start, mean.stop) else integral.wh
        last = _find_last_before(inverter.times, mean.stop)
        belongs = not inverter.times or (last is not None and last >= mean.start - LONG_GONE_MS)
        is_silent = last is None or last < mean.stop - SILENT_MS
        found = _InverterWindow(inverter, mean.mean, mean.coverage, energy, is_silent and mean.mean is None)
        answers.append(found if belongs or mean.mean is not None else None)
    return answers


def _find_last_before(times: Sequence[int], stop: int) -> int | None:
    index = bisect_left(times, stop)
    return times[index - 1] if index else None


def _make_row(found: _InverterWindow, everybody: Iterable[_InverterWindow]) -> dict[str, FieldValue]:
    peers = compute_median_of_peers(
        (PeerValue(other.inverter.serial, other.inverter.array, other.power) for other in everybody),
        found.inverter.serial,
        found.inverter.array,
    )
    gives_nothing = found.is_silent or (found.power is not None and found.power < _NOTHING_W)
    is_dead = gives_nothing and peers is not None and peers >= PEERS_IN_DAYLIGHT_W
    row: dict[str, FieldValue] = {"coverage": found.coverage, "dead": float(is_dead)}
    numbers = {"power": found.power, "energy": found.energy, "peers": peers}
    return row | {name: value for name, value in numbers.items() if value is not None}
