"""Tag values as InfluxDB can hold them. Pure.

Line protocol has no way to write a newline in a tag, nor a backslash at its end. Real serials, phases and panel names
have neither and are stored as they are, so dashboards see plain names; for the rest one rare character introduces an
escape of our own: what comes back out is what went in, whatever it was.
"""

_ESCAPE = "\N{SYMBOL FOR ESCAPE}"
_NEWLINE, _BACKSLASH, _ITSELF = (_ESCAPE + letter for letter in "nbe")


def to_influx(value: str) -> str:
    """The text that InfluxDB holds for a tag value: nearly always the value itself."""
    if _ESCAPE in value:
        value = value.replace(_ESCAPE, _ITSELF)
    if "\n" in value:
        value = value.replace("\n", _NEWLINE)
    return value[:-1] + _BACKSLASH if value.endswith("\\") else value


def from_influx(text: str) -> str:
    """The tag value that `to_influx` made this of."""
    if _ESCAPE not in text:
        return text
    return text.replace(_NEWLINE, "\n").replace(_BACKSLASH, "\\").replace(_ITSELF, _ESCAPE)
