"""When the energy of a gap flowed, as the linked system of the cloud says. Pure arithmetic; no rows, no store.

A counter knows how much has flowed in a gap, and the cloud knows when. Both are compared over whole quarter hours: what
was measured in those at the two ends of the gap counts with the counter's energy, so the two sums are of one time.
Within a tenth of each other they speak of the same system, and each quarter hour gets the cloud's energy times the
quotient, less what was measured in it.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from types import MappingProxyType
from typing import NamedTuple

from receiver.energy.flows import WHOLE
from shared.units import QUARTER_MS

LEAST, MOST = 0.9, 1.1
"""The counter's energy by the cloud's: beyond these they do not speak of the same."""
ROUNDING_WH = 1.5
"""The cloud gives whole Wh, three times in a quarter hour: so far its sum of one may be off."""


class FillVerdict(Enum):
    """What became of the energy of a gap."""

    PLACED = auto()
    NOT_KNOWN = auto()
    """The cloud does not know all of that time, or nothing of it is left to be filled."""
    TOO_LITTLE = auto()
    """They differ by more than a tenth, and by no more than the cloud's rounding makes."""
    CONTRADICTED = auto()
    """They differ by more than that."""


class Placement(NamedTuple):
    """Where the energy of a gap flowed.

    Attributes:
        verdict: Whether that is known.
        filled: Wh by start of the quarter hour (UTC milliseconds); empty unless it was placed.
        counted_wh: The counter's energy, with what was measured at both ends.
        cloud_wh: The cloud's energy of the same quarter hours; None where it does not know all of them.
    """

    verdict: FillVerdict
    filled: Mapping[int, float] = MappingProxyType({})
    counted_wh: float = 0.0
    cloud_wh: float | None = None


class Known(NamedTuple):
    """What was measured of one quantity in a quarter hour: Wh, and the share of the time in which it was."""

    wh: float
    coverage: float


def place_gap(
    unallocated_wh: float, start: int, stop: int, measured: Mapping[int, Known], shapes: Sequence[Mapping[int, float]]
) -> Placement:
    """The energy of a gap in the quarter hours in which it flowed.

    Quarter hours of which (nearly) all was measured keep what they have.

    Args:
        unallocated_wh: By the counter, more than nothing.
        start: The quarter hour in which the gap began (UTC milliseconds).
        stop: The end of the one in which it ended.
        measured: By start of the quarter hour; absent where nothing was.
        shapes: The cloud's Wh of quarter hours, by source. The first that knows them all counts: sources differ.
    """
    nothing = Known(0.0, 0.0)
    inside = {time: measured.get(time, nothing) for time in range(start, stop, QUARTER_MS)}
    lacking = {time: known.wh for time, known in inside.items() if known.coverage < WHOLE}
    shape = next((one for one in shapes if lacking.keys() <= one.keys()), None)
    counted_wh = unallocated_wh + sum(lacking.values())
    if shape is None or not lacking:
        return Placement(FillVerdict.NOT_KNOWN, counted_wh=counted_wh)
    cloud_wh = sum(shape[time] for time in lacking)
    if not LEAST * cloud_wh <= counted_wh <= MOST * cloud_wh:
        is_little = abs(counted_wh - cloud_wh) <= ROUNDING_WH * len(lacking)
        verdict = FillVerdict.TOO_LITTLE if is_little else FillVerdict.CONTRADICTED
        return Placement(verdict, counted_wh=counted_wh, cloud_wh=cloud_wh)
    filled = _split_energy(unallocated_wh, lacking, shape)
    if filled is None:
        return Placement(FillVerdict.CONTRADICTED, counted_wh=counted_wh, cloud_wh=cloud_wh)
    return Placement(FillVerdict.PLACED, filled, counted_wh, cloud_wh)


def _split_energy(wh: float, measured: Mapping[int, float], shape: Mapping[int, float]) -> dict[int, float] | None:
    """The energy in the cloud's shape; None where what was measured contradicts the shape.

    Where more was measured than the shape has, nothing is added, and the others share what there is.
    """
    open_times = set(measured)
    while True:
        cloud_wh = sum(shape[time] for time in sorted(open_times))
        counted_wh = wh + sum(measured[time] for time in sorted(open_times))
        if not open_times or not LEAST * cloud_wh <= counted_wh <= MOST * cloud_wh:
            return None
        factor = counted_wh / cloud_wh
        full = {time for time in open_times if factor * shape[time] < measured[time]}
        if not full:
            return {
                time: factor * shape[time] - measured[time] if time in open_times else 0.0 for time in sorted(measured)
            }
        open_times -= full
