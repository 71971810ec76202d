"""Single values: what counts as a number, and notes about what did not. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from scraper.errors import BadReplyError

LARGEST = 2.0**63
"""Numbers beyond this size are no measurement."""
_END_OF_TIME = 2**32
_UNSIGNED = 2.0**32
"""Some firmware prints negative numbers of 32 bits as unsigned ones: this much too high."""
_LARGEST_SIGNED = 2.0**31
_ALWAYS_POSITIVE = frozenset({"delivered", "received", "energy_lifetime", "energy_today"})
"""Counters may grow beyond 2^31 of the device's unit, and never fall below 0."""
JOULES_PER_WH = 3600.0
_ABSENT = object()
_MOST_NAMES = 64
_LONGEST_NAME = 64

Document: TypeAlias = Mapping[str, object]
"""A JSON object."""

Table: TypeAlias = Mapping[str, tuple[str, float]]
"""Device key to (our field name, divisor into our unit)."""


class Notes:
    """What the parsers met on the way and could not use; names are "endpoint.key".

    A parser adds to the notes it is given, so one object may collect a whole poll or a whole day.

    Attributes:
        refused: Values that were there but no usable measurement (null, text, NaN, absurd), with how often.
        missing: Keys that this firmware does not send although others do: absent, never zero.
        unknown: Keys (or sections) that we do not know; at most 64 names are kept.
        odd: What was understood although it was not as it should be, e.g. a negative number printed as unsigned.
    """

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        self.missing: set[str] = set()
        self.unknown: set[str] = set()
        self.odd: set[str] = set()

    def refuse(self, name: str) -> None:
        """Count one unusable value."""
        self.refused[name] += 1

    def add_unknown(self, name: str) -> None:
        """Remember something new; the name comes from the device, so it is made printable and short."""
        if len(self.unknown) < _MOST_NAMES:
            self.unknown.add(ascii(name)[1:-1][:_LONGEST_NAME])

    def compare(self, where: str, document: Document, expected: frozenset[str], optional: frozenset[str]) -> None:
        """Note which expected keys the document lacks and which of its keys nobody knows."""
        keys = document.keys()
        if keys == expected:
            return
        self.missing.update(f"{where}.{key}" for key in expected - keys)
        for key in keys - expected - optional:
            self.add_unknown(f"{where}.{key}")


def read_number(value: object) -> float | None:
    """The value as a finite float, or None if it is no measurement (not a number, NaN, beyond 2**63).

    Booleans are no numbers here, and -0.0 becomes 0.0 so that equal values compare and hash alike.
    """
    if type(value) is not float and (isinstance(value, bool) or not isinstance(value, int | float)):
        return None
    if not -LARGEST <= value <= LARGEST:  # NaN fails every comparison
        return None
    return float(value) + 0.0


def read_epoch_seconds(value: object) -> int | None:
    """A date of the device: seconds since 1970, 0 for "never", None if it is no date."""
    seconds = read_number(value)
    return int(seconds) if seconds is not None and 0 <= seconds < _END_OF_TIME else None


def read_fields(document: Document, table: Table, where: str, notes: Notes) -> dict[str, float]:
    """The fields of `table` that the document has and that are numbers, in our names and units."""
    fields = {}
    for key, (name, divisor) in table.items():
        raw = document.get(key, _ABSENT)
        if type(raw) is float and -LARGEST <= raw < _LARGEST_SIGNED:  # nearly always, on the hot path
            fields[name] = raw / divisor + 0.0
        elif raw is not _ABSENT:
            value = read_number(raw)
            if value is None:
                notes.refuse(f"{where}.{key}")
                continue
            if _LARGEST_SIGNED <= value < _UNSIGNED and name not in _ALWAYS_POSITIVE:
                notes.odd.add(f"{where}.{key} unsigned")
                value -= _UNSIGNED
            fields[name] = value / divisor
    return fields


def get_part(document: Document, key: str) -> Document:
    """The object under a key; an empty one where there is none."""
    part = document.get(key)
    return part if isinstance(part, Mapping) else {}


def list_objects(data: object, where: str, notes: Notes) -> Iterator[Document]:
    """The objects of a list reply; other elements are refused one by one.

    Raises:
        BadReplyError: The reply is no list.
    """
    if not isinstance(data, list):
        raise BadReplyError(f"the reply for {where} is not a list; trying again at the next poll")
    for entry in data:
        if isinstance(entry, Mapping):
            yield entry
        else:
            notes.refuse(where)
