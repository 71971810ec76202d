"""Energy (Wh) as the integral of power (W) over windows; nothing is integrated across a gap."""

from collections.abc import Sequence
from typing import NamedTuple

from receiver.energy.coverage import measure_share
from receiver.energy.interpolation import Segments
from receiver.energy.means import compute_area
from receiver.energy.windows import cut_by_window
from shared.units import HOUR_MS


class WindowEnergy(NamedTuple):
    """Energy of one window.

    Attributes:
        wh: Watt-hours in the known part of the window, signed as the power is; None where nothing is known.
        coverage: The known share of the window, 0 to 1.
        unallocated_wh: Further energy by counter of gaps that end in this window and began before it: it flowed here
            or earlier.
        taken_over_wh: The part of `wh` that nobody measured here: an import says it. None for none.
        taken_over_unallocated_wh: Further energy of an import whose window ends in this one and began before it; None
            for none.
        filled_wh: The part of `wh` that stands in this window because the linked system of the cloud says so. None for
            none.
        uncounted_wh: The part of `filled_wh` that no counter here has counted: it is as the cloud gives it. None for
            none.
    """

    wh: float | None
    coverage: float
    unallocated_wh: float = 0.0
    taken_over_wh: float | None = None
    taken_over_unallocated_wh: float | None = None
    filled_wh: float | None = None
    uncounted_wh: float | None = None


class SignedEnergy(NamedTuple):
    """The energy of both directions in one window: netted over time by nothing but the power's own sign.

    Attributes:
        positive_wh: Watt-hours while the power was positive, at least 0; None where nothing is known.
        negative_wh: Watt-hours while the power was negative, as a number of at least 0; None likewise.
        coverage: The known share of the window, 0 to 1.
    """

    positive_wh: float | None
    negative_wh: float | None
    coverage: float


def compute_energy_wh(power: Segments, start: int, stop: int) -> WindowEnergy:
    """The energy in [start, stop) (UTC milliseconds) of a power in W. Raises ValueError if the window is empty."""
    return compute_window_energy(power, (start, stop))[0]


def compute_window_energy(power: Segments, boundaries: Sequence[int]) -> list[WindowEnergy]:
    """The energy of each window between neighbouring boundaries (UTC milliseconds). Raises ValueError for bad ones."""
    return [
        WindowEnergy(compute_area(inside) / HOUR_MS, measure_share(inside, start, stop))
        if inside
        else WindowEnergy(None, 0.0)
        for start, stop, inside in cut_by_window(power, boundaries)
    ]


def compute_positive_negative_wh(power: Segments, start: int, stop: int) -> SignedEnergy:
    """Both directions of a power in W over [start, stop); exact where a segment crosses zero."""
    return compute_window_positive_negative(power, (start, stop))[0]


def compute_window_positive_negative(power: Segments, boundaries: Sequence[int]) -> list[SignedEnergy]:
    """Both directions for each window between neighbouring boundaries (UTC milliseconds)."""
    answers = []
    for start, stop, inside in cut_by_window(power, boundaries):
        if not inside:
            answers.append(SignedEnergy(None, None, 0.0))
            continue
        above = sum(_compute_area_above(s.first, s.last) * (s.stop - s.start) for s in inside) / HOUR_MS
        below = sum(_compute_area_above(-s.first, -s.last) * (s.stop - s.start) for s in inside) / HOUR_MS
        answers.append(SignedEnergy(above, below, measure_share(inside, start, stop)))
    return answers


def _compute_area_above(first: float, last: float) -> float:
    """The integral above zero of a line from `first` to `last` over a unit of time."""
    if first >= 0 and last >= 0:
        return (first + last) / 2
    if first <= 0 and last <= 0:
        return 0.0
    peak = max(first, last)
    return peak / 2 * (peak / abs(first - last))  # a triangle: its base is the part above zero
