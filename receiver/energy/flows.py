"""Sums of energies that come from counters or from power: phases of a meter, meters of a site.

A sum is known where every summand is. What counters know of a gap across the start of a window is summed only if
ALL summands were silent over that same time (one reply of the gateway carries all of its meters). Else the sum of what
some know of the gap and others of a piece of it would mean nothing, and it is left out.
"""

from collections.abc import Sequence
from typing import NamedTuple

from receiver.energy.counters import CounterEnergy
from receiver.energy.energy import WindowEnergy
from shared.fields import MAX_GAP_MS


class Flow(NamedTuple):
    """Energy of one window while it is put together.

    Attributes:
        wh: As in `WindowEnergy`; so are `coverage` and `unallocated_wh`.
        coverage: The known share of the window, 0 to 1.
        unallocated_wh: What is known of a gap that ends here and began before.
        gap_since: Where that gap began in all counters that this is made of (UTC milliseconds); None for none.
        is_counted: Whether `wh` has the energy of gaps inside the window, as counters do and integrals do not.
    """

    wh: float | None
    coverage: float
    unallocated_wh: float = 0.0
    gap_since: int | None = None
    is_counted: bool = False

    @property
    def energy(self) -> WindowEnergy:
        """Without what only sums need."""
        return WindowEnergy(self.wh, self.coverage, self.unallocated_wh)


WHOLE = 0.95
"""Two quantities that are both known for this share of a window are compared: meters and inverters report by turns."""
_ALL = 0.999
_NEAR = 0.1
UNKNOWN = Flow(None, 0.0)
NONE = Flow(0.0, 1.0)
"""Certainly nothing."""


def add_counters(phases: Sequence[CounterEnergy]) -> Flow:
    """The counters of all phases of a meter in one direction and window."""
    return add([Flow(phase.wh, phase.coverage, phase.unallocated_wh, phase.gap_since, True) for phase in phases])


def add(flows: Sequence[Flow]) -> Flow:
    """The sum, known where every summand is; its coverage is that of the least known."""
    if not flows:
        return UNKNOWN
    unallocated_wh, since = _find_gap(flows)
    is_counted = all(flow.is_counted for flow in flows)
    known = [flow.wh for flow in flows if flow.wh is not None]
    if len(known) < len(flows):
        return Flow(None, 0.0, unallocated_wh, since, is_counted)
    return Flow(sum(known), min(flow.coverage for flow in flows), unallocated_wh, since, is_counted)


def is_of_one_time(flows: Sequence[Flow]) -> bool:
    """Whether amounts may be added up: all know (nearly) the whole window, or all are counters, silent together.

    A counter that stood still says of all the time that there was nothing, whatever the others know.
    """
    moved = [flow for flow in flows if flow.wh or flow.unallocated_wh or not flow.is_counted]
    shares = [flow.coverage for flow in moved]
    if min(shares, default=1.0) >= WHOLE:
        return True
    return all(flow.is_counted for flow in moved) and max(shares) - min(shares) <= 1 - WHOLE


def take_common(one: Flow, other: Flow) -> tuple[WindowEnergy, WindowEnergy]:
    """Of two quantities what both know of the same time, so that they can be compared.

    A window in which one is known for longer than the other is left out, for it is not known which part of it they
    share. So is a gap that only one of them knows.
    """
    knows_gap = _find_gap([one, other])[1] is not None
    is_whole = min(one.coverage, other.coverage) >= WHOLE
    is_alike = one.is_counted == other.is_counted and abs(one.coverage - other.coverage) <= 1 - WHOLE
    is_common = one.wh is not None and other.wh is not None and (is_whole or is_alike)
    first, second = (
        WindowEnergy(
            flow.wh if is_common else None,
            0.0,  # that of the quantities says how much is known
            max(flow.unallocated_wh, 0.0) if knows_gap else 0.0,
        )
        for flow in (one, other)
    )
    return first, second


def compute_net_by_counters(power: tuple[Flow, Flow], imported: Flow, exported: Flow) -> tuple[Flow, Flow]:
    """Import and export of one window netted over the phases, with what only the counters know of a gap.

    Phases that all flow in one direction are netted by adding them up. So where no phase's opposite counter moved, the
    counters know the netted energy, also of a gap.

    Args:
        power: Both, by the integral of the summed power.
        imported: The import counters of all phases.
        exported: Their export counters.
    """
    counted = (imported, exported)
    is_known_by_power = power[0].coverage >= _ALL
    # Where power flowed on while the counters were silent, the integrals have the energy of that gap.
    is_silent = power[0].coverage <= min(imported.coverage, exported.coverage) + _NEAR
    for opposite in counted:
        is_still = opposite.wh == 0 and opposite.unallocated_wh == 0 and opposite.coverage >= _ALL
        if is_still and not is_known_by_power and is_silent:
            return counted
    return power


def _find_gap(flows: Sequence[Flow]) -> tuple[float, int | None]:
    """Unallocated energy and where its gap began, if all summands were silent over the same time."""
    gaps = [flow.gap_since for flow in flows if flow.gap_since is not None]
    if len(gaps) < len(flows) or max(gaps) - min(gaps) > MAX_GAP_MS:
        return 0.0, None
    return sum(flow.unallocated_wh for flow in flows), min(gaps)


def negate(flow: Flow) -> Flow:
    """To be subtracted."""
    return flow._replace(wh=None if flow.wh is None else -flow.wh, unallocated_wh=-flow.unallocated_wh)
