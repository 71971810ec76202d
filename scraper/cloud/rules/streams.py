"""A stream as SolarNetwork configures it: which values go where, under which names. Pure."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import NamedTuple

import msgspec

from scraper.cloud.rules.references import Reference, find_source, list_references, parse_source_map
from scraper.errors import WrongUseError
from scraper.gateway.parse.values import Document, get_part
from shared.units import HOUR_S

TYPES = ("i", "a", "s", "t", "m")
"""Instantaneous, accumulating, status, tag and metadata: the last three are texts."""
_LAG_S = 3.0 * HOUR_S
_COUNTED = "wh"
"""What the accumulating counter adds up."""


class Property(NamedTuple):
    """One value of a stream.

    Attributes:
        reference: Where it comes from, with placeholders.
        name: What it is called in the datum.
        kind: One of `TYPES`.
        multiplier: It is multiplied by this.
        scale: Then rounded to so many decimals; None: to none.
    """

    reference: str
    name: str
    kind: str
    multiplier: Decimal | None = None
    scale: int | None = None


class StreamConfig(NamedTuple):
    """One stream.

    Attributes:
        source_id: Of the stream; the beginning of its sources where there is no map.
        source_map: Device to source.
        upper_case: Whether sources that are made of `source_id` are written in capitals.
        placeholders: Name to text.
        properties: The values.
        counters: Names of accumulating counters of `wh`.
        max_lag_s: So long inverters are waited for.
    """

    source_id: str
    source_map: Mapping[str, str] | None
    upper_case: bool
    placeholders: Mapping[str, str]
    properties: tuple[Property, ...]
    counters: tuple[str, ...] = ()
    max_lag_s: float = _LAG_S


class StreamRoute(NamedTuple):
    """One value, and where it goes."""

    reference: Reference
    source: str
    target: Property


def parse_stream(document: object) -> StreamConfig:
    """SolarNetwork's JSON. Raises WrongUseError, which says what is wrong with it."""
    if not isinstance(document, dict):
        raise WrongUseError('the configuration must be an object with "stream" and "properties"')
    stream = get_part(document, "stream")
    own = get_part(stream, "serviceProperties")
    source_id = stream.get("sourceId")
    properties = tuple(_parse_property(entry) for entry in _list(document, "properties"))
    if not properties:
        raise WrongUseError('the configuration has no "properties": nothing would be read')
    return StreamConfig(
        source_id if isinstance(source_id, str) else "",
        parse_source_map(own.get("sourceIdMap")),
        own.get("upperCaseSourceId") in (True, "true"),
        {name: str(text) for name, text in get_part(own, "placeholders").items()},
        properties,
        tuple(_parse_counter(entry) for entry in _list(document, "expressions")),
        _parse_lag(own.get("deviceReportingMaximumLag")),
    )


def list_routes(config: StreamConfig) -> tuple[StreamRoute, ...]:
    """Every value that can be read and has a source, in the order of the properties."""
    return tuple(_make_routes(config))


def scale_value(value: float, target: Property) -> Decimal:
    """Multiplied, then rounded half up if it has more decimals than wanted; trailing zeros are dropped."""
    number = Decimal(repr(value))
    if target.multiplier is not None:
        number *= target.multiplier
    if target.scale is not None and number != number.to_integral_value():
        number = number.quantize(Decimal(1).scaleb(-target.scale), ROUND_HALF_UP)
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()


def _make_routes(config: StreamConfig) -> Iterator[StreamRoute]:
    for one in config.properties:
        for reference in list_references(one.reference, config.placeholders, config.source_map):
            source = find_source(reference, config.source_map, source_id=config.source_id, upper_case=config.upper_case)
            if source is not None and reference.is_readable:
                yield StreamRoute(reference, source, one)


def _parse_property(entry: Document) -> Property:
    reference, name, kind = (entry.get(key) for key in ("valueReference", "propertyName", "propertyType"))
    if not (isinstance(reference, str) and isinstance(name, str) and name and kind in TYPES):
        raise WrongUseError(
            f"each property needs valueReference, propertyName and a propertyType of {', '.join(TYPES)}"
        )
    multiplier, scale = entry.get("multiplier"), entry.get("scale")
    try:
        factor = None if multiplier is None else Decimal(str(multiplier))
    except InvalidOperation:
        raise WrongUseError("multiplier must be a number") from None
    if scale is not None and (isinstance(scale, bool) or not isinstance(scale, int)):
        raise WrongUseError("scale must be a whole number")
    return Property(reference, name, str(kind), factor, scale)


def _parse_counter(entry: Document) -> str:
    name = entry.get("propertyName")
    if not isinstance(name, str) or entry.get("propertyType") != "a":
        raise WrongUseError(
            f"of the expressions only one is known: an accumulating (a) counter of the property {_COUNTED}"
        )
    return name


def _parse_lag(value: object) -> float:
    if value is None or value == "":
        return _LAG_S
    try:
        return msgspec.convert(value, timedelta, strict=False).total_seconds()
    except msgspec.ValidationError:
        raise WrongUseError("deviceReportingMaximumLag must be seconds, or a duration like PT3H") from None


def _list(document: Document, key: str) -> list[Document]:
    found = document.get(key) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise WrongUseError(f'"{key}" must be a list of objects')
    return found
