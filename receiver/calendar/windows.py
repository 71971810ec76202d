"""The windows that roll-ups keep, the finer windows that each is made of, and the length of any window. Pure.

All energy rests on quarter hours of UTC. Every time zone of today is a whole number of them away from UTC, so a local
hour, day, week, month or year is made of whole quarter hours, whatever the zone, and days of 23 and 25 hours are
nothing special.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias, cast

from shared.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

PanelEvery: TypeAlias = Literal["15m", "1h", "1d", "1w", "1mo", "1y"]
"""The windows that panels are compared in."""
Every: TypeAlias = Literal[PanelEvery, "billing"]
"""The windows that energy is kept in; `billing` is a month from the site's billing day on."""

CLOCK_UNITS_MS: Mapping[str, int] = MappingProxyType({"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS})
"""Units whose windows follow the local clock, and how long they are (milliseconds)."""
_SHORTEST_MS: Mapping[str, int] = MappingProxyType({
    "d": DAY_MS - HOUR_MS,
    "w": 7 * (DAY_MS - HOUR_MS),
    "mo": 28 * DAY_MS - HOUR_MS,
    "y": 365 * DAY_MS,
})  # fmt: skip
"""How short the windows of the calendar's units may be (milliseconds)."""


class Range(NamedTuple):
    """The instants from `start` up to, but without, `stop` (UTC milliseconds)."""

    start: int
    stop: int


class Step(NamedTuple):
    """The length of windows: `size` times a unit, one of s, m, h, d, w, mo and y."""

    size: int
    unit: str

    @property
    def least_ms(self) -> int:
        """How short a whole window may be, in milliseconds: to know how many there may be before they are made."""
        return self.size * (CLOCK_UNITS_MS[self.unit] if self.unit in CLOCK_UNITS_MS else _SHORTEST_MS[self.unit])

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.size}{self.unit}"


class _KeptWindow(NamedTuple):
    """One kind of windows that roll-ups keep: the finer windows that it is made of, and its length."""

    finer: Every | None
    step: Step


_KEPT: Mapping[Every, _KeptWindow] = MappingProxyType({
    "15m": _KeptWindow(None, Step(15, "m")),
    "1h": _KeptWindow("15m", Step(1, "h")),
    "1d": _KeptWindow("15m", Step(1, "d")),
    "1w": _KeptWindow("1d", Step(1, "w")),
    "1mo": _KeptWindow("1d", Step(1, "mo")),
    "1y": _KeptWindow("1mo", Step(1, "y")),
    "billing": _KeptWindow("1d", Step(1, "mo")),
})  # fmt: skip


def find_step(every: Every) -> Step:
    """The length of windows that roll-ups keep."""
    return _KEPT[every].step


def find_every(kind: str) -> Every:
    """The windows of a stored kind: those of `energy_1d` are `1d`. Raises ValueError for a kind without windows."""
    name = kind.partition("_")[2]
    if name not in _KEPT or not kind.startswith(("energy_", "panel_")):
        raise ValueError(f"{kind} has no windows of its own")
    return cast("Every", name)


def find_panel_kind(every: PanelEvery) -> str:
    """The stored kind that windows of panels are summed from; only quarter hours and days of panels are kept."""
    return "panel_15m" if every in ("15m", "1h") else "panel_1d"


def find_finer_kind(kind: str) -> str:
    """The stored kind whose rows a coarser one is the sum of. Raises ValueError for one that is the sum of none."""
    finer = _KEPT[find_every(kind)].finer
    if finer is None:
        raise ValueError(f"{kind} is made of readings, not of finer windows")
    return f"{kind.partition('_')[0]}_{finer}"
