"""The site's energy in windows of a calendar, from the stored roll-ups.

In the site's own time zone the windows are stored as they are. In another zone they are summed from the stored quarter
hours by the same pure rule, step by step as the roll-up job does it, so both ways agree to the last digit.
"""

from bisect import bisect_right
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from receiver.calendar.windows import Every, Range, find_finer_kind, find_step
from receiver.queries import budget
from receiver.queries.energy_window import EnergyWindow, describe_energy
from receiver.queries.shares import HeldRows
from receiver.queries.slices import run_slice
from receiver.queries.times import cut_at_now
from receiver.rollups.energy_windows import make_energy_rows
from receiver.rollups.series import read_number
from receiver.sites.model import Site
from receiver.stores.base import Point, Store
from receiver.stores.kinds import ENERGY_QUANTITIES
from shared.units import DAY_MS, QUARTER_MS

ReadQuarters: TypeAlias = Callable[[int, int], Awaitable[list[Point]]]
"""Reads the quarter hours of [start, stop) (UTC milliseconds) as `energy_15m`; asked in the order of time.

Of whole days it may give longer windows, each inside one day."""
_SUM_OF_ALL = "energy_1y"
"""Any kind that has nothing beside its energies: the sum over all windows is made as one window of it would be."""
_PIECE_MS = 31 * DAY_MS
"""Quarter hours that are in memory at once."""
_WINDOWS_A_PIECE = 3_000
"""Windows that are in memory at once where they are read in pieces: a month of quarter hours."""
_ROWS_A_WINDOW = 5
"""A window has so many times the fields of a reading, stored and as it is answered."""


class EnergyWindows(NamedTuple):
    """The windows of a range, and the sum over all of them (from the first window's start to the last one's stop)."""

    windows: list[EnergyWindow]
    total: EnergyWindow


async def read_energy_windows(
    store: Store, gateway: str, site: Site, *, every: Every, asked: Range, zone: ZoneInfo, now_ms: int, rows: HeldRows
) -> EnergyWindows:
    """The energy of every whole window that touches a range, up to the window in progress.

    Args:
        store: Where the roll-ups are.
        gateway: Its serial.
        site: Its time zone and billing day.
        every: How long the windows are.
        asked: The range; what lies after now is left out.
        zone: The time zone of days, weeks and months.
        now_ms: UTC milliseconds.
        rows: Holds what is in memory at once.

    Raises:
        RefusedError: Too many windows, too many quarter hours to sum, a range in the future, or too many questions.
        StoreUnavailableError: Ask again later.
    """
    asked = cut_at_now(asked, now_ms)
    budget.check_windows(find_step(every), asked)
    kind, here = f"energy_{every}", site.model_copy(update={"time_zone": zone.key})
    boundaries = await run_slice(here.list_windows, kind, *asked)
    await rows.hold(count_rows(kind, boundaries, zone, site))
    return await read_windows_between(store, gateway, site, every, boundaries, zone, now_ms)


def count_rows(kind: str, boundaries: Sequence[int], zone: ZoneInfo, site: Site) -> int:
    """How many rows `read_windows_between` holds at most."""
    piece = 0 if _is_own(kind, zone, site) else _PIECE_MS // QUARTER_MS
    return (len(boundaries) + piece) * _ROWS_A_WINDOW


async def read_windows_between(
    store: Store, gateway: str, site: Site, every: Every, boundaries: Sequence[int], zone: ZoneInfo, now_ms: int
) -> EnergyWindows:
    """The windows between neighbouring boundaries (UTC milliseconds), which are those of the zone; rows are held.

    Raises:
        RefusedError: Too many quarter hours to sum.
        StoreUnavailableError: Ask again later.
    """
    kind, here = f"energy_{every}", site.model_copy(update={"time_zone": zone.key})
    points = await _read_stored(store, gateway, kind, boundaries) if _is_own(kind, zone, site) else None
    if points is None:
        known = await _skip_unknown(store, gateway, boundaries)
        budget.check_read("energy_15m", Range(known[0], known[-1]), series=len(ENERGY_QUANTITIES))
        points = await _sum_quarters(partial(_read_quarters, store, gateway), kind, known, here)
    return await run_slice(_describe_windows, points, boundaries, zone, now_ms)


async def read_energy_pieces(
    store: Store, gateway: str, site: Site, *, every: Every, asked: Range, zone: ZoneInfo, now_ms: int, rows: HeldRows
) -> AsyncIterator[list[EnergyWindow]]:
    """The windows of `read_energy_windows`, some at a time, in the order of time: of ranges that are too long for one.

    Arguments and errors are its; the range must not lie wholly in the future.
    """
    asked = cut_at_now(asked, now_ms)
    budget.check_windows(find_step(every), asked, most=budget.MAX_DOWNLOADED)
    kind, here = f"energy_{every}", site.model_copy(update={"time_zone": zone.key})
    boundaries = await run_slice(here.list_windows, kind, *asked)
    await rows.hold((min(len(boundaries), _WINDOWS_A_PIECE) + _PIECE_MS // QUARTER_MS) * _ROWS_A_WINDOW)
    for first in range(0, len(boundaries) - 1, _WINDOWS_A_PIECE):
        piece = boundaries[first : first + _WINDOWS_A_PIECE + 1]
        yield (await read_windows_between(store, gateway, site, every, piece, zone, now_ms)).windows


async def sum_energy_windows(
    read: ReadQuarters, site: Site, *, every: Every, asked: Range, now_ms: int, rows: HeldRows, gateways: int
) -> EnergyWindows:
    """As `read_energy_windows`, of quarter hours that are stored nowhere: of a house with several gateways.

    Args:
        read: Makes them.
        site: Time zone and billing day of the house.
        every: How long the windows are.
        asked: The range; what lies after now is left out.
        now_ms: UTC milliseconds.
        rows: Holds what is in memory at once.
        gateways: So many gateways' quarter hours are read for each one.

    Raises:
        RefusedError: As `read_energy_windows`.
        StoreUnavailableError: Ask again later.
    """
    asked = cut_at_now(asked, now_ms)
    budget.check_windows(find_step(every), asked)
    kind = f"energy_{every}"
    boundaries = await run_slice(site.list_windows, kind, *asked)
    budget.check_read("energy_15m", Range(boundaries[0], boundaries[-1]), series=len(ENERGY_QUANTITIES) * gateways)
    await rows.hold((len(boundaries) + _PIECE_MS // QUARTER_MS * (gateways + 1)) * _ROWS_A_WINDOW)
    if kind == "energy_15m":
        points = [point for piece in _split_into_pieces(boundaries) for point in await read(piece[0], piece[-1])]
    else:
        points = await _sum_quarters(read, kind, boundaries, site)
    return await run_slice(_describe_windows, points, boundaries, site.zone, now_ms)


def _is_own(kind: str, zone: ZoneInfo, site: Site) -> bool:
    """Whether the stored windows are of this calendar. Quarter hours are the same in all of them."""
    return kind == "energy_15m" or zone.key == site.zone.key


async def _read_stored(store: Store, gateway: str, kind: str, boundaries: Sequence[int]) -> list[Point] | None:
    """The stored windows; None if they are of another calendar, which the roll-up job is about to replace."""
    found = await store.read_points(gateway, kind, start=boundaries[0], stop=boundaries[-1])
    points = found[0].points if found else []
    lengths = {start: (stop - start) / 1000 for start, stop in pairwise(boundaries)}
    fit = all(read_number(fields, "duration") == lengths.get(start) for start, fields in points)
    return points if fit else None


async def _skip_unknown(store: Store, gateway: str, boundaries: Sequence[int]) -> Sequence[int]:
    """The boundaries from the window on in which the first stored quarter hour lies: there is nothing to sum before.

    So whoever does not know when a gateway's readings began may ask from long before.
    """
    found = await store.read_points(gateway, "energy_15m", start=boundaries[0], stop=boundaries[-1], most=1)
    first = min((series.points[0].timestamp for series in found), default=boundaries[-1] - 1)
    return boundaries[bisect_right(boundaries, first) - 1 :]


async def _read_quarters(store: Store, gateway: str, start: int, stop: int) -> list[Point]:
    found = await store.read_points(gateway, "energy_15m", start=start, stop=stop)
    return [*found[0].points] if found else []


async def _sum_quarters(read: ReadQuarters, kind: str, boundaries: Sequence[int], site: Site) -> list[Point]:
    """The windows of a calendar that is not stored, from the quarter hours: through the same steps as the job takes."""
    finer = find_finer_kind(kind)
    if finer != "energy_15m":
        finer_boundaries = await run_slice(site.list_windows, finer, boundaries[0], boundaries[-1])
        return await _sum_windows(kind, await _sum_quarters(read, finer, finer_boundaries, site), boundaries, site)
    points: list[Point] = []
    for piece in _split_into_pieces(boundaries):
        points += await _sum_windows(kind, await read(piece[0], piece[-1]), piece, site)
    return points


async def _sum_windows(kind: str, finer: Sequence[Point], boundaries: Sequence[int], site: Site) -> list[Point]:
    rows = await run_slice(make_energy_rows, kind, finer, site, boundaries)
    return [Point(row.timestamp, dict(row.fields)) for row in rows]


def _split_into_pieces(boundaries: Sequence[int]) -> list[Sequence[int]]:
    """The windows in groups of at most `_PIECE_MS`, or one window; neighbouring groups share a boundary."""
    pieces, first = [], 0
    for index in range(1, len(boundaries)):
        is_last = index == len(boundaries) - 1
        if is_last or boundaries[index + 1] - boundaries[first] > _PIECE_MS:
            pieces.append(boundaries[first : index + 1])
            first = index
    return pieces


def _describe_windows(points: Sequence[Point], boundaries: Sequence[int], zone: ZoneInfo, now_ms: int) -> EnergyWindows:
    known = {point.timestamp: point.fields for point in points}
    windows = [describe_energy(known.get(start, {}), start, stop, zone, now_ms) for start, stop in pairwise(boundaries)]
    whole = make_energy_rows(_SUM_OF_ALL, points, Site(), (boundaries[0], boundaries[-1]))
    total = describe_energy(whole[0].fields if whole else {}, boundaries[0], boundaries[-1], zone, now_ms)
    return EnergyWindows(windows, total)
