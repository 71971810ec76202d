"""Whether powers that are measured apart agree: the same judgement in both halves. Pure."""

from collections.abc import Iterable

DAYLIGHT_W = 200.0
"""Where the larger of two powers is less than this, it is no daylight, and they are not compared."""
_TOLERANCE_W = 30.0
_TOLERANCE_SHARE = 0.02
"""Meters that differ by no more than this, beside a share of what they show, agree: dead-bands are as wide."""


def is_contradiction(supplies: Iterable[float]) -> bool:
    """Whether the powers (W) that supply a house say that it uses less than nothing, by more than meters differ."""
    known = list(supplies)
    return sum(known) < -(_TOLERANCE_W + _TOLERANCE_SHARE * sum(map(abs, known)))


def differ_by_half(measured: float, reported: float) -> bool:
    """Whether two powers (W) of one thing differ by more than half of the larger one, in daylight."""
    larger = max(abs(measured), abs(reported))
    return larger >= DAYLIGHT_W and abs(measured - reported) > larger / 2
