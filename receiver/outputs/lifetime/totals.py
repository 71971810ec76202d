"""Lifetime totals: from the gateway's counters where these can give them, else from the roll-ups. Pure.

- Import and export of several phases that are netted (`netting: sum`) come from the roll-ups: the gateway counts each
  phase by itself, and the sum of such counters is more than was bought and more than was sold.
- A total is known only if every part of it is.
- What was given once never falls: a recomputation that finds less is waited for. Only a counter that began again is
  passed on, and a change of the source goes on from what was given.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from receiver.energy.balance import QUANTITIES
from receiver.energy.site import NET, OTHER_PRODUCTION, PRODUCTION, STORAGE, TOTAL
from receiver.rollups.series import read_counted, read_number
from receiver.sites.corrections import correct_latest
from receiver.sites.model import Site
from receiver.stores.base import Latest, Point
from shared.fields import EIM_PHASE
from shared.units import DAY_MS

Source: TypeAlias = Literal["counters", "rollups"]
_RESET_SHARE = 0.1
"""A sum of counters that fell below this share of what it was began again; a part of it did not."""
_DIP_SHARE = 0.9
"""Above this share counters disagree by a little, and the highest value stands."""
_GONE_MS = DAY_MS


class Total(NamedTuple):
    """A lifetime total as its source gives it now.

    Attributes:
        source: Where it comes from.
        wh: Wh; None is unknown.
        timestamp: Of the oldest counter in it (UTC milliseconds); None for roll-ups, which have no such time.
    """

    source: Source
    wh: float | None
    timestamp: int | None = None


class GivenTotal(NamedTuple):
    """What was given last of a total.

    Attributes:
        source: Where it came from.
        shift: What is added to the source's number, Wh: it changed once, and the total went on.
        wh: What was given, Wh.
    """

    source: Source
    shift: float
    wh: float


def hold(found: Total, held: GivenTotal | None) -> GivenTotal | None:
    """What to give after `held`, if the source says `found`."""
    if found.wh is None or held is None:
        return held if found.wh is None else GivenTotal(found.source, 0.0, found.wh)
    if found.source != held.source:
        return GivenTotal(found.source, held.wh - found.wh, held.wh)
    wh = found.wh + held.shift
    if wh >= held.wh:
        return held._replace(wh=wh)
    if found.source == "rollups" or wh >= _DIP_SHARE * held.wh:
        return held
    if found.wh < _RESET_SHARE * held.wh:
        return GivenTotal(found.source, 0.0, found.wh)
    return GivenTotal(found.source, held.wh - found.wh, held.wh)  # one counter of several began again


def find_totals(
    counters: Sequence[Latest],
    meters: Sequence[Latest],
    years: Mapping[str, float],
    site: Site,
    *,
    has_battery: bool,
    has_generator: bool,
    now_ms: int,
) -> dict[str, Total]:
    """Every quantity of `QUANTITIES`.

    Args:
        counters: Latest values of kind `meter_energy`, as stored.
        meters: Latest values of kind `meter`, as stored.
        years: By quantity what the roll-ups know, Wh; what they do not know is absent.
        site: Roles, signs and netting.
        has_battery: Whether there is one, also where no meter sees it.
        has_generator: Whether there is one; the counters do not know when it ran.
        now_ms: UTC milliseconds.
    """
    known = _Counters(correct_latest(counters, site), correct_latest(meters, site), now_ms)
    found: dict[str, Total | None] = dict.fromkeys(QUANTITIES)
    roof = [meter for meter in (PRODUCTION, OTHER_PRODUCTION) if known.has(meter)]
    if known.has(PRODUCTION):
        found["production"] = known.sum([(meter, "delivered", 1) for meter in roof])
    if known.has(NET) and (site.netting == "phases" or known.count_phases(NET) == 1):
        found["imported"] = known.sum([(NET, "delivered", 1)])
        found["exported"] = known.sum([(NET, "received", 1)])
    if known.has(STORAGE):
        found["discharged"] = known.sum([(STORAGE, "delivered", 1)])
        found["charged"] = known.sum([(STORAGE, "received", 1)])
    if not has_generator and (known.has(STORAGE) or not has_battery):
        found["load"] = _find_load(known, roof)
    return {name: total or Total("rollups", years.get(name)) for name, total in found.items()}


def sum_years(years: Iterable[Point]) -> dict[str, float]:
    """What was measured of each quantity in the stored years, with what gaps over New Year hold; Wh.

    Imported energies are left out, and those that the cloud alone knows: a total that rises by years of them at once
    would seem to be energy of now.
    """
    sums: dict[str, float] = {}
    for _, fields in years:
        for name in QUANTITIES:
            parts = [read_counted(fields, name), read_number(fields, f"{name}_unallocated")]
            if any(part is not None for part in parts):
                sums[name] = sums.get(name, 0.0) + sum(part or 0.0 for part in parts)
    return sums


def find_panel_total(latest: Latest, days: float | None) -> Total:
    """What a panel made: its own counter where it has one, else its days (Wh)."""
    counted = read_number(latest.fields, "energy_lifetime")
    return Total("rollups", days) if counted is None else Total("counters", counted, latest.timestamp)


class _Counters:
    """Counters by meter and phase, with the site's roles and signs."""

    def __init__(self, counters: Sequence[Latest], meters: Sequence[Latest], now_ms: int) -> None:
        self._known = {(one.tags["meter"], one.tags["phase"]): one for one in counters}
        self._seen = {
            (one.tags["meter"], one.tags["phase"])
            for one in meters
            if one.tags["phase"] != EIM_PHASE and now_ms - one.timestamp <= _GONE_MS
        }

    def has(self, meter: str) -> bool:
        """Whether some phase of a meter counts."""
        return any(name == meter for name, _ in self._known)

    def count_phases(self, meter: str) -> int:
        """How many phases a meter has."""
        return len(self._list_phases(meter))

    def sum(self, parts: Iterable[tuple[str, str, int]]) -> Total:
        """Counters of meters (meter, direction, sign), each over all phases; unknown while one of them is."""
        wh, oldest = 0.0, None
        for meter, direction, sign in parts:
            for phase in self._list_phases(meter):
                latest = self._known.get((meter, phase))
                value = None if latest is None else read_number(latest.fields, direction)
                if latest is None or value is None:
                    return Total("counters", None)
                wh += sign * value
                oldest = latest.timestamp if oldest is None else min(oldest, latest.timestamp)
        return Total("counters", wh, oldest)

    def has_received(self, meter: str) -> bool:
        """Whether a meter counts what flows back."""
        return any("received" in one.fields for (name, _), one in self._known.items() if name == meter)

    def _list_phases(self, meter: str) -> set[str]:
        return {phase for name, phase in self._known.keys() | self._seen if name == meter}


def _find_load(known: _Counters, roof: Sequence[str]) -> Total | None:
    """The balance of the counters, whatever the netting; None where they cannot give it."""
    if known.has(TOTAL) and not known.has(STORAGE) and not (known.has(NET) and roof):
        return known.sum([(TOTAL, "delivered", 1)])
    if PRODUCTION not in roof or not known.has(NET):
        return None
    sources = [*roof, NET, *([STORAGE] if known.has(STORAGE) else [])]
    back = [meter for meter in sources if known.has_received(meter)]
    total = known.sum([*((meter, "delivered", 1) for meter in sources), *((meter, "received", -1) for meter in back)])
    return total._replace(wh=None) if total.wh is not None and total.wh < 0 else total
