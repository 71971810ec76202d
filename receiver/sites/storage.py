"""Batteries, main relay and generator at this moment, from the latest values that still speak of it. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from receiver.stores.base import Latest
from shared.fields import MAX_GAP_MS, STATE_HEARTBEAT_MS
from shared.units import DAY_MS, MINUTE_MS

KINDS_OF_STORAGE = ("storage", "grid", "generator")
"""The kinds that are described here, in the order of `describe_storage`."""
STORAGE_SPEAKS_MS = MAX_GAP_MS
"""What is said of batteries speaks of now for this long (milliseconds): once a minute everything is sent."""
STATE_SPEAKS_MS = 2 * STATE_HEARTBEAT_MS + MINUTE_MS
"""A state speaks of now for this long (milliseconds)."""
ISLANDED = "islanded"
"""A mode of kind `grid`: the main relay is open, and no generator is known to run."""
BATTERY_STAYS_MS = DAY_MS
"""A battery that was listed is there for this long (milliseconds), whether or not anything is heard of it."""


class StorageNow(NamedTuple):
    """Batteries and grid now; None is unknown.

    Attributes:
        has_battery: Whether there is a battery.
        power: W of all batteries together, + discharge, - charge.
        state_of_charge: % of all batteries together.
        grid_mode: `connected`, `islanded` or `generator`.
        generator_runs: Whether a generator is known to feed the house.
    """

    has_battery: bool = False
    power: float | None = None
    state_of_charge: float | None = None
    grid_mode: str | None = None
    generator_runs: bool = False

    @property
    def is_cut_off(self) -> bool:
        """Whether the main relay is known to be open."""
        return self.grid_mode not in (None, "connected")


NO_STORAGE = StorageNow()
"""Nothing is known of batteries and grid."""


def describe_storage(latest: Sequence[Sequence[Latest]], now_ms: int) -> StorageNow:
    """What the latest values of the kinds in `KINDS_OF_STORAGE` say of now (UTC milliseconds)."""
    storage, grid, generator = latest
    # Where the list of batteries is refused, what is said of their capacity tells that there are some.
    signs = [
        _find_number(entry, name, now_ms, BATTERY_STAYS_MS) for entry in storage for name in ("batteries", "capacity")
    ]
    mode = next((entry.fields.get("mode") for entry in grid if now_ms - entry.timestamp <= STATE_SPEAKS_MS), None)
    running = [_find_number(entry, "running", now_ms, STATE_SPEAKS_MS) for entry in generator]
    return StorageNow(
        has_battery=any(signs),
        power=next((_find_power(entry, now_ms) for entry in storage), None),
        state_of_charge=next(
            (_find_number(entry, "state_of_charge", now_ms, STORAGE_SPEAKS_MS) for entry in storage), None
        ),
        grid_mode=mode if isinstance(mode, str) else None,
        generator_runs=any(running) or mode == "generator",
    )


def _find_power(entry: Latest, now_ms: int) -> float | None:
    """The power, if every battery gave its own: an older one may stand beside newer counts."""
    if entry.fields.get("measured") != entry.fields.get("batteries"):
        return None
    return _find_number(entry, "power", now_ms, STORAGE_SPEAKS_MS)


def _find_number(entry: Latest, name: str, now_ms: int, speaks_ms: int) -> float | None:
    value = entry.fields.get(name)
    return value if isinstance(value, float) and now_ms - entry.timestamp <= speaks_ms else None
