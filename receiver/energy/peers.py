"""What the peers of a panel have: the other panels of its array, which see the same sun. Pure."""

from collections.abc import Iterable
from statistics import median
from typing import NamedTuple


class PeerValue(NamedTuple):
    """One panel's value.

    Attributes:
        inverter: Serial of its inverter.
        array: The group of panels that it belongs to; panels without one are a group of their own.
        value: Power or energy; None is unknown.
    """

    inverter: str
    array: str | None
    value: float | None


def median_of_peers(values: Iterable[PeerValue], inverter: str, array: str | None) -> float | None:
    """The median of what the other panels of an array have; None where none of them has anything."""
    others = [one.value for one in values if one.value is not None and one.array == array and one.inverter != inverter]
    return median(others) if others else None
