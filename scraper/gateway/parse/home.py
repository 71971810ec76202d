"""`/home`: what the gateway says of the place where it stands. Pure."""

import re
from collections.abc import Mapping

_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,32}){0,2}")


def parse_time_zone(document: object) -> str | None:
    """The IANA name of the site's time zone; None where the gateway says none, or something that is no name."""
    zone = document.get("timezone") if isinstance(document, Mapping) else None
    return zone if isinstance(zone, str) and _ZONE.fullmatch(zone) else None
