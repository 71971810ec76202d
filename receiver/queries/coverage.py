"""How much of a range is known, as a sentence for people: what stands beside a file of it."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from receiver.calendar.local import to_local
from receiver.calendar.windows import Range
from receiver.queries import budget
from receiver.queries.energy_window import EnergyWindow
from receiver.queries.slices import run_slice
from receiver.queries.times import cut_at_now
from receiver.rollups.series import read_number
from receiver.sites.model import Site
from receiver.stores.base import Point, Store
from receiver.stores.kinds import ENERGY_QUANTITIES

_EMPTY = "An empty cell is unknown, not zero."


async def explain_site_coverage(store: Store, gateway: str, site: Site, asked: Range, now_ms: int) -> str:
    """Of how much of the days of a range the energies of a site are known, up to now.

    Args:
        store: Where the roll-ups are.
        gateway: Its serial.
        site: The days are those of its calendar.
        asked: The range.
        now_ms: UTC milliseconds.

    Raises:
        RefusedError: A range in the future.
        StoreUnavailableError: Ask again later.
    """
    asked = cut_at_now(asked, now_ms)
    days = await run_slice(site.list_windows, "energy_1d", *asked)
    fields = [f"{quantity}_coverage" for quantity in ENERGY_QUANTITIES]
    found = await store.read_points(gateway, "energy_1d", fields=fields, start=days[0], stop=days[-1])
    points = found[0].points if found else []
    shares = {quantity: _compute_share(points, f"{quantity}_coverage", days, now_ms) for quantity in ENERGY_QUANTITIES}
    return _describe_site(shares, _name_days(days, site, now_ms))


def explain_total(total: EnergyWindow, site: Site, now_ms: int) -> str:
    """As `explain_site_coverage`, of energies that are summed already."""
    start, stop = total["start"], total["stop"]
    grown = (stop - start) / max(min(stop, now_ms) - start, 1)
    shares = {
        "production": total["production_coverage"] * grown,
        "load": total["load_coverage"] * grown,
        "imported": total["imported_coverage"] * grown,
        "exported": total["exported_coverage"] * grown,
        "discharged": total["discharged_coverage"] * grown,
        "charged": total["charged_coverage"] * grown,
    }
    return _describe_site(shares, _name_days([start, stop], site, now_ms))


async def explain_panel_coverage(
    store: Store, gateway: str, site: Site, asked: Range, inverters: int, now_ms: int
) -> str:
    """Of how much of the days of a range the panels are known, up to now.

    Arguments and errors as `explain_site_coverage`; `inverters` is how many panels there are, about.
    """
    asked = cut_at_now(asked, now_ms)
    days = await run_slice(site.list_windows, "panel_1d", *asked)
    known_ms: dict[str, float] = {}
    for piece in budget.split_into_pieces("panel_1d", days, inverters):
        found = await store.read_points(gateway, "panel_1d", fields=("coverage",), start=piece[0], stop=piece[-1])
        for series, points in found:
            serial = series.get_tag("inverter")
            known_ms[serial] = known_ms.get(serial, 0.0) + _measure_known_ms(points, "coverage", piece)
    elapsed_ms = max(min(days[-1], now_ms) - days[0], 1)
    return _describe_panels([known / elapsed_ms for known in known_ms.values()], _name_days(days, site, now_ms))


def _compute_share(points: Sequence[Point], field: str, days: Sequence[int], now_ms: int) -> float:
    return _measure_known_ms(points, field, days) / max(min(days[-1], now_ms) - days[0], 1)


def _measure_known_ms(points: Sequence[Point], field: str, days: Sequence[int]) -> float:
    lengths = {start: stop - start for start, stop in pairwise(days)}
    return sum((read_number(fields, field) or 0.0) * lengths.get(time, 0) for time, fields in points)


def _describe_site(shares: Mapping[str, float], days: str) -> str:
    known = [f"{quantity} {_format_share(share)}" for quantity, share in shares.items() if share > 0]
    if not known:
        return f"Nothing is known {days}. {_EMPTY}"
    return f"So much of the time {days} is known: {', '.join(known)}. {_EMPTY}"


def _describe_panels(shares: Sequence[float], days: str) -> str:
    if not any(shares):
        return f"Nothing is known {days}. {_EMPTY}"
    mean = sum(shares) / len(shares)
    return (
        f"So much of the time {days} is known of {len(shares)} panels, which report by daylight only: "
        f"{_format_share(mean)} on average, {_format_share(min(shares))} of the least known. {_EMPTY}"
    )


def _name_days(days: Sequence[int], site: Site, now_ms: int) -> str:
    first, last = (to_local(time, site.zone).date() for time in (days[0], min(days[-1], now_ms + 1) - 1))
    return f"on {first}" if first == last else f"from {first} to {last}"


def _format_share(share: float) -> str:
    """Never more than is known: 99.9 % is not everything."""
    return f"{int(min(share, 1.0) * 100 + 1e-6)} %"
