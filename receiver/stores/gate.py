"""The gate before every store: what may be written at all, by the field dictionary. Pure.

Databases do not enforce one type per field reliably (InfluxDB takes another type in another shard, SQLite takes
anything and makes NULL of NaN), so no store relies on its database for it. Readings of scrapers have passed
`receiver.ingest.validate`, which lets nothing through that would be refused here (a test compares both): rows that
say so by their `series` may pass by.
"""

from collections.abc import Mapping
from math import isfinite

from receiver.stores.kinds import STORED
from shared.problems import Rejection
from shared.readings import Reading

MAX_TIMESTAMP_MS = (2**63 - 1) // 1_000_000
"""The year 2262: InfluxDB keeps nanoseconds in 64 bits. The same the other way, in 1677."""

_EXACT_INTEGER = 2**53  # beyond it a float no longer holds every integer
_TAGS = {name: frozenset(kind.tags) for name, kind in STORED.items()}
_TYPES: Mapping[str, Mapping[str, type[float] | type[str]]] = {
    name: {field: what.type for field, what in kind.fields.items()} for name, kind in STORED.items()
}
_NUMBERS = {
    name: frozenset(field for field, wanted in types.items() if wanted is float) for name, types in _TYPES.items()
}
_ONLY_FLOATS = frozenset({float})


def find_refusal(reading: Reading, *, series_known: bool = False) -> Rejection | None:
    """Why no store will ever hold this reading, or None if it may be written.

    Args:
        reading: Anything; nothing is taken for granted.
        series_known: A reading with this kind and these tags passed before, so they need no second look.
    """
    kind, fields = reading.kind, reading.fields
    if kind not in _TYPES:
        return Rejection.UNKNOWN_KIND
    if not fields:
        return Rejection.NO_KNOWN_FIELD
    if not (series_known or _has_right_tags(kind, reading.tags)):
        return Rejection.STORE_REFUSED
    if not -MAX_TIMESTAMP_MS <= reading.timestamp <= MAX_TIMESTAMP_MS:
        return Rejection.STORE_REFUSED
    if _has_only_plain_numbers(fields, _NUMBERS[kind]):
        return None
    types = _TYPES[kind]
    return None if all(_is_valid(value, types.get(name)) for name, value in fields.items()) else Rejection.STORE_REFUSED


def bound_timestamp(timestamp: int) -> int:
    """The nearest instant of those that readings may have and the next one: for bounds that no database can hold."""
    return min(max(timestamp, -MAX_TIMESTAMP_MS), MAX_TIMESTAMP_MS + 1)


def _has_right_tags(kind: str, tags: Mapping[str, str]) -> bool:
    return tags.keys() == _TAGS[kind] and all(map(_is_text, tags.values()))


def _has_only_plain_numbers(fields: Mapping[str, object], numbers: frozenset[str]) -> bool:
    """Whether all are finite floats of number fields: nearly every reading, checked without a step of Python per field.

    A sum is finite only if every part of it is. The sum of huge numbers may overflow: they get the closer look.
    """
    values = fields.values()
    return fields.keys() <= numbers and _ONLY_FLOATS.issuperset(map(type, values)) and isfinite(sum(values))  # type: ignore[arg-type]  # floats, as was just seen


def _is_valid(value: object, wanted: type[float] | type[str] | None) -> bool:
    if wanted is float:
        if type(value) is int:  # callers in Python write 5 for 5.0; a bool is no number
            return abs(value) <= _EXACT_INTEGER
        return type(value) is float and isfinite(value)
    return wanted is str and _is_text(value)


def _is_text(value: object) -> bool:
    """Whether it is a string that UTF-8 can hold: JSON can smuggle in lone surrogates, which no database takes."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
