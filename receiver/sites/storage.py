"""Batteries, main relay and generator at this moment, from the latest values that still speak of it. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from receiver.stores.base import Latest
from shared.fields import MAX_GAP_MS, STATE_HEARTBEAT_MS
from shared.readings import FieldValue
from shared.units import DAY_MS, MINUTE_MS

KINDS_OF_STORAGE = ("storage", "grid", "generator")
"""The kinds that are described here, in the order of `describe_storage`."""
STORAGE_SPEAKS_MS = MAX_GAP_MS
"""What is said of batteries speaks of now for this long (milliseconds): once a minute everything is sent."""
STATE_SPEAKS_MS = 2 * STATE_HEARTBEAT_MS + MINUTE_MS
"""A state speaks of now for this long (milliseconds)."""
CONNECTED, ISLANDED, GENERATOR = "connected", "islanded", "generator"
"""Modes of kind `grid`. Islanded: the main relay is open, and no generator is known to run."""
GENERATOR_STAYS_MS = DAY_MS
"""A generator that was seen running, or of which it was not known, may run for this long (milliseconds) without news.

One that stops says so, if anything of it can be read. After a day without a word it is likelier that this login may not
read it any more, or that it was taken away, than that it ran all the time: then the load is what the meters say, as it
is a day after a battery was listed last. Longer would leave a house without its load for good. What comes in over a
relay that is known to be open is no purchase even then.
"""
BATTERY_STAYS_MS = DAY_MS
"""A battery that was listed is there for this long (milliseconds), whether or not anything is heard of it."""


class StorageNow(NamedTuple):
    """Batteries and grid now; None is unknown.

    Attributes:
        has_battery: Whether there is a battery.
        power: W of all batteries together, + discharge, - charge.
        state_of_charge: % of all batteries together.
        grid_mode: `connected`, `islanded` or `generator`.
        generator_runs: Whether a generator feeds the house, or may do so.
    """

    has_battery: bool = False
    power: float | None = None
    state_of_charge: float | None = None
    grid_mode: str | None = None
    generator_runs: bool = False

    @property
    def is_cut_off(self) -> bool:
        """Whether the main relay is known to be open."""
        return self.grid_mode not in (None, CONNECTED)


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
    return StorageNow(
        has_battery=any(signs),
        power=next((_find_power(entry, now_ms) for entry in storage), None),
        state_of_charge=next(
            (_find_number(entry, "state_of_charge", now_ms, STORAGE_SPEAKS_MS) for entry in storage), None
        ),
        grid_mode=mode if isinstance(mode, str) else None,
        generator_runs=_may_run(generator, mode, now_ms) or _may_stand_for_grid(grid, generator, now_ms),
    )


def read_running(fields: Mapping[str, FieldValue]) -> bool | None:
    """Whether the generator runs, by one reading of kind `generator`; None where the gateway did not know."""
    running = fields.get("running")
    return running > 0 if isinstance(running, float) and fields.get("known") != 0.0 else None


def _may_run(generator: Sequence[Latest], mode: FieldValue | None, now_ms: int) -> bool:
    """Whether a generator runs, or may do so by what was known last.

    A main relay that is closed now rules out what is not known of now: a controller never connects both.
    """
    for entry in generator:
        runs, age_ms = read_running(entry.fields), now_ms - entry.timestamp
        if runs and age_ms <= STATE_SPEAKS_MS:
            return True
        if runs is not False and age_ms <= GENERATOR_STAYS_MS and mode != CONNECTED:
            return True
    return False


def _may_stand_for_grid(grid: Sequence[Latest], generator: Sequence[Latest], now_ms: int) -> bool:
    """Whether the main relay says that a generator feeds the house, or said so last and the generator not otherwise."""
    for entry in grid:
        age_ms = now_ms - entry.timestamp
        stopped = any(read_running(one.fields) is False and one.timestamp > entry.timestamp for one in generator)
        stays_ms = STATE_SPEAKS_MS if stopped else GENERATOR_STAYS_MS
        if entry.fields.get("mode") == GENERATOR and age_ms <= stays_ms:
            return True
    return False


def _find_power(entry: Latest, now_ms: int) -> float | None:
    """The power, if every battery gave its own: an older one may stand beside newer counts."""
    if entry.fields.get("measured") != entry.fields.get("batteries"):
        return None
    return _find_number(entry, "power", now_ms, STORAGE_SPEAKS_MS)


def _find_number(entry: Latest, name: str, now_ms: int, speaks_ms: int) -> float | None:
    value = entry.fields.get(name)
    return value if isinstance(value, float) and now_ms - entry.timestamp <= speaks_ms else None
