"""Sums of series: phases of a meter, meters of a site. Unknown wherever any part is unknown."""

from collections.abc import Sequence

from shared.energy.interpolation import Segment, Segments


def add(series: Sequence[Segments]) -> list[Segment]:
    """The sum of series (all in one unit); its breakpoints are those of all of them, merged."""
    if len(series) == 1:
        return list(series[0])
    total: list[Segment] = []
    positions = [0] * len(series)
    while series and all(position < len(part) for position, part in zip(positions, series, strict=True)):
        current = [part[position] for position, part in zip(positions, series, strict=True)]
        start = max(segment.start for segment in current)
        stop = min(segment.stop for segment in current)
        if start < stop:
            total.append(Segment(start, stop, sum(s.at(start) for s in current), sum(s.at(stop) for s in current)))
        for index, segment in enumerate(current):
            if segment.stop == stop:
                positions[index] += 1
    return total


def scale(segments: Segments, factor: float) -> list[Segment]:
    """A series times a factor; -1 turns its sign."""
    return [Segment(s.start, s.stop, s.first * factor, s.last * factor) for s in segments]
