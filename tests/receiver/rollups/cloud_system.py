"""Readings of a pretend system that is read through the cloud."""

from collections.abc import Sequence

from receiver.stores.base import GatewayReading, Point, Store
from shared.readings import Reading
from shared.units import DAY_MS

SYSTEM = "system-4711023"
MIDNIGHT = 1_773_619_200_000
"""2026-03-16, a midnight of UTC, which is that of a site without a time zone."""
FIVE_MS = 300_000


def make_interval(
    source: str, end: int, wh: float, *, revision: int = 0, length_ms: int = FIVE_MS, phase: str = "total"
) -> GatewayReading:
    tags = {"source": source, "phase": phase, "revision": str(revision)}
    power = wh * 3_600_000 / length_ms
    return GatewayReading(
        SYSTEM, Reading("interval", tags, end, {"energy": wh, "interval": length_ms / 1000, "power": power})
    )


def make_inv(start: int, energies: Sequence[float], *, revision: int = 0) -> list[GatewayReading]:
    """Intervals of all inverters, one after the other from `start` on."""
    return [
        make_interval("inv", start + (number + 1) * FIVE_MS, wh, revision=revision)
        for number, wh in enumerate(energies)
    ]


async def read_energies(store: Store, kind: str = "energy_15m", gateway: str = SYSTEM) -> list[Point]:
    """The stored rows of a week around `MIDNIGHT`."""
    found = await store.read_points(gateway, kind, start=MIDNIGHT - 3 * DAY_MS, stop=MIDNIGHT + 4 * DAY_MS)
    return [*found[0].points] if found else []
