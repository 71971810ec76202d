"""What a household asks: production, load, import, export, battery. From meters and phases, by one set of rules.

- Signs are the meters' own: production and pv3p + generation; net-consumption + import, - export; storage + discharge.
- Production is that of the production meter, or of the inverters where there is none, and of the meter `pv3p` (other
  inverters behind the combiner). The meters backfeed, load and evse are no part of anything here.
- load = production + net + storage. `total-consumption` is never used where a storage meter is enabled: gateways
  exist that leave the battery out of it, and then it is wrong by the whole battery power.
- Where there is no net meter but a total one (and no storage): load = total, net = total - production, which is
  always netted, because production and load need not stand on the same phases.
- Import and export are netted over the phases at each moment (`netting="sum"`, what a netting grid meter bills), or
  are taken per phase and added (`netting="phases"`, for countries that bill each phase).
- Inverters report up to 15 minutes late, so with a grid meter of this second they may seem to make less than what is
  sold: the load is then 0, and the production at least what is sold. If they cannot make as much, both are unknown.
- What cannot be known from the meters at hand is None, never 0: a sum without one of its phases, or the load where the
  meters contradict each other, because a house cannot use less than nothing. So is the load where a battery is but its
  power is not known, and while a generator runs that no meter sees: what then seems to come from the grid is not bought
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from receiver.energy.combine import add, fill_in, keep_positive, scale
from receiver.energy.interpolation import Segment, Segments
from shared.agreement import is_contradiction
from shared.fields import EIM_PHASE

_T = TypeVar("_T")

Netting: TypeAlias = Literal["sum", "phases"]

MeterPhase: TypeAlias = tuple[str, str]
"""Values of the tags `meter` and `phase`, e.g. ("net-consumption", "a")."""

PRODUCTION, NET, TOTAL, STORAGE = "production", "net-consumption", "total-consumption", "storage"
OTHER_PRODUCTION = "pv3p"
"""Generation by inverters of others, which no production meter sees."""


class SitePower(NamedTuple):
    """The site at one moment, in W; None is unknown.

    Attributes:
        production: Generation; slightly negative at night, when inverters draw a little.
        load: What the house uses.
        net: Power from the grid, + import, - export, netted over the phases.
        imported: Power bought, at least 0.
        exported: Power sold, at least 0. Under `netting="phases"` both may be positive at once.
        battery: + discharge, - charge.
    """

    production: float | None
    load: float | None
    net: float | None
    imported: float | None
    exported: float | None
    battery: float | None


class SiteSeries(NamedTuple):
    """The site over time as segments in W; an empty series is unknown throughout.

    Attributes:
        production: As in `SitePower`; so are `load`, `net` and `battery`.
        load: What the house uses.
        net: + import, - export, netted over the phases.
        net_phases: The same before netting: one series for each phase.
        battery: + discharge, - charge.
    """

    production: Segments
    load: Segments
    net: Segments
    net_phases: Sequence[Segments]
    battery: Segments


def compute_site_power(
    powers: Mapping[MeterPhase, float | None],
    *,
    inverters: float | None = None,
    most: float | None = None,
    netting: Netting = "sum",
    has_battery: bool = False,
    on_generator: bool = False,
    cut_off: bool = False,
) -> SitePower:
    """The site from the latest power of every meter and phase.

    Args:
        powers: W by meter and phase; None for a phase that is there and of whose power nothing is known now.
        inverters: W of all inverters together; stands in where no production meter is enabled.
        most: W that the inverters can make together at most; None: nothing bounds it.
        netting: How import and export are billed.
        has_battery: Whether there is a battery, also where `powers` has no storage.
        on_generator: Whether a generator runs that no meter sees.
        cut_off: Whether the main relay is known to be open: nothing is bought or sold.
    """
    if on_generator:
        return _compute_power_on_generator(powers, inverters, cut_off=cut_off)
    production = _sum_production(powers, inverters)
    has_battery = has_battery or has_meter(powers, STORAGE)
    battery = _sum(select_phases(powers, STORAGE).values())
    net_phases = list(select_phases(powers, NET).values())
    total = None if has_battery else _sum(select_phases(powers, TOTAL).values())
    if not net_phases and total is not None and production is not None:
        net_phases = [total - production]
    net = _sum(net_phases)
    supplies = [production, net, battery] if has_battery else [production, net]
    needed = _sum(supplies)
    if needed is not None and needed < 0 and not has_meter(powers, PRODUCTION) and production is not None:
        exceeds = has_meter(powers, NET) and most is not None and inverters is not None and inverters - needed >= most
        if exceeds and _judge_load(supplies) is None:
            production = total = None  # nobody made what is sold: the grid's transformer is likely the wrong way round
        else:
            production -= needed  # the reports lag: what is sold was made
            supplies[0] = production
    if net is None or production is None:
        supplies = [total]
    load = _judge_load(supplies)
    billed: list[float | None] = [net] if netting == "sum" and net is not None else [*net_phases]
    if netting == "phases" and (NET, EIM_PHASE) in powers:
        billed = [None]  # the phases are not known, only their sum
    return SitePower(
        production=production,
        load=load,
        net=net,
        imported=_sum(None if power is None else max(power, 0.0) for power in billed),
        exported=_sum(None if power is None else max(-power, 0.0) for power in billed),
        battery=battery,
    )


def _sum_production(powers: Mapping[MeterPhase, float | None], inverters: float | None) -> float | None:
    """What the roof makes (W): by its meter, else by the inverters' reports, and by meters of other production."""
    production = _sum(select_phases(powers, PRODUCTION).values()) if has_meter(powers, PRODUCTION) else inverters
    if has_meter(powers, OTHER_PRODUCTION):
        return _sum([production, *select_phases(powers, OTHER_PRODUCTION).values()])
    return production


def _compute_power_on_generator(
    powers: Mapping[MeterPhase, float | None], inverters: float | None, *, cut_off: bool
) -> SitePower:
    """What is still known: what the roof and the battery give, and that nothing is traded over an open relay."""
    traded = 0.0 if cut_off else None
    return SitePower(
        production=_sum_production(powers, inverters),
        load=None,
        net=traded,
        imported=traded,
        exported=traded,
        battery=_sum(select_phases(powers, STORAGE).values()),
    )


def _judge_load(supplies: Sequence[float | None]) -> float | None:
    """What supplies (W) make together, at least 0; None where one is unknown, or where they contradict each other."""
    load = _sum(supplies)
    if load is None or load >= 0:
        return load
    return None if is_contradiction(power for power in supplies if power is not None) else 0.0


def compute_site_series(
    powers: Mapping[MeterPhase, Segments], *, inverters: Segments = (), most: float | None = None
) -> SiteSeries:
    """The site over time from the power (W) of every meter and phase; unknown wherever a needed part is unknown.

    Args:
        powers: Segments by meter and phase, every enabled one; an empty series makes what needs it unknown.
        inverters: The summed power of all inverters; stands in where no production meter is enabled.
        most: W that the inverters can make together at most; None: nothing bounds it.
    """
    production: Segments = _sum_meter(powers, PRODUCTION) if has_meter(powers, PRODUCTION) else inverters
    if has_meter(powers, OTHER_PRODUCTION):
        production = add([production, _sum_meter(powers, OTHER_PRODUCTION)])
    battery = _sum_meter(powers, STORAGE)
    stored = [battery] if has_meter(powers, STORAGE) else []
    net_phases: list[Segments] = list(select_phases(powers, NET).values())
    if net_phases:
        net: Segments = add(net_phases)
        load: Segments = add([production, net, *stored])
        if not has_meter(powers, PRODUCTION):
            production, load = _raise_production(production, load, inverters, most)
    elif stored:
        net, load = [], []
    else:
        load = _sum_meter(powers, TOTAL)
        net = add([load, scale(production, -1)])
        net_phases = [net] if net else []
    if not load and not stored:
        load = _sum_meter(powers, TOTAL)
    if (NET, EIM_PHASE) in powers:
        net_phases = []
    return SiteSeries(production, load, net, net_phases, battery)


def _raise_production(
    production: Segments, load: Segments, inverters: Segments, most: float | None
) -> tuple[Segments, Segments]:
    """Production by reports, which are means of minutes, and load: what is sold was made, so no load is below 0.

    Where the inverters cannot have made it, both are unknown: the grid's transformer is likely the wrong way round.
    """
    if all(one.first >= 0 and one.last >= 0 for one in load):
        return production, load
    lacking = keep_positive(scale(load, -1))
    if most is not None and any(max(one.first, one.last) >= most for one in add([inverters, lacking])):
        return [], []
    return fill_in(add([production, lacking]), production), keep_positive(load)


def choose_phases(seen: Mapping[MeterPhase, int]) -> set[MeterPhase]:
    """The phases that count, by when each was read last: the sum of a meter stands in for its phases, or they are back.

    Args:
        seen: UTC milliseconds by meter and phase.
    """
    newest: dict[tuple[str, bool], int] = {}
    for (meter, phase), time in seen.items():
        key = meter, phase == EIM_PHASE
        newest[key] = max(newest.get(key, time), time)
    return {
        (meter, phase)
        for meter, phase in seen
        if newest[meter, phase == EIM_PHASE] >= newest.get((meter, phase != EIM_PHASE), 0)
    }


def select_phases(values: Mapping[MeterPhase, _T], meter: str) -> dict[str, _T]:
    """The entries of one meter by phase."""
    return {phase: value for (name, phase), value in values.items() if name == meter}


def has_meter(values: Mapping[MeterPhase, object], meter: str) -> bool:
    """Whether a meter is enabled: there is an entry for at least one of its phases."""
    return any(name == meter for name, _ in values)


def _sum_meter(powers: Mapping[MeterPhase, Segments], meter: str) -> list[Segment]:
    return add(list(select_phases(powers, meter).values()))


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum; None of nothing, and where any part of it is unknown."""
    parts = list(values)
    known = [value for value in parts if value is not None]
    return sum(known) if known and len(known) == len(parts) else None
