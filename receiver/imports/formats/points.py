"""Points of an InfluxDB, whether they come as lines of a file or as answers to a query. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from line_protocol_parser import LineFormatError, parse_line

from receiver.imports.formats.summary import Skipped

NS_PER_MS = 1_000_000


class SourcePoint(NamedTuple):
    """One point as another program stored it; `time` is in nanoseconds since 1970, None where it has none."""

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, object]
    time: int | None


@dataclass(frozen=True, kw_only=True)
class InfluxQuestion:
    """What is asked for.

    Attributes:
        measurements: What stands after FROM: a quoted name, or a regular expression.
        fields: The fields whose first and last time are looked for.
        condition: Further conditions of InfluxQL with $names, or "".
        parameters: Their values.
        stretch_ms: How much time one answer may cover.
    """

    measurements: str
    fields: Sequence[str]
    condition: str
    parameters: Mapping[str, str]
    stretch_ms: int


def parse_point(line: str) -> SourcePoint | Skipped | None:
    """One line of line protocol, without its end (times in nanoseconds); None: it is empty or a comment."""
    try:
        point = parse_line(line) if line.strip() else None
    except (LineFormatError, ValueError):
        return Skipped("no line protocol")
    if point is None:
        return None
    return SourcePoint(point["measurement"], point["tags"], point["fields"], point["time"])
