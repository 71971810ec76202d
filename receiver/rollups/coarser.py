"""Energies of hours and everything longer, from the stored windows of the next finer kind."""

from receiver.calendar.windows import find_finer_kind
from receiver.rollups.energy_windows import make_energy_rows
from receiver.rollups.replace import replace_rows
from receiver.sites.model import Site
from receiver.stores.base import Store
from receiver.stores.kinds import ENERGY_KINDS


async def roll_energies(store: Store, gateway: str, site: Site, start: int, stop: int) -> None:
    """Compute every window again that has some of [start, stop), UTC milliseconds and whole quarter hours.

    Raises:
        StoreUnavailableError: Some of it may be done; doing it again ends the same.
    """
    for kind in ENERGY_KINDS[1:]:
        boundaries = site.list_windows(kind, start, stop)
        finer = await store.read_points(gateway, find_finer_kind(kind), start=boundaries[0], stop=boundaries[-1])
        points = finer[0].points if finer else []
        rows = make_energy_rows(kind, points, site, boundaries, gateway=gateway)
        await replace_rows(store, gateway, kind, rows, start=boundaries[0], stop=boundaries[-1])
