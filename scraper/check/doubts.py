"""Meters that cannot be right: what one answer of the gateway says against itself, and who is the suspect. Pure."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from scraper.gateway.parse.phases import MeterValues
from shared.agreement import COMPARED_FROM_W, differ_by_half, is_contradiction

NIGHT_W = 15.0
"""What inverters and relays draw by themselves at night, at most."""
_SUPPLIES = ("production", "pv3p", "net-consumption", "storage")


class RoofNow(NamedTuple):
    """All inverters at this moment.

    Attributes:
        power: Of those together whose reports speak of now (W); None if none does, or one gives no power.
        is_whole: Whether the reports of all speak of now.
        most: What all of them can make now (W), nothing where the gateway says so at night; None if it is not known.
    """

    power: float | None = None
    is_whole: bool = False
    most: float | None = None


def find_doubts(values: Sequence[MeterValues], roof: RoofNow, battery_w: float | None = 0.0) -> list[str]:
    """Sentences for people, with the remedy.

    Args:
        values: Every metered phase.
        roof: What the inverters report.
        battery_w: Power of all batteries (W, + discharge) where no storage meter sees them; None if it is not known.
    """
    sums = {name: _sum(values, name) for name in _SUPPLIES}
    if not any(one.meter == "storage" for one in values):
        sums["storage"] = battery_w
    return [
        *_doubt_channels(values),
        *_doubt_balance(sums),
        *_doubt_sale(values, sums, roof),
        *_doubt_production(sums["production"], roof),
    ]


def _doubt_channels(values: Sequence[MeterValues]) -> list[str]:
    """Two phases of one meter that show the same to the last digit: one of them is copied."""
    return [
        f"{one.meter}: phases {one.phase} and {other.phase} show the very same values: one seems to be a copy of the "
        "other; look at the transformers"
        for one, other in combinations(values, 2)
        if one.values.get("power") and other._replace(phase=one.phase) == one
    ]


def _doubt_balance(sums: dict[str, float | None]) -> list[str]:
    known = {name: power for name, power in sums.items() if power is not None}
    load = sum(known.values())
    if not {"production", "net-consumption", "storage"} <= known.keys() or not is_contradiction(known.values()):
        return []
    suspect = "production" if known["production"] < -NIGHT_W else "net-consumption"
    return [(
        f"the meters contradict each other: the house would use {load:.0f} W, so its load is unknown. A transformer "
        f"of {suspect} seems to be clamped on backwards: turn it, or name its phases under 'reversed' in the sites file"
    )]  # fmt: skip


def _doubt_sale(values: Sequence[MeterValues], sums: dict[str, float | None], roof: RoofNow) -> list[str]:
    """More is sold than the inverters can make. Not beside a production meter, which may see other inverters, too."""
    there = {one.meter for one in values}
    net, others, battery = sums["net-consumption"], sums["pv3p"] if "pv3p" in there else 0.0, sums["storage"]
    if "production" in there or net is None or others is None or battery is None or roof.most is None:
        return []
    can_make = max(0.0, roof.most + others + battery)
    is_measured = bool(others or battery or not roof.most)  # else the limit has room enough
    if -net < can_make + (COMPARED_FROM_W if is_measured else 0.0):
        return []
    return [(
        f"net-consumption: it shows {-net:.0f} W sold, and no more than {can_make:.0f} W can be made here now, so "
        "production and load are unknown. A transformer of net-consumption seems to be clamped on backwards: turn it, "
        "or name its phases under 'reversed' in the sites file"
    )]  # fmt: skip


def _doubt_production(measured: float | None, roof: RoofNow) -> list[str]:
    """A meter that shows far less than the inverters, or far more: unless some are silent, and make what it shows."""
    reported = roof.power
    if measured is None or reported is None or not differ_by_half(measured, reported):
        return []
    if measured > reported and not roof.is_whole:
        return []
    return [(
        f"production: the meter shows {measured:.0f} W, and the inverters together {reported:.0f} W. If that lasts and "
        "no transformer is fitted there, give the meter production 'role: ignore' in the receiver's sites file"
    )]  # fmt: skip


def _sum(values: Sequence[MeterValues], meter: str) -> float | None:
    """The power of a meter (W); None without it, and where a phase has none."""
    powers = [one.values.get("power") for one in values if one.meter == meter]
    known = [power for power in powers if power is not None]
    return sum(known) if known and len(known) == len(powers) else None
