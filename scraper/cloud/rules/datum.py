"""Datum: the named values of one source at one time, with the counter that adds up. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from scraper.cloud.rules.streams import StreamRoute, scale_value
from scraper.cloud.rules.values import Values
from shared.readings import FieldValue, Reading
from shared.units import SECOND_MS

KIND = "datum"
_FIELDS = {"i": "instantaneous", "a": "accumulating"}
_TEXT = "text"


class Datum(NamedTuple):
    """One datum.

    Attributes:
        source: Its source.
        end_s: Its time: the end of the interval (epoch seconds).
        values: Property type and name to value.
    """

    source: str
    end_s: int
    values: Mapping[tuple[str, str], Decimal]


def make_datum(routes: Iterable[StreamRoute], values: Mapping[tuple[int, str], Values]) -> dict[str, list[Datum]]:
    """The datum of every source, the oldest first; one without any value is none.

    Args:
        routes: Which values go where.
        values: Of each system and device type what the cloud says.
    """
    found: dict[str, dict[int, dict[tuple[str, str], Decimal]]] = {}
    for reference, source, target in routes:
        at = found.setdefault(source, {})
        for end_s, fields in values.get((reference.system_id, reference.device_type), {}).items():
            if (value := fields.get(reference.field)) is not None:
                at.setdefault(end_s, {})[target.kind, target.name] = scale_value(value, target)
    return {source: [Datum(source, end_s, at[end_s]) for end_s in sorted(at)] for source, at in found.items() if at}


def count_up(datum: Iterable[Datum], name: str, before: Decimal | None) -> list[Datum]:
    """Add the accumulating counter `name` to the datum of one source.

    It is the counter of the datum before plus `wh`; `wh` alone after one without a counter; 0 where there is no `wh`.

    Args:
        datum: The oldest first.
        name: Of the counter.
        before: The counter of the datum before the first; None if there is none.
    """
    counted = []
    for one in datum:
        amount = next((value for (_, key), value in one.values.items() if key == "wh"), None)
        before = Decimal(0) if amount is None else amount + (before or 0)
        counted.append(one._replace(values={**one.values, ("a", name): before}))
    return counted


def make_datum_rows(datum: Datum) -> list[Reading]:
    """A reading for each value: its name is a tag, so that any name can be stored."""
    rows = []
    for (kind, name), value in datum.values.items():
        field = _FIELDS.get(kind, _TEXT)
        stored: FieldValue = str(value) if field == _TEXT else float(value)
        tags = {"source_id": datum.source, "property": name}
        rows.append(Reading(KIND, tags, datum.end_s * SECOND_MS, {field: stored}))
    return rows
