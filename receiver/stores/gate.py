"""The gate before every store: what may be written at all, by the field dictionary. Pure.

Databases do not enforce one type per field reliably (InfluxDB takes another type in another shard, SQLite takes
anything and makes NULL of NaN), so no store relies on its database for it.
"""

from collections.abc import Mapping
from math import isfinite

from shared.fields import KINDS
from shared.problems import Rejection
from shared.readings import Reading

MAX_TIMESTAMP_MS = (2**63 - 1) // 1_000_000
"""The year 2262: InfluxDB keeps nanoseconds in 64 bits. The same the other way, in 1677."""

_EXACT_INTEGER = 2**53  # beyond it a float no longer holds every integer
_TAGS = {name: frozenset(kind.tags) for name, kind in KINDS.items()}
_TYPES: Mapping[str, Mapping[str, type[float] | type[str]]] = {
    name: {field: what.type for field, what in kind.fields.items()} for name, kind in KINDS.items()
}


def refusal(reading: Reading) -> Rejection | None:
    """Why no store will ever hold this reading, or None if it may be written."""
    types = _TYPES.get(reading.kind)
    if types is None:
        return Rejection.UNKNOWN_KIND
    if not reading.fields:
        return Rejection.NO_KNOWN_FIELD
    if reading.tags.keys() != _TAGS[reading.kind] or not all(map(_is_text, reading.tags.values())):
        return Rejection.STORE_REFUSED
    if not -MAX_TIMESTAMP_MS <= reading.timestamp <= MAX_TIMESTAMP_MS:
        return Rejection.STORE_REFUSED
    for name, value in reading.fields.items():
        if not _fits(value, types.get(name)):
            return Rejection.STORE_REFUSED
    return None


def _fits(value: object, wanted: type[float] | type[str] | None) -> bool:
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
