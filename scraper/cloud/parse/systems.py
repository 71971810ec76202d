"""`systems` and `systems/{id}`: the systems of the account. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from scraper.cloud.parse.replies import list_entries, read_count, read_moment, require_object
from scraper.errors import BadReplyError
from scraper.gateway.parse.values import Document, get_part

_WHERE = "systems"
_PLACE = {"l": "city", "st": "state", "c": "country", "postalCode": "postal_code"}
"""Names that SolarNetwork gives, to the cloud's."""


class CloudSystem(NamedTuple):
    """One system.

    Attributes:
        system_id: Its number.
        name: As its owner calls it.
        time_zone: IANA name; empty where the cloud does not say.
        place: City (`l`), state (`st`), country (`c`) and `postalCode`, where they are not empty.
        last_report_s: When its gateway talked to the cloud last (epoch seconds).
    """

    system_id: int
    name: str
    time_zone: str
    place: Mapping[str, str]
    last_report_s: int | None


class SystemsPage(NamedTuple):
    """One page of the list.

    Attributes:
        systems: Those on it.
        has_more: Whether another page follows.
    """

    systems: tuple[CloudSystem, ...]
    has_more: bool


def parse_systems(reply: object) -> SystemsPage:
    """Raises BadReplyError."""
    document = require_object(reply, _WHERE)
    systems = tuple(_parse(entry) for entry in list_entries(document, "systems", _WHERE))
    total, page, size, count = (
        read_count(document.get(name)) or 0 for name in ("total", "current_page", "size", "count")
    )
    return SystemsPage(systems, bool(systems) and (page - 1) * size + count < total)


def parse_system(reply: object) -> CloudSystem:
    """Raises BadReplyError."""
    return _parse(require_object(reply, _WHERE))


def _parse(entry: Document) -> CloudSystem:
    system_id = read_count(entry.get("system_id"))
    if not system_id:
        raise BadReplyError("the cloud lists a system without a number; trying again at the next pass")
    address = get_part(entry, "address")
    place = {name: text for name, key in _PLACE.items() if (text := _read_text(address.get(key)))}
    name, zone = _read_text(entry.get("name")), _read_text(entry.get("timezone"))
    return CloudSystem(system_id, name, zone, place, read_moment(entry.get("last_report_at")))


def _read_text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
