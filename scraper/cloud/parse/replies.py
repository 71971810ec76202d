"""What the replies of the cloud have in common. Pure.

Null, an absent key and a number below zero (the cloud writes -1 for what it does not say) are unknown, never 0. What
one field lacks costs that field only; a reply that is no object, or lacks its list, is refused whole.
"""

from collections.abc import Iterator
from typing import NamedTuple

from scraper.errors import BadReplyError
from scraper.gateway.parse.values import Document, get_part, read_epoch_seconds, read_number


class ReplyMeta(NamedTuple):
    """How far the data of a system reach; epoch seconds, None where the cloud does not say.

    Attributes:
        last_report_s: The gateway talked to the cloud last.
        last_energy_s: The end of the newest interval whose energy is known.
    """

    last_report_s: int | None = None
    last_energy_s: int | None = None


def require_object(reply: object, where: str) -> Document:
    """The reply as an object. Raises BadReplyError."""
    if not isinstance(reply, dict):
        raise BadReplyError(f"the cloud's reply for {where} is no object; trying again at the next pass")
    return reply


def list_entries(document: Document, key: str, where: str) -> tuple[Document, ...]:
    """The objects of a list, and of the lists in it, in their order. Raises BadReplyError if there is no list."""
    found = document.get(key)
    if not isinstance(found, list):
        raise BadReplyError(f"the cloud's reply for {where} has no list of {key}; trying again at the next pass")
    return tuple(_list_objects(found))


def list_optional_entries(document: Document, key: str) -> tuple[Document, ...]:
    """The same where an absent list means that there are none."""
    found = document.get(key)
    return tuple(_list_objects(found)) if isinstance(found, list) else ()


def read_meta(document: Document) -> ReplyMeta:
    """The `meta` of a reply; some endpoints have none."""
    meta = get_part(document, "meta")
    return ReplyMeta(read_moment(meta.get("last_report_at")), read_moment(meta.get("last_energy_at")))


def read_moment(value: object) -> int | None:
    """Epoch seconds; None for what is unknown, and for 0."""
    return read_epoch_seconds(value) or None


def read_amount(value: object) -> float | None:
    """A number that is never below zero: energy, power of a roof."""
    number = read_number(value)
    return number if number is not None and number >= 0 else None


def read_count(value: object) -> int | None:
    """How many devices."""
    number = read_amount(value)
    return None if number is None else int(number)


def _list_objects(entries: list[object]) -> Iterator[Document]:
    for entry in entries:
        if isinstance(entry, dict):
            yield entry
        elif isinstance(entry, list):
            yield from (one for one in entry if isinstance(one, dict))
