"""Sums of energies that come from counters or from power: phases of a meter, meters of a site.

A sum is known where every part of it is. What counters know of a gap across the start of a window is summed only if
ALL parts were silent over that same time (one reply of the gateway carries all of its meters). Else the sum of what
some parts know of the gap and others of a piece of it would mean nothing, and it is left out.
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
    """

    wh: float | None
    coverage: float
    unallocated_wh: float = 0.0
    gap_since: int | None = None

    @property
    def energy(self) -> WindowEnergy:
        """Without what only sums need."""
        return WindowEnergy(self.wh, self.coverage, self.unallocated_wh)


UNKNOWN = Flow(None, 0.0)
NONE = Flow(0.0, 1.0)
"""Certainly nothing."""


def add_counters(phases: Sequence[CounterEnergy]) -> Flow:
    """The counters of all phases of a meter in one direction and window."""
    return add([Flow(phase.wh, phase.coverage, phase.unallocated_wh, phase.gap_since) for phase in phases])


def add(parts: Sequence[Flow]) -> Flow:
    """The sum, known where every part is; its coverage is that of the least known part."""
    if not parts:
        return UNKNOWN
    unallocated_wh, since = _gap(parts)
    known = [part.wh for part in parts if part.wh is not None]
    if len(known) < len(parts):
        return Flow(None, 0.0, unallocated_wh, since)
    return Flow(sum(known), min(part.coverage for part in parts), unallocated_wh, since)


def _gap(parts: Sequence[Flow]) -> tuple[float, int | None]:
    """Unallocated energy and where its gap began, if all parts were silent over the same time."""
    gaps = [part.gap_since for part in parts if part.gap_since is not None]
    if len(gaps) < len(parts) or max(gaps) - min(gaps) > MAX_GAP_MS:
        return 0.0, None
    return sum(part.unallocated_wh for part in parts), min(gaps)


def negate(flow: Flow) -> Flow:
    """To be subtracted."""
    return flow._replace(wh=None if flow.wh is None else -flow.wh, unallocated_wh=-flow.unallocated_wh)
