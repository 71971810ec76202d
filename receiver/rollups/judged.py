"""Quarter hours whose counters were judged by what was known of the days before them. Pure.

Whether a large step of a counter is possible in this house is known from the week before it. Where readings of that
week come late, the step is judged again: what was a reset may have been energy, and the other way round.
"""

from collections.abc import Iterable, Mapping

from receiver.rollups.series import LONGEST_GAP_MS
from receiver.stores.base import Point
from receiver.stores.kinds import ENERGY_QUANTITIES
from shared.fields import MAX_GAP_MS
from shared.readings import FieldValue
from shared.units import DAY_MS, QUARTER_MS

SEEN_MS = 7 * DAY_MS
"""The highest power of a meter is sought this far before a step that it is to judge."""
REACH_MS = SEEN_MS + LONGEST_GAP_MS
"""So long after a reading the steps end that it may judge; over a longer gap they say little."""
_COVERAGES = tuple(f"{name}_coverage" for name in ENERGY_QUANTITIES)
FIELDS = ("resets", "unallocated_since", *_COVERAGES)
"""What is read of `energy_15m` to find them."""
KINDS = ("meter_energy", "production", "inverter")
"""Readings that judge."""
_UNBROKEN = 1 - MAX_GAP_MS / QUARTER_MS
"""The coverage of a quarter hour without a gap."""


def list_judged_quarters(energies: Iterable[Point], total_since: int | None = None) -> frozenset[int]:
    """The quarter hours (UTC milliseconds) that a large step touches, from rows of `energy_15m`.

    These are the ones that a reset or a gap left its mark on: the steps between two readings of a minute are small.

    Args:
        energies: The rows.
        total_since: Since when a total without a list of inverters is read, as far as was known. For a day such a site
            is new, and a step of half an hour, over which the total is shared evenly, leaves no mark.
    """
    found: set[int] = set()
    for time, fields in energies:
        if fields.get("resets"):
            found |= {time - QUARTER_MS, time}  # it may have begun in the one before
        elif (total_since is not None and time < total_since + DAY_MS) or _has_gap(fields):
            found.add(time)
    return frozenset(found)


def _has_gap(fields: Mapping[str, FieldValue]) -> bool:
    return "unallocated_since" in fields or any(_is_below(fields.get(name), _UNBROKEN) for name in _COVERAGES)


def _is_below(value: FieldValue | None, least: float) -> bool:
    return isinstance(value, float) and value < least
