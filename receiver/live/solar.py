"""The sums of this moment in the form that existing pages for the Envoy expect: `{"p": …, "c": …, "n": …}` in watts.

They are the numbers of `/power`, in whole watts. At night production may be a few watts below or above zero, as the
meters say: inverters draw a little, and a clamp has its noise.
"""

import math
from collections.abc import Iterable
from typing import Annotated

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from receiver.sites import Site
from receiver.sites.household import describe_household
from receiver.sites.storage import KINDS_OF_STORAGE, describe_storage
from receiver.stores.base import Latest
from shared.readings import FieldValue, Reading

KINDS_OF_NOW = ("meter", "inverter", "production", *KINDS_OF_STORAGE)
"""The kinds that the sums of now rest on."""
_POWERS = frozenset({"meter", "inverter", "production"})
"""Of these the power alone is kept, and the highest of an inverter."""
_KEPT = ("power", "max_power")


@with_config(ConfigDict(extra="forbid"))
class SolarData(TypedDict):
    """Data of the event `solar_data`: the household of this second, in whole watts."""

    p: Annotated[int, Field(description="Production, W.")]
    c: Annotated[int, Field(description="Consumption, W.")]
    n: Annotated[int, Field(description="What comes from the grid, W; below zero: goes there.")]


class LatestPowers:
    """The latest power of every meter phase and inverter of one gateway, and what is said of batteries and grid."""

    def __init__(self) -> None:
        self._latest: dict[str, dict[tuple[str, ...], Latest]] = {kind: {} for kind in KINDS_OF_NOW}

    def seed(self, *latest: Iterable[Latest]) -> None:
        """Begin with the latest values of the store, of the kinds in `KINDS_OF_NOW`, in their order."""
        for kind, entries in zip(KINDS_OF_NOW, latest, strict=False):
            for entry in entries:
                self.see(Reading(kind, entry.tags, entry.timestamp, entry.fields))

    def see(self, reading: Reading) -> None:
        """Take a reading in; one that is older than the latest changes nothing, nor does one without a power.

        But a phase of a meter that has never given a power is known, too: a sum without it is no sum. And one that
        says that there was none has none any more.
        """
        of_kind = self._latest.get(reading.kind)
        if of_kind is None:
            return
        series = tuple(sorted(reading.tags.values()))
        power = reading.fields.get("power")
        if reading.kind in _POWERS and not isinstance(power, float):
            last = of_kind.setdefault(series, Latest(reading.tags, reading.timestamp, _select_kept(reading)))
            is_silent = reading.kind == "inverter" or reading.fields.get("measured") == 0.0
            if is_silent and last.timestamp < reading.timestamp:  # a new report, or answer, without power
                fields = {name: value for name, value in last.fields.items() if name != "power"}
                of_kind[series] = Latest(reading.tags, reading.timestamp, fields | _select_kept(reading))
            return
        known = of_kind.get(series)
        if known is None or known.timestamp <= reading.timestamp or not known.fields.keys() - {"max_power"}:
            fields = {} if known is None else dict(known.fields)
            fields |= _select_kept(reading) if reading.kind in _POWERS else reading.fields
            of_kind[series] = Latest(reading.tags, reading.timestamp, fields)

    def sum_up(self, now_ms: int, site: Site) -> SolarData | None:
        """The sums of now, or None where one of them is not known: the form knows no other way to say so."""
        meters, inverters, totals, *rest = (list(self._latest[kind].values()) for kind in KINDS_OF_NOW)
        power = describe_household(meters, inverters, site, now_ms, describe_storage(rest, now_ms), totals).site
        if power.production is None or power.load is None or power.net is None:
            return None
        if not all(map(math.isfinite, (power.production, power.load, power.net))):
            return None  # a store of an earlier version may hold what overflows
        return SolarData(p=_round(power.production), c=_round(power.load), n=_round(power.net))


def _select_kept(reading: Reading) -> dict[str, FieldValue]:
    return {name: value for name in _KEPT if isinstance(value := reading.fields.get(name), float)}


def _round(watts: float) -> int:
    """Whole watts, a half away from zero: as the page rounds what `/power` says."""
    return int(watts + math.copysign(0.5, watts))
