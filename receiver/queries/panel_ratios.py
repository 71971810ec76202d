"""How panels did beside their peers over a range, from the stored days, which know the peers of each panel."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

from receiver.calendar.windows import Range
from receiver.queries import budget
from receiver.queries.slices import run_slice
from receiver.rollups.series import read_number
from receiver.sites.model import Site
from receiver.stores.base import SeriesPoints, Store

_DAYS = "panel_1d"


class PanelOrder(StrEnum):
    """In which order panels stand. What is unknown stands last."""

    SERIAL = "serial"
    NAME = "name"
    """As the sites file names them, then by serial."""
    ENERGY = "energy"
    """The most first."""
    RATIO = "ratio"
    """The weakest first."""


async def read_panel_ratios(
    store: Store, gateway: str, site: Site, whole: Range, *, inverters: int
) -> dict[str, float]:
    """The energy of each panel by that of its peers, over the local days that a range touches, by serial.

    Only days of which both are known count. Raises RefusedError and StoreUnavailableError.

    Args:
        store: Where the days are.
        gateway: Its serial.
        site: Its calendar.
        whole: The range, of whole windows (UTC milliseconds).
        inverters: How many panels the answer has, about.
    """
    budget.check_read(_DAYS, whole, series=inverters)
    days = await run_slice(site.list_windows, _DAYS, *whole)
    ratios: dict[str, tuple[float, float]] = {}
    for piece in budget.split_into_pieces(_DAYS, days, inverters):
        stored = await store.read_points(gateway, _DAYS, fields=("energy", "peers"), start=piece[0], stop=piece[-1])
        await run_slice(_add_days, ratios, stored)
    return {serial: own / peers for serial, (own, peers) in ratios.items() if peers > 0}


def sort_panels(
    serials: Iterable[str],
    order: PanelOrder,
    *,
    site: Site,
    energies: dict[str, float | None],
    ratios: dict[str, float],
) -> list[str]:
    """Serials in an order.

    Args:
        serials: Of the panels.
        order: Which.
        site: Names.
        energies: By serial, Wh.
        ratios: By serial; what is absent is unknown.
    """

    def rank(serial: str) -> tuple[float, str, str]:
        value: float | None = 0.0
        if order is PanelOrder.RATIO:
            value = ratios.get(serial)
        elif order is PanelOrder.ENERGY:
            energy = energies.get(serial)
            value = None if energy is None else -energy
        name = site.panels[serial].name if order is PanelOrder.NAME and serial in site.panels else None
        return float("inf") if value is None else value, _pad_numbers(name or ""), serial

    ordered = sorted(serials, key=rank)
    if order is PanelOrder.NAME:  # those without a name, which would stand first
        ordered.sort(key=lambda serial: not rank(serial)[1])
    return ordered


def _pad_numbers(name: str) -> str:
    """So that "East 2" stands before "East 10"."""
    return re.sub(r"[0-9]+", lambda number: number[0].zfill(12), name.casefold())


def _add_days(ratios: dict[str, tuple[float, float]], stored: Sequence[SeriesPoints]) -> None:
    for series, points in stored:  # a panel that was renamed may have several for a while
        serial = series.get_tag("inverter")
        for _, fields in points:
            energy, peers = read_number(fields, "energy"), read_number(fields, "peers")
            if energy is not None and peers is not None:
                own, others = ratios.get(serial, (0.0, 0.0))
                ratios[serial] = (own + energy, others + peers)
