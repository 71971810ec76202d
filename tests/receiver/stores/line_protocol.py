"""A reader of line protocol by InfluxDB's own rules, written for the tests alone: it shares no code with the encoder."""

from typing import NamedTuple


class Line(NamedTuple):
    """One point as it was read."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, float | str]
    timestamp: int


def read(data: bytes) -> list[Line]:
    """The points of a write. Raises ValueError for what InfluxDB would not take."""
    text = data.decode()
    points, at = [], 0
    while at < len(text):
        point, at = _read_line(text, at)
        points.append(point)
    return points


def _read_line(text: str, at: int) -> tuple[Line, int]:
    measurement, at = _read_name(text, at, ", ")
    tags: dict[str, str] = {}
    while text[at] == ",":
        name, at = _read_name(text, at + 1, "=")
        tags[name], at = _read_name(text, at + 1, ", ")
        if not (name and tags[name]):
            raise ValueError("empty tag")
    fields: dict[str, float | str] = {}
    while text[at] == " " if not fields else text[at] == ",":
        name, at = _read_name(text, at + 1, "=")
        fields[name], at = _read_value(text, at + 1)
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return Line(measurement, tags, fields, int(text[at + 1 : end])), end + 1


def _read_name(text: str, at: int, ends: str) -> tuple[str, int]:
    """A name up to one of the characters that end it. A backslash before a comma, equals sign or space hides it."""
    read = ""
    while text[at] not in ends:
        if text[at] == "\n":
            raise ValueError("a newline ends the line, whatever stands before it")
        if text[at] == "\\" and text[at + 1] in ",= ":
            at += 1
        read += text[at]
        at += 1
    return read, at


def _read_value(text: str, at: int) -> tuple[float | str, int]:
    if text[at] != '"':
        end = at
        while text[end] not in ", ":
            end += 1
        if text[end - 1] in "iutfTFeE" or "n" in text[at:end].lower():
            raise ValueError("not a float")
        return float(text[at:end]), end
    read, at = "", at + 1
    while text[at] != '"':
        if text[at] == "\\" and text[at + 1] in '"\\':
            at += 1
        read += text[at]
        at += 1
    return read, at + 1
