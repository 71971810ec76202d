"""Random exception-reported series, and exact answers about them computed a different, slower way."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeAlias

import pytest
from hypothesis import strategies as st

from shared.fields import MAX_GAP_MS

Piece: TypeAlias = tuple[Fraction, Fraction, Fraction, Fraction]

START = 1_718_000_000_000

watts = st.integers(-20_000, 20_000).map(float)
pauses = st.integers(1, 100_000) | st.integers(MAX_GAP_MS - 2, MAX_GAP_MS + 2) | st.integers(MAX_GAP_MS + 1, 10_000_000)
"""Milliseconds between stored points: seconds apart, around the longest gap, and outages."""


def approximate(value: float) -> Any:
    """Equal to nine digits or a millionth; typed so that it may stand inside tuples of answers."""
    return pytest.approx(value, rel=1e-9, abs=1e-6)


@st.composite
def draw_series(draw, values=watts, smallest: int = 0) -> list[tuple[int, float]]:
    """Points of one series."""
    time = START
    points: list[tuple[int, float]] = []
    for pause, value in draw(st.lists(st.tuples(pauses, values), min_size=smallest, max_size=30)):
        time += pause
        points.append((time, value))
    return points


@st.composite
def draw_boundaries(draw, most: int = 8) -> list[int]:
    """Boundaries of windows on and around a series."""
    offsets = draw(st.lists(st.integers(-100_000, 3_000_000), min_size=2, max_size=most, unique=True))
    return [START + offset for offset in sorted(offsets)]


def cut_exactly(points: Sequence[tuple[int, float]], start: int, stop: int) -> list[Piece]:
    """(time from, time to, value there, value there) of every known piece in [start, stop), as fractions."""
    pieces = []
    for (t0, v0), (t1, v1) in pairwise(points):
        low, high = max(t0, start), min(t1, stop)
        if t1 - t0 > MAX_GAP_MS or low >= high:
            continue
        slope = (Fraction(v1) - Fraction(v0)) / (t1 - t0)
        pieces.append(
            (Fraction(low), Fraction(high), Fraction(v0) + slope * (low - t0), Fraction(v0) + slope * (high - t0))
        )
    return pieces


def compute_exact_area(pieces: Sequence[Piece]) -> Fraction:
    """Integral over time, in value times milliseconds."""
    return sum(((b - a) * (va + vb) / 2 for a, b, va, vb in pieces), Fraction(0))


def compute_exact_area_above(pieces: Sequence[Piece]) -> Fraction:
    """Integral of the positive part: pieces are cut where they cross zero."""
    total = Fraction(0)
    for a, b, va, vb in pieces:
        cut = a + (b - a) * va / (va - vb) if va * vb < 0 else b
        value = Fraction(0) if va * vb < 0 else vb
        total += max((cut - a) * (va + value) / 2, Fraction(0)) + max((b - cut) * (value + vb) / 2, Fraction(0))
    return total
