"""Whether powers that are measured apart agree: the same judgement in both halves. Pure."""

from collections.abc import Iterable

COMPARED_FROM_W = 200.0
"""Two powers are compared from where the larger one is this much: below, both may be noise or dusk."""
_TOLERANCE_W = 30.0
_TOLERANCE_SHARE = 0.02
"""Meters that differ by no more than this, beside a share of what they show, agree: dead-bands are as wide."""


def is_contradiction(supplies: Iterable[float]) -> bool:
    """Whether the powers (W) that supply a house say that it uses less than nothing, by more than meters differ."""
    known = list(supplies)
    return sum(known) < -(_TOLERANCE_W + _TOLERANCE_SHARE * sum(map(abs, known)))


def differ_by_half(measured: float, reported: float) -> bool:
    """Whether two powers (W) of one thing differ by more than half of the larger one, if that is worth comparing."""
    larger = max(abs(measured), abs(reported))
    return larger >= COMPARED_FROM_W and abs(measured - reported) > larger / 2
