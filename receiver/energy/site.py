"""What a household asks: production, load, import, export, battery. From meters and phases, by one set of rules.

- Signs are the meters' own: production + generation; net-consumption + import, - export; storage + discharge.
- load = production + net + storage. `total-consumption` is never used where a storage meter is enabled: gateways
  exist that leave the battery out of it, and then it is wrong by the whole battery power.
- Where there is no net meter but a total one (and no storage): load = total, net = total - production, which is
  always netted, because production and load need not stand on the same phases.
- Import and export are netted over the phases at each moment (`netting="sum"`, what a netting grid meter bills), or
  are taken per phase and added (`netting="phases"`, for countries that bill each phase).
- What cannot be known from the meters at hand is None, never 0. So is the load where a battery is but its power is not
  known, and while a generator runs that no meter sees: what then seems to come from the grid is no purchase.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from receiver.energy.combine import add, scale
from receiver.energy.interpolation import Segment, Segments

_T = TypeVar("_T")

Netting: TypeAlias = Literal["sum", "phases"]
MeterPhase: TypeAlias = tuple[str, str]
"""Values of the tags `meter` and `phase`, e.g. ("net-consumption", "a")."""

PRODUCTION, NET, TOTAL, STORAGE = "production", "net-consumption", "total-consumption", "storage"


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


def site_power(
    powers: Mapping[MeterPhase, float],
    *,
    inverters: float | None = None,
    netting: Netting = "sum",
    has_battery: bool = False,
    on_generator: bool = False,
    cut_off: bool = False,
) -> SitePower:
    """The site from the latest power of every meter and phase.

    Args:
        powers: W by meter and phase. Leave values out that are too old to speak of now.
        inverters: W of all inverters together; stands in where no production meter is enabled.
        netting: How import and export are billed.
        has_battery: Whether there is a battery, also where `powers` has no storage.
        on_generator: Whether a generator runs that no meter sees.
        cut_off: Whether the main relay is known to be open: nothing is bought or sold.
    """
    if on_generator:
        return _power_on_generator(powers, inverters, cut_off=cut_off)
    production = _sum(select_phases(powers, PRODUCTION).values())
    if production is None:
        production = inverters
    battery = _sum(select_phases(powers, STORAGE).values())
    net_phases = list(select_phases(powers, NET).values())
    is_whole = battery is not None or not has_battery
    if not net_phases and battery is None and is_whole and production is not None:
        total = _sum(select_phases(powers, TOTAL).values())
        net_phases = [] if total is None else [total - production]
    net = _sum(net_phases)
    load = None if net is None or production is None or not is_whole else production + net + (battery or 0.0)
    if load is None and battery is None and is_whole:
        load = _sum(select_phases(powers, TOTAL).values())
    billed = [net] if netting == "sum" and net is not None else net_phases
    return SitePower(
        production=production,
        load=load,
        net=net,
        imported=_sum(max(power, 0.0) for power in billed),
        exported=_sum(max(-power, 0.0) for power in billed),
        battery=battery,
    )


def _power_on_generator(powers: Mapping[MeterPhase, float], inverters: float | None, *, cut_off: bool) -> SitePower:
    """What is still known: what the roof and the battery give, and that nothing is traded over an open relay."""
    production = _sum(select_phases(powers, PRODUCTION).values())
    traded = 0.0 if cut_off else None
    return SitePower(
        production=inverters if production is None else production,
        load=None,
        net=traded,
        imported=traded,
        exported=traded,
        battery=_sum(select_phases(powers, STORAGE).values()),
    )


def site_series(powers: Mapping[MeterPhase, Segments], *, inverters: Segments = ()) -> SiteSeries:
    """The site over time from the power (W) of every meter and phase; unknown wherever a needed part is unknown.

    Args:
        powers: Segments by meter and phase, every enabled one; an empty series makes what needs it unknown.
        inverters: The summed power of all inverters; stands in where no production meter is enabled.
    """
    production = _total(powers, PRODUCTION) or inverters
    battery = _total(powers, STORAGE)
    stored = [battery] if has_meter(powers, STORAGE) else []
    net_phases: list[Segments] = list(select_phases(powers, NET).values())
    if net_phases:
        net: Segments = add(net_phases)
        load = add([production, net, *stored])
    elif stored:
        net, load = [], []
    else:
        load = _total(powers, TOTAL)
        net = add([load, scale(production, -1)])
        net_phases = [net] if net else []
    if not load and not stored:
        load = _total(powers, TOTAL)
    return SiteSeries(production, load, net, net_phases, battery)


def select_phases(values: Mapping[MeterPhase, _T], meter: str) -> dict[str, _T]:
    """The entries of one meter by phase."""
    return {phase: value for (name, phase), value in values.items() if name == meter}


def has_meter(values: Mapping[MeterPhase, object], meter: str) -> bool:
    """Whether a meter is enabled: there is an entry for at least one of its phases."""
    return any(name == meter for name, _ in values)


def _total(powers: Mapping[MeterPhase, Segments], meter: str) -> list[Segment]:
    return add(list(select_phases(powers, meter).values()))


def _sum(values: Iterable[float]) -> float | None:
    """The sum, or None of nothing."""
    known = list(values)
    return sum(known) if known else None
