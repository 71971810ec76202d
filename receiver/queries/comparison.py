"""The energy of a range beside that of an earlier one: the range before, or the same a year ago.

What is compared are means over the windows that are over, so that neither a month of 31 days nor a day that goes on
looks like good or bad weather; and a quantity is compared only where nearly all of both times is known.
"""

from typing import Annotated, Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from receiver.calendar.shifts import Earlier, find_earlier
from receiver.calendar.windows import Every, Range, find_step
from receiver.queries import budget
from receiver.queries.energy import EnergyWindows, count_rows, read_windows_between
from receiver.queries.energy_window import EnergyWindow
from receiver.queries.refusals import make_refusal
from receiver.queries.shares import HeldRows
from receiver.queries.slices import run_slice
from receiver.queries.times import EARLIEST_MS, cut_at_now
from receiver.sites.model import Site
from receiver.stores.base import Store

WHOLE: Final = 0.95
"""Below this share of known time nothing is compared: what is missing would look like bad weather."""


@with_config(ConfigDict(extra="forbid"))
class EnergyChanges(TypedDict):
    """By how much mean powers changed: 0.1 is a tenth more than in the earlier time; null is unknown."""

    production: Annotated[float | None, Field(description="Of the production.")]
    load: Annotated[float | None, Field(description="Of the load.")]
    imported: Annotated[float | None, Field(description="Of the imported energy.")]
    exported: Annotated[float | None, Field(description="Of the exported energy.")]
    discharged: Annotated[float | None, Field(description="Of the discharged energy.")]
    charged: Annotated[float | None, Field(description="Of the charged energy.")]


_NOTHING: Final = EnergyChanges(production=None, load=None, imported=None, exported=None, discharged=None, charged=None)


class EnergyComparison(NamedTuple):
    """Two ranges.

    Attributes:
        asked: The range, up to the window in progress.
        earlier: The one that it is compared with, whole.
        compared: So many windows of the range are over and count for the changes; of the earlier one the same number,
            or all of them once all of the range is over.
        changes: Of each quantity, the mean power by the earlier one, less 1; None where one of them is not known.
    """

    asked: EnergyWindows
    earlier: EnergyWindows
    compared: int
    changes: EnergyChanges


async def compare_energy_windows(
    store: Store,
    gateway: str,
    site: Site,
    *,
    every: Every,
    asked: Range,
    which: Earlier,
    zone: ZoneInfo,
    now_ms: int,
    rows: HeldRows,
) -> EnergyComparison:
    """The energy of a range and of an earlier one; the arguments are those of `read_energy_windows`.

    Args:
        store: Where the roll-ups are.
        gateway: Its serial.
        site: Its time zone and billing day.
        every: How long the windows are.
        asked: The range; what lies after now is left out, but counts for which time is the one before.
        which: The earlier time.
        zone: The time zone of days, weeks and months.
        now_ms: UTC milliseconds.
        rows: Holds what is in memory at once.

    Raises:
        RefusedError: As `read_energy_windows`, or the earlier range lies before 1970.
        StoreUnavailableError: Ask again later.
    """
    cut, step = cut_at_now(asked, now_ms), find_step(every)
    budget.check_windows(step, Range(cut.start, asked.stop), series=2)
    here = site.model_copy(update={"time_zone": zone.key})
    kind = f"energy_{every}"
    whole = await run_slice(here.list_windows, kind, *asked)
    first_day = site.billing_day if every == "billing" else 1
    earlier = find_earlier(Range(whole[0], whole[-1]), zone, which, unit=step.unit, first_day=first_day)
    if earlier.start < EARLIEST_MS:
        raise make_refusal("start", "is too early for a comparison: nothing was measured before 1970")
    ends = await run_slice(here.list_windows, kind, *cut), await run_slice(here.list_windows, kind, *earlier)
    await rows.hold(sum(count_rows(kind, one, zone, site) for one in ends))
    both = [await read_windows_between(store, gateway, site, every, one, zone, now_ms) for one in ends]
    totals, over = [one.total for one in both], len(whole) - 1
    if whole[-1] > now_ms:
        over = min(sum(stop <= now_ms for stop in ends[0][1:]), len(ends[1]) - 1)
        parts = [one[: over + 1] for one in ends] if over else []
        read = [await read_windows_between(store, gateway, site, every, part, zone, now_ms) for part in parts]
        totals = [part.total for part in read]
    return EnergyComparison(both[0], both[1], over, compare_totals(*totals) if totals else _NOTHING)


def compare_totals(one: EnergyWindow, earlier: EnergyWindow) -> EnergyChanges:
    """By how much the mean power of each quantity changed, as a share of the earlier one."""
    return {
        "production": _compare(one, earlier, "production"),
        "load": _compare(one, earlier, "load"),
        "imported": _compare(one, earlier, "imported"),
        "exported": _compare(one, earlier, "exported"),
        "discharged": _compare(one, earlier, "discharged"),
        "charged": _compare(one, earlier, "charged"),
    }


def _compare(one: EnergyWindow, earlier: EnergyWindow, name: str) -> float | None:
    means = []
    for total in (one, earlier):
        energy, coverage = total.get(f"{name}_wh"), total.get(f"{name}_coverage")
        if not isinstance(energy, float) or not isinstance(coverage, float) or coverage < WHOLE:
            return None
        means.append(energy / (total["stop"] - total["start"]))
    return means[0] / means[1] - 1 if means[1] > 0 else None
