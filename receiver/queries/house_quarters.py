"""The quarter hours of a house with several gateways, from those that are stored of each; nothing is stored twice."""

from collections.abc import Iterable, Mapping, Sequence

from receiver.energy.house import HouseMember, has_own_supplies
from receiver.energy.house_quarters import HouseEnergy
from receiver.queries.slices import run_slice
from receiver.rollups.energy import MONEY, from_point, is_known, make_energy_fields, remove_fill, reprice
from receiver.rollups.series import read_number
from receiver.sites.model import Site
from receiver.stores.base import Point, Store
from shared.readings import FieldValue
from shared.units import QUARTER_MS


class HouseQuarters:
    """Reads and sums the quarter hours of one question, in the order of time.

    What the cloud has filled in of one gateway is left out: it says nothing of the others at that time.

    Args:
        store: Where those of each gateway are.
        members: What each gateway measures, by serial.
        site: Time zone of the house, and the tariffs of its supply where there is one.
    """

    def __init__(self, store: Store, members: Mapping[str, HouseMember], site: Site) -> None:
        self._store = store
        self._gateways = list(members)
        self._own_supplies = has_own_supplies(list(members.values()))
        self._sums = HouseEnergy(list(members.values()))
        self._site = site

    async def read(self, start: int, stop: int) -> list[Point]:
        """The quarter hours of [start, stop) (UTC milliseconds), as fields of `energy_15m`.

        Raises:
            StoreUnavailableError: Ask again later.
        """
        stored: list[Mapping[int, Point]] = []
        for gateway in self._gateways:
            found = await self._store.read_points(gateway, "energy_15m", start=start, stop=stop)
            stored.append({point.timestamp: point for point in found[0].points} if found else {})
        quarters = range(start, stop, QUARTER_MS)
        return await run_slice(self.sum_windows, stored, [(time, time + QUARTER_MS) for time in quarters])

    def sum_windows(self, stored: Sequence[Mapping[int, Point]], windows: Iterable[tuple[int, int]]) -> list[Point]:
        """Windows of the house from those of each gateway by their start; what is read next must lie after them."""
        points = []
        for start, stop in windows:
            parts = [each.get(start) for each in stored]
            energies = [None if part is None else from_point(remove_fill(part)) for part in parts]
            energy = self._sums.add_window(start, stop, energies)
            if is_known(energy):
                points.append(self._price(Point(start, make_energy_fields(energy)), parts))
        return points

    def _price(self, point: Point, parts: Sequence[Point | None]) -> Point:
        """With money: the sum of the bills of own supplies, else what the one supply costs."""
        if not self._own_supplies:
            (priced,) = reprice([point], self._site)
            return Point(point.timestamp, dict(priced.fields))
        return Point(point.timestamp, {**point.fields, **_add_bills(parts)})


def _add_bills(parts: Sequence[Point | None]) -> dict[str, FieldValue]:
    """The money of all gateways together, as far as each of them knows its own."""
    money: dict[str, FieldValue] = {}
    for name in MONEY:
        bills = [None if part is None else read_number(part.fields, name) for part in parts]
        known = [bill for bill in bills if bill is not None]
        if known and len(known) == len(bills):
            money[name] = sum(known)
    return money
