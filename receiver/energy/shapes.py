"""Groups of panels that see the same sun, found by the shape of their day. Pure.

Where the owner names no arrays, panels that face the same way are told by when they give power, not by how much: the
cosine of two days is the same for a weak panel as for a strong one. A panel whose day has a shape of its own (a tree in
the afternoon) founds no group: it is compared with the group that it resembles most, and is seen to be behind it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_SAME_SHAPE = 0.995
"""Two days whose cosine is at least this have one shape; panels that face the same way have more."""
_SMALLEST_GROUP = 3
_FEWEST_QUARTERS = 12
"""Quarter hours with light; fewer have no shape."""
_LIGHT_W = 10.0

Profile = Mapping[int, float]
"""Power (W) by the start of its quarter hour."""


class _ShapeGroup(NamedTuple):
    """Days of one shape: the sum of the days, each of length 1, and how many there are at each time."""

    sums: dict[int, float]
    counts: dict[int, int]
    members: list[str]

    def add(self, serial: str, day: Profile) -> None:
        """Take a day in."""
        self.members.append(serial)
        for time, value in day.items():
            self.sums[time] = self.sums.get(time, 0.0) + value
            self.counts[time] = self.counts.get(time, 0) + 1

    def compare(self, day: Profile) -> float:
        """The cosine of a day and the mean of the group, over the times that both know; 0 where there are none."""
        common = [(value, self.sums[time] / self.counts[time]) for time, value in day.items() if time in self.sums]
        product = sum(one * other for one, other in common)
        lengths = math.hypot(*(one for one, _ in common)) * math.hypot(*(other for _, other in common))
        return product / lengths if lengths else 0.0


def group_by_shape(days: Mapping[str, Profile]) -> dict[str, int]:
    """The number of the group of each panel whose day has a shape.

    Args:
        days: Power of the quarter hours of one day, by serial.

    Returns:
        Panels that are absent have too little light or too few reports to tell.
    """
    shapes = {serial: shape for serial, day in days.items() if (shape := _find_shape(day)) is not None}
    groups: list[_ShapeGroup] = []
    for serial in sorted(shapes, key=lambda one: (-sum(days[one].values()), one)):  # the least shaded found groups
        group = _find_nearest(groups, shapes[serial], _SAME_SHAPE)
        if group is None:
            group = _ShapeGroup({}, {}, [])
            groups.append(group)
        group.add(serial, shapes[serial])
    large = [group for group in groups if len(group.members) >= _SMALLEST_GROUP]
    if not large:
        return dict.fromkeys(shapes, 0)
    nearest = {serial: _find_nearest(large, shape, 0.0) for serial, shape in shapes.items()}
    return {serial: large.index(group) for serial, group in nearest.items() if group is not None}


def _find_shape(day: Profile) -> Profile | None:
    """The day with the length 1; None if it has too little light to tell."""
    if sum(power >= _LIGHT_W for power in day.values()) < _FEWEST_QUARTERS:
        return None
    length = math.hypot(*day.values())
    return {time: max(0.0, power) / length for time, power in day.items()}


def _find_nearest(groups: Sequence[_ShapeGroup], day: Profile, least: float) -> _ShapeGroup | None:
    """The group that a day resembles most, at least so much."""
    best = max(groups, key=lambda group: group.compare(day), default=None)
    return best if best is not None and best.compare(day) >= least else None
