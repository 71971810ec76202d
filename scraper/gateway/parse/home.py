"""`/home`: what the gateway says of the place where it stands, and how many devices it hears. Pure."""

import re
from collections.abc import Iterator, Mapping

from scraper.gateway.parse.values import read_number

_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,32}){0,2}")


def parse_time_zone(document: object) -> str | None:
    """The IANA name of the site's time zone; None where the gateway says none, or something that is no name."""
    zone = document.get("timezone") if isinstance(document, Mapping) else None
    return zone if isinstance(zone, str) and _ZONE.fullmatch(zone) else None


def count_batteries(document: object) -> int:
    """How many batteries the gateway hears, of both kinds: this page says so also to logins that may ask none of them.

    `comm` has `acb: {num}` and `encharge: [{num}]` (7.6.175 to 8.3.5169).
    """
    heard = document.get("comm") if isinstance(document, Mapping) else None
    counts = (read_number(part.get("num")) for part in _list_heard(heard))
    return sum(int(count) for count in counts if count is not None and count > 0)


def _list_heard(heard: object) -> Iterator[Mapping[str, object]]:
    for name in ("acb", "encharge"):
        parts = heard.get(name) if isinstance(heard, Mapping) else None
        yield from (part for part in (parts if isinstance(parts, list) else [parts]) if isinstance(part, Mapping))
