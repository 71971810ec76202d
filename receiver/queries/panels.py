"""How each panel is now, and the energy of all panels in windows.

A panel is known by the serial of its inverter. It is there once it has reported, or is named in the sites file.
"""

from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from receiver.calendar.windows import PanelEvery, Range, find_panel_kind, find_step
from receiver.energy.peers import Peers, PeerValue
from receiver.queries import budget
from receiver.queries.shares import HeldRows
from receiver.queries.slices import run_slice
from receiver.queries.times import cut_at_now
from receiver.rollups.panels import LONG_GONE_MS, PEERS_IN_DAYLIGHT_W, SILENT_MS
from receiver.rollups.series import read_number
from receiver.sites.model import Site
from receiver.stores.base import Latest, SeriesPoints, Store
from shared.readings import FieldValue

PRODUCING_W = 1.0
"""More than this is production; inverters report small numbers at night."""


class PanelState(StrEnum):
    """How a panel is now.

    PRODUCING: its last report is young (half an hour) and gives power.
    IDLE: no power is expected of it (night, or no panel reports), or it reports that it gives nothing.
    SILENT: it does not report, though its peers do, and give power enough for daylight.
    GONE: it has not reported for 30 days, or never did.
    """

    PRODUCING = "producing"
    IDLE = "idle"
    SILENT = "silent"
    GONE = "gone"


class PanelNow(NamedTuple):
    """One panel now.

    Attributes:
        state: How it is.
        peers_w: Median of the young powers of the other panels of its array (without arrays: of the site), W.
    """

    state: PanelState
    peers_w: float | None


class PanelWindows(NamedTuple):
    """One panel over all windows of an answer.

    Attributes:
        inverter: Serial.
        energy_wh: Of each window; None is unknown.
        coverage: Share of each whole window in which its power is known, 0 to 1.
    """

    inverter: str
    energy_wh: list[float | None]
    coverage: list[float]

    @property
    def total_wh(self) -> float | None:
        """Of all windows together."""
        known = [energy for energy in self.energy_wh if energy is not None]
        return sum(known) if known else None


class PanelEnergies(NamedTuple):
    """All panels, by serial, in the windows between neighbouring boundaries (UTC milliseconds)."""

    boundaries: list[int]
    panels: list[PanelWindows]


def describe_panels(latest: Sequence[Latest], site: Site, now_ms: int) -> dict[str, PanelNow]:
    """Every panel that has reported or is named, by serial. Pure.

    Args:
        latest: Of kind `inverter`.
        site: Names and arrays.
        now_ms: UTC milliseconds.
    """
    last = {entry.tags["inverter"]: entry for entry in latest}
    young = {serial: _read_power(entry) for serial, entry in last.items() if now_ms - entry.timestamp <= SILENT_MS}
    peers = Peers(PeerValue(serial, _find_array(serial, site), power) for serial, power in young.items())
    found = {}
    for serial in sorted(last.keys() | site.panels.keys()):
        peers_w = peers.find_median(serial, _find_array(serial, site))
        found[serial] = PanelNow(_find_state(serial, last, young, peers_w, now_ms), peers_w)
    return found


def _find_state(
    serial: str, last: Mapping[str, Latest], young: Mapping[str, float | None], peers_w: float | None, now_ms: int
) -> PanelState:
    if serial not in last or now_ms - last[serial].timestamp > LONG_GONE_MS:
        return PanelState.GONE
    if serial in young:
        return PanelState.PRODUCING if (young[serial] or 0.0) > PRODUCING_W else PanelState.IDLE
    return PanelState.SILENT if peers_w is not None and peers_w >= PEERS_IN_DAYLIGHT_W else PanelState.IDLE


async def read_panel_energies(
    store: Store,
    gateway: str,
    site: Site,
    *,
    every: PanelEvery,
    asked: Range,
    inverters: int,
    now_ms: int,
    rows: HeldRows,
) -> PanelEnergies:
    """What every panel made of each whole window that touches a range, up to the window in progress.

    Args:
        store: Where the roll-ups are.
        gateway: Its serial.
        site: The windows follow its time zone.
        every: How long they are.
        asked: The range; what lies after now is left out.
        inverters: How many panels the answer has, about.
        now_ms: UTC milliseconds.
        rows: Holds what is in memory at once.

    Raises:
        RefusedError: Too many windows, too much to read, a range in the future, or too many questions.
        StoreUnavailableError: Ask again later.
    """
    asked = cut_at_now(asked, now_ms)
    budget.check_windows(find_step(every), asked, series=inverters)
    boundaries = await run_slice(site.list_windows, f"energy_{every}", *asked)
    budget.check_read(find_panel_kind(every), Range(boundaries[0], boundaries[-1]), series=inverters)
    await rows.hold(budget.PIECE + inverters)
    return await _read_panels(store, gateway, site, every, boundaries, inverters)


async def read_panel_pieces(
    store: Store,
    gateway: str,
    site: Site,
    *,
    every: PanelEvery,
    asked: Range,
    inverters: int,
    now_ms: int,
    rows: HeldRows,
) -> AsyncIterator[PanelEnergies]:
    """The windows of `read_panel_energies`, some at a time, in the order of time: of ranges that are too long for one.

    Arguments and errors are its. A panel is missing from a piece in which nothing is known of it.
    """
    asked = cut_at_now(asked, now_ms)
    budget.check_windows(find_step(every), asked, series=inverters, most=budget.MAX_DOWNLOADED)
    boundaries = await run_slice(site.list_windows, f"energy_{every}", *asked)
    await rows.hold(budget.PIECE + inverters)
    for piece in budget.split_into_pieces(find_panel_kind(every), boundaries, inverters):
        yield await _read_panels(store, gateway, site, every, piece, inverters)


async def _read_panels(
    store: Store, gateway: str, site: Site, every: PanelEvery, boundaries: Sequence[int], inverters: int
) -> PanelEnergies:
    whole = Range(boundaries[0], boundaries[-1])
    finer = find_panel_kind(every)
    finer_boundaries = await run_slice(site.list_windows, finer, *whole)
    panels: dict[str, PanelWindows] = {}
    for piece in budget.split_into_pieces(finer, finer_boundaries, inverters):
        stored = await store.read_points(gateway, finer, fields=("energy", "coverage"), start=piece[0], stop=piece[-1])
        await run_slice(_add_energies, panels, stored, boundaries, piece)
    return PanelEnergies(list(boundaries), [panels[serial] for serial in sorted(panels)])


def _add_energies(
    panels: dict[str, PanelWindows],
    stored: Sequence[SeriesPoints],
    boundaries: Sequence[int],
    finer_boundaries: Sequence[int],
) -> None:
    lengths = {start: stop - start for start, stop in pairwise(finer_boundaries)}
    count = len(boundaries) - 1
    for series, points in stored:  # a panel that was renamed may have several for a while
        serial = series.get_tag("inverter")
        panel = panels.setdefault(serial, PanelWindows(serial, [None] * count, [0.0] * count))
        for time, fields in points:
            index = bisect_right(boundaries, time) - 1
            energy = read_number(fields, "energy")
            if energy is not None:
                panel.energy_wh[index] = (panel.energy_wh[index] or 0.0) + energy
            known_ms = (read_number(fields, "coverage") or 0.0) * lengths.get(time, 0)
            panel.coverage[index] += known_ms / (boundaries[index + 1] - boundaries[index])


async def read_days(
    store: Store, gateway: str, inverter: str, *, start: int, stop: int
) -> list[tuple[int, dict[str, float]]]:
    """`panel_1d` of one panel with `start` <= midnight < `stop` (UTC milliseconds), in order of time."""
    found = await store.read_points(gateway, "panel_1d", tags={"inverter": inverter}, start=start, stop=stop)
    by_day = {time: fields for _, points in found for time, fields in points}
    return [(time, _select_numbers(by_day[time])) for time in sorted(by_day)]


async def find_first_report(store: Store, gateway: str, inverter: str) -> int | None:
    """When a panel first reported (UTC milliseconds), as far as the store still has it."""
    found = await store.read_points(
        gateway, "inverter", tags={"inverter": inverter}, fields=("power",), start=0, stop=0, neighbours=True
    )
    return found[0].points[0].timestamp if found else None


def _read_power(entry: Latest) -> float | None:
    return read_number(entry.fields, "power")


def _find_array(serial: str, site: Site) -> str | None:
    panel = site.panels.get(serial)
    return panel.array if panel else None


def _select_numbers(fields: Mapping[str, FieldValue]) -> dict[str, float]:
    return {name: value for name, value in fields.items() if isinstance(value, float)}
