"""The energy of a house in windows of mixed lengths: days where days may be summed, else hours, else quarter hours.

A year of quarter hours is 35,000 rows of each gateway, a year of days is 365. A day (or hour) of the house may be made
of the days of its gateways where each of them either knows nearly all of what it has a part in, or nothing of it at
all:

- What all know throughout adds up to the same whether it is summed by days or by quarter hours, and so do the ratios,
  for production and export, load and import are then of the same time: all of it.
- Where a gateway knows nothing, the sum is unknown in every quarter hour of the window, and so in all of it.
- A gateway that knows a part of a day would be summed with all that the others know of it: amounts of different times.
  So that day is read by hours, and those hours by quarter hours in which that is so, too. Gaps, and what counters say
  of them later, are thus always read by quarter hours: `receiver.energy.house_quarters` needs them in that order.
- Prices by the hour make the savings of a day unknown by its energies alone. Such a house is read by hours, of which
  each has one price, where one tariff serves it all; where each gateway has its own supply, the bills of days add up.

Two things come out otherwise, by little: a load (or what was saved) below nothing counts as nothing in the whole
window, not in each of its quarter hours; and nearly all of a day is all of it (999 of 1000 parts).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Final

from receiver.energy.balance import SiteEnergy
from receiver.energy.house import HouseMember, has_own_supplies, list_terms
from receiver.queries.house_quarters import HouseQuarters
from receiver.queries.slices import run_slice
from receiver.rollups.energy import from_point
from receiver.sites.model import Site
from receiver.stores.base import Point, Store

_WHOLE: Final = 0.999
_Stored = Sequence[Mapping[int, Point]]


class HouseWindows:
    """Reads the windows of one question, in the order of time.

    Args:
        store: Where those of each gateway are.
        members: What each gateway measures, by serial.
        site: Time zone of the house, in whose calendar all of its gateways have their days; and the tariffs of its
            supply where there is one.
    """

    def __init__(self, store: Store, members: Mapping[str, HouseMember], site: Site) -> None:
        self._store = store
        self._site = site
        self._gateways = list(members)
        self._quarters = HouseQuarters(store, members, site)
        self._needed = _list_needed(list(members.values()))
        is_flat = has_own_supplies(list(members.values())) or all(
            len(set(tariff.rates)) == 1 for tariff in site.tariffs
        )
        self._kinds = ("energy_1d", "energy_1h") if is_flat else ("energy_1h",)

    async def read(self, start: int, stop: int) -> list[Point]:
        """Windows of [start, stop) (UTC milliseconds), which are whole days, as fields of `energy_*` with `duration`.

        Raises:
            StoreUnavailableError: Ask again later.
        """
        return await self._read(self._kinds, start, stop)

    async def _read(self, kinds: Sequence[str], start: int, stop: int) -> list[Point]:
        if not kinds:
            return await self._quarters.read(start, stop)
        kind, *finer = kinds
        boundaries = await run_slice(self._site.list_windows, kind, start, stop)
        stored = [await self._read_stored(gateway, kind, start, stop) for gateway in self._gateways]
        points: list[Point] = []
        for may_be_summed, first, last in await run_slice(list, self._split(stored, boundaries)):
            if may_be_summed:
                inside = [pair for pair in pairwise(boundaries) if first <= pair[0] < last]
                points += await run_slice(self._quarters.sum_windows, stored, inside)
            else:
                points += await self._read(finer, first, last)
        return points

    async def _read_stored(self, gateway: str, kind: str, start: int, stop: int) -> Mapping[int, Point]:
        found = await self._store.read_points(gateway, kind, start=start, stop=stop)
        return {point.timestamp: point for point in found[0].points} if found else {}

    def _split(self, stored: _Stored, boundaries: Sequence[int]) -> Iterator[tuple[bool, int, int]]:
        """Runs of windows that may be summed as they are, and of those that may not, with their ends."""
        for may_be_summed, run in groupby(pairwise(boundaries), lambda pair: self._may_be_summed(stored, *pair)):
            ends = list(run)
            yield may_be_summed, ends[0][0], ends[-1][1]

    def _may_be_summed(self, stored: _Stored, start: int, stop: int) -> bool:
        for of_gateway, names in zip(stored, self._needed, strict=True):
            point = of_gateway.get(start)
            if point is None:
                continue  # it knows nothing
            energy = from_point(point)
            if energy.stop != stop or energy.unallocated_since is not None:
                return False  # of another calendar, which is about to be replaced; or of a gap that ends here
            if not _is_all_or_nothing(energy, names):
                return False
        return True


def _list_needed(members: Sequence[HouseMember]) -> list[set[str]]:
    """The quantities of each member that the house is made of."""
    terms = list_terms(members).values()
    return [{name for of_quantity in terms for name, _ in of_quantity.get(index, ())} for index in range(len(members))]


def _is_all_or_nothing(energy: SiteEnergy, names: set[str]) -> bool:
    parts = [getattr(energy, name) for name in names]
    return all(
        part.unallocated_wh == 0 and (part.coverage >= _WHOLE if part.wh is not None else part.coverage == 0)
        for part in parts
    )
