"""Several gateways of one house, summed: what is added to what, and the power of now. Pure.

Every gateway has inverters of its own, so production is the sum of all. What the grid and the battery do is the sum
over the gateways that measure it. The load depends on who measures the grid:

- Every gateway has consumption meters: each has a supply of its own, and the loads add up.
- Some have none: then what the others measure is taken for the whole house. The load is all production + net + battery,
  for the production of a gateway without consumption meters flows past those of the others. Where they measure the
  total consumption and not the net, that is the load, and the net is what production and battery leave of it.
- A sum is known where all of its parts are: a part is not the sum.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from receiver.energy.site import SitePower
from shared.agreement import is_contradiction

GridMeter: TypeAlias = Literal["net", "total"]
"""What a gateway's consumption meters measure: the net, or only the total consumption."""
Terms: TypeAlias = Sequence[tuple[str, int]]
"""Quantities of one gateway with their signs, 1 or -1."""


class HouseMember(NamedTuple):
    """What one gateway of a house measures.

    Attributes:
        makes: Whether it has inverters or a meter of production.
        grid: What its consumption meters measure; None without them.
        has_battery: Whether it has batteries.
        is_late: Whether its production is known by reports alone, which are minutes late.
    """

    makes: bool = True
    grid: GridMeter | None = None
    has_battery: bool = False
    is_late: bool = False


class MemberPower(NamedTuple):
    """One gateway now.

    Attributes:
        member: What it measures.
        power: Its site quantities, W, as if it were alone.
        measured: Its production (W) as meters and reports say, whatever its grid meter says of it.
        hides_load: Whether a battery or a generator makes the load of the house unknown.
    """

    member: HouseMember
    power: SitePower
    measured: float | None
    hides_load: bool = False


def has_own_supplies(members: Sequence[HouseMember]) -> bool:
    """Whether every gateway measures the grid for itself."""
    return all(member.grid is not None for member in members)


def list_terms(members: Sequence[HouseMember]) -> Mapping[str, Mapping[int, Terms]]:
    """What makes each quantity of `receiver.energy.balance`: the terms of each member that has a part in it.

    A quantity without terms is unknown.
    """
    metered = {index for index, member in enumerate(members) if member.grid is not None}
    batteries = {index for index, member in enumerate(members) if member.has_battery}
    makers = {index for index, member in enumerate(members) if member.makes}
    own = has_own_supplies(members)
    is_net = bool(metered) and all(members[index].grid == "net" for index in metered)
    is_total = bool(metered) and all(members[index].grid == "total" for index in metered)
    load: Mapping[int, Terms] = {}
    if own or is_total:
        load = _list_single("load", metered)
    elif is_net:
        load = {
            index: (
                *([("production", 1)] if index in makers else []),
                *([("imported", 1), ("exported", -1)] if index in metered else []),
                *([("discharged", 1), ("charged", -1)] if index in batteries else []),
            )
            for index in sorted(makers | metered | batteries)
        }
    traders = metered if own or is_net else set()
    return {
        "production": _list_single("production", makers),
        "load": load,
        "imported": _list_single("imported", traders),
        "exported": _list_single("exported", traders),
        "discharged": _list_single("discharged", batteries),
        "charged": _list_single("charged", batteries),
    }


def sum_powers(members: Sequence[MemberPower]) -> SitePower:
    """The house now, from all of its gateways."""
    kinds = [each.member for each in members]
    metered = [each.power for each in members if each.member.grid is not None]
    grids = {member.grid for member in kinds} - {None}
    own = bool(members) and has_own_supplies(kinds)
    production = _sum(each.power.production if own else each.measured for each in members if each.member.makes)
    battery = _sum(each.power.battery for each in members if each.member.has_battery)
    loads = _sum(power.load for power in metered)
    net, imported, exported = (
        _sum(getattr(power, name) for power in metered) for name in ("net", "imported", "exported")
    )
    if own:
        return SitePower(production, loads, net, imported, exported, battery)
    supplies = [production, battery] if any(member.has_battery for member in kinds) else [production]
    if grids == {"total"}:
        net = _sum([loads, *(None if power is None else -power for power in supplies)])
        bought, sold = (None, None) if net is None else (max(net, 0.0), max(-net, 0.0))
        return SitePower(production, loads, net, bought, sold, battery)
    if grids != {"net"}:
        return SitePower(production, None, None, None, None, battery)
    needed = _sum([*supplies, net])
    if needed is not None and production is not None and needed < 0 and any(member.is_late for member in kinds):
        production -= needed  # the reports lag: what is sold was made
        supplies[0] = production
    load = None if any(each.hides_load for each in members) else _judge_load([*supplies, net])
    return SitePower(production, load, net, imported, exported, battery)


def _list_single(name: str, members: Iterable[int]) -> Mapping[int, Terms]:
    return dict.fromkeys(sorted(members), ((name, 1),))


def _judge_load(supplies: Sequence[float | None]) -> float | None:
    """What supplies (W) make together, at least 0; None where one is unknown, or where they contradict each other."""
    load = _sum(supplies)
    if load is None or load >= 0:
        return load
    return None if is_contradiction(power for power in supplies if power is not None) else 0.0


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum; None of nothing, and where any part of it is unknown."""
    parts = list(values)
    known = [value for value in parts if value is not None]
    return sum(known) if known and len(known) == len(parts) else None
