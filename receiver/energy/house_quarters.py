"""The energy of a house with several gateways, quarter hour by quarter hour, and over the silence of some. Pure.

A quarter hour is summed where all gateways know it. While one is silent nothing is summed, but what the others measured
is kept: once the counters of the silent one say what it did meanwhile, all of it together is the energy of that gap,
which coarser windows count where they hold the whole gap (as `receiver.energy.totals` does for one gateway). Where the
silent one's counters do not say it, that time stays unknown, and the coverage says so.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from receiver.energy.balance import QUANTITIES, SiteEnergy, build_site_energy
from receiver.energy.energy import WindowEnergy
from receiver.energy.flows import WHOLE, Flow, take_common
from receiver.energy.house import HouseMember, Terms, list_terms
from shared.units import QUARTER_MS

_LOAD = "load"
_UNKNOWN = Flow(None, 0.0)


class HouseEnergy:
    """Sums the windows of one house, which are given in the order of time.

    Args:
        members: What each gateway measures.
    """

    def __init__(self, members: Sequence[HouseMember]) -> None:
        self._terms = list_terms(members)
        self._sums = {name: _QuantitySum(is_balance=name == _LOAD) for name in QUANTITIES}

    def add_quarter(self, start: int, energies: Sequence[SiteEnergy | None]) -> SiteEnergy:
        """The next quarter hour; as `add_window`."""
        return self.add_window(start, start + QUARTER_MS, energies)

    def add_window(self, start: int, stop: int, energies: Sequence[SiteEnergy | None]) -> SiteEnergy:
        """The next window: a quarter hour, or a longer one of which every gateway knows nearly all or nothing.

        Args:
            start: Its first millisecond (UTC).
            stop: Its end, not part of it (UTC milliseconds).
            energies: What each gateway knows of it, in the order of the members; None for nothing.
        """
        flows = {
            name: self._sums[name].add(start, {index: _take(energies[index], each) for index, each in terms.items()})
            for name, terms in self._terms.items()
        }
        load = flows[_LOAD]
        flows[_LOAD] = load._replace(
            wh=None if load.wh is None else max(load.wh, 0.0), unallocated_wh=max(load.unallocated_wh, 0.0)
        )  # meters disagree by a little
        common = {name: flow if _is_whole(flow) else flow._replace(wh=None) for name, flow in flows.items()}
        shared = [
            *take_common(common["production"], common["exported"]),
            *take_common(common[_LOAD], common["imported"]),
        ]
        gaps = [flow.gap_since for flow in flows.values() if flow.gap_since is not None and flow.unallocated_wh > 0]
        return build_site_energy(
            start,
            stop,
            [flows[name].energy for name in QUANTITIES],
            sum(energy.resets for energy in energies if energy is not None),
            min(gaps, default=None),
            shared,
        )


class _Run(NamedTuple):
    """Quarter hours that cannot be summed, in a row.

    Attributes:
        began: First millisecond of the first one.
        held_wh: What was measured in them, and what counters have said of gaps in them.
        waiting: Members of which something is still not known.
        is_lost: Whether something of it will not be known any more.
        since: Where the earliest gap began.
    """

    began: int
    held_wh: float = 0.0
    waiting: frozenset[int] = frozenset()
    is_lost: bool = False
    since: int | None = None


class _QuantitySum:
    """Sums one quantity.

    Args:
        is_balance: Whether the parts are weighed up against each other. Gateways are silent at different times, so each
            must know the whole quarter hour then.
    """

    def __init__(self, *, is_balance: bool) -> None:
        self._is_balance = is_balance
        self._run: _Run | None = None

    def add(self, start: int, parts: Mapping[int, Flow | None]) -> Flow:
        """The next quarter hour from the parts of each member; None for one whose terms are not of the same time."""
        if not parts:
            return _UNKNOWN
        flows = {index: flow for index, flow in parts.items() if flow is not None}
        run = _settle(self._run or _Run(start), flows)
        known = [flow.wh for flow in flows.values() if flow.wh is not None]
        if len(known) < len(parts) or (self._is_balance and not all(map(_is_whole, flows.values()))):
            self._run = run._replace(
                held_wh=run.held_wh + sum(known),
                waiting=run.waiting | {index for index, flow in flows.items() if self._is_open(flow)},
                is_lost=run.is_lost or len(flows) < len(parts),
            )
            return _UNKNOWN
        self._run = None
        coverage = min(flow.coverage for flow in flows.values())
        if run.waiting or run.is_lost or run.since is None:
            return Flow(sum(known), coverage)
        return Flow(sum(known), coverage, run.held_wh, run.since)

    def _is_open(self, flow: Flow) -> bool:
        """Whether its counters have yet to say what it did in this quarter hour."""
        return flow.gap_since is None and (flow.wh is None or (self._is_balance and not _is_whole(flow)))


def _settle(run: _Run, parts: Mapping[int, Flow]) -> _Run:
    """The run with what counters say now of gaps that end in this quarter hour."""
    for index, flow in parts.items():
        if flow.gap_since is None:
            continue
        if flow.gap_since < run.began - QUARTER_MS:  # it began before what the others measured is known
            run = run._replace(is_lost=True)
            continue
        run = run._replace(
            held_wh=run.held_wh + flow.unallocated_wh,
            waiting=run.waiting - {index},
            since=flow.gap_since if run.since is None else min(run.since, flow.gap_since),
        )
    return run


def _take(energy: SiteEnergy | None, terms: Terms) -> Flow | None:
    """The part that one member has in a quantity; None where its terms are not of the same time."""
    if energy is None:
        return _UNKNOWN
    found = [(_get_quantity(energy, name), sign) for name, sign in terms]
    unallocated = sum(sign * each.unallocated_wh for each, sign in found)
    judged = energy.load if len(found) > 1 else found[0][0]  # where the load of a gap is known, so is all that makes it
    knows_gap = judged.unallocated_wh > 0
    since = energy.unallocated_since if knows_gap else None
    known = [sign * each.wh for each, sign in found if each.wh is not None]
    if not known:
        return Flow(None, 0.0, unallocated, since)
    flows = [Flow(each.wh, each.coverage) for each, _ in found]
    if len(known) < len(found) or not _is_alike(flows):
        return None
    return Flow(sum(known), min(flow.coverage for flow in flows), unallocated, since)


def _get_quantity(energy: SiteEnergy, name: str) -> WindowEnergy:
    """A quantity as it was measured: an import of one gateway says nothing of the others at that time."""
    quantity: WindowEnergy = getattr(energy, name)
    return quantity if quantity.taken_over_wh is None else WindowEnergy(None, 0.0)


def _is_whole(flow: Flow) -> bool:
    return flow.coverage >= WHOLE


def _is_alike(flows: Sequence[Flow]) -> bool:
    """Whether quantities of one gateway that are weighed up against each other are of the same time."""
    coverages = [flow.coverage for flow in flows]
    return min(coverages) >= WHOLE or max(coverages) - min(coverages) <= 1 - WHOLE
