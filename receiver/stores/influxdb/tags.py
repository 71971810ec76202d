"""Tag values as InfluxDB can hold them. Pure.

Line protocol has no way to write a newline in a tag, nor a backslash at its end, and the predicate of a deletion may
have no control characters. Real serials, phases and panel names have none of these and are stored as they are, so
dashboards see plain names; for the rest one rare character introduces an escape of our own: what comes back out is what
went in, whatever it was.
"""

import re

_ESCAPE = "\N{SYMBOL FOR ESCAPE}"
_LETTERS = {"\n": "n", "\r": "r", "\0": "0", "\\": "b", _ESCAPE: "e"}
_MEANINGS = {letter: character for character, letter in _LETTERS.items()}
_UNFIT = re.compile(rf"[\n\r\0{_ESCAPE}]|\\\Z")
_ESCAPED = re.compile(rf"{_ESCAPE}([{''.join(_MEANINGS)}])")


def to_influx(value: str) -> str:
    """The text that InfluxDB holds for a tag value: nearly always the value itself."""
    return _UNFIT.sub(lambda found: _ESCAPE + _LETTERS[found[0]], value)


def from_influx(text: str) -> str:
    """The tag value that `to_influx` made this of."""
    return _ESCAPED.sub(lambda found: _MEANINGS[found[1]], text) if _ESCAPE in text else text
