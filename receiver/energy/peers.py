"""What the peers of a panel have: the other panels of its array, which see the same sun. Pure."""

from bisect import bisect_left
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


def compute_median_of_peers(values: Iterable[PeerValue], inverter: str, array: str | None) -> float | None:
    """The median of what the other panels of an array have; None where none of them has anything."""
    others = [one.value for one in values if one.value is not None and one.array == array and one.inverter != inverter]
    return median(others) if others else None


class Peers:
    """`compute_median_of_peers` for every panel of a site in turn, ordered once: sites have hundreds of panels.

    Args:
        values: One of each panel, at most.
    """

    def __init__(self, values: Iterable[PeerValue]) -> None:
        self._own: dict[tuple[str, str | None], float] = {}
        self._ordered: dict[str | None, list[float]] = {}
        for one in values:
            if one.value is not None:
                self._own[one.inverter, one.array] = one.value
                self._ordered.setdefault(one.array, []).append(one.value)
        for group in self._ordered.values():
            group.sort()

    def find_median(self, inverter: str, array: str | None) -> float | None:
        """As `compute_median_of_peers`."""
        ordered, own = self._ordered.get(array, []), self._own.get((inverter, array))
        gone = len(ordered) if own is None else bisect_left(ordered, own)
        count = len(ordered) - (own is not None)
        if not count:
            return None
        middle = (at if at < gone else at + 1 for at in ((count - 1) // 2, count // 2))
        return median([ordered[at] for at in middle])
