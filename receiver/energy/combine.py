"""Sums of series: phases of a meter, meters of a site. Unknown wherever any part is unknown."""

from collections.abc import Sequence

from receiver.energy.interpolation import Segment, Segments


def add(series: Sequence[Segments]) -> list[Segment]:
    """The sum of series (all in one unit); its breakpoints are those of all of them, merged."""
    total = list(series[0]) if series else []
    for part in series[1:]:
        total = _add_two(total, part)
    return total


def _add_two(one: Segments, other: Segments) -> list[Segment]:
    # Written out, for the roll-ups spend their time here: it handles a thousand readings of a quarter hour at a time.
    total: list[Segment] = []
    index, position = 0, 0
    while index < len(one) and position < len(other):
        a, b = one[index], other[position]
        start = max(b.start, a.start)
        stop = min(b.stop, a.stop)
        if start < stop:
            first = (a.first if a.start == start else a.interpolate(start)) + (
                b.first if b.start == start else b.interpolate(start)
            )
            last = (a.last if a.stop == stop else a.interpolate(stop)) + (
                b.last if b.stop == stop else b.interpolate(stop)
            )
            total.append(Segment(start, stop, first, last))
        index += a.stop == stop
        position += b.stop == stop
    return total


def fill_in(series: Segments, stand_in: Segments) -> list[Segment]:
    """A series, and where it is unknown another one that measures the same."""
    found = list(series)
    position = 0
    for one in stand_in:
        start = one.start
        while position < len(series) and series[position].stop <= start:
            position += 1
        for known in series[position:]:
            if known.start >= one.stop:
                break
            if start < known.start:
                found.append(one.clip(start, known.start))
            start = known.stop
        if start < one.stop:
            found.append(one.clip(start, one.stop))
    return sorted(found)


def scale(segments: Segments, factor: float) -> list[Segment]:
    """A series times a factor; -1 turns its sign."""
    return [Segment(s.start, s.stop, s.first * factor, s.last * factor) for s in segments]


def keep_positive(segments: Segments) -> list[Segment]:
    """A series with 0 in the place of what is below; exact where a line crosses zero, but for a millisecond."""
    found: list[Segment] = []
    for one in segments:
        if one.first >= 0 and one.last >= 0:
            found.append(one)
        elif one.first <= 0 and one.last <= 0:
            found.append(Segment(one.start, one.stop, 0.0, 0.0))
        else:
            crossing = one.start + round((one.stop - one.start) * one.first / (one.first - one.last))
            parts = [(one.start, crossing, one.first, 0.0), (crossing, one.stop, 0.0, one.last)]
            found += [Segment(start, stop, max(a, 0.0), max(b, 0.0)) for start, stop, a, b in parts if start < stop]
    return found
