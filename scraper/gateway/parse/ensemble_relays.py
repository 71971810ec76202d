"""`/ivp/ensemble/dry_contacts`: the controller's switched outputs. Pure."""

import re
from collections.abc import Mapping

from scraper.errors import BadReplyError
from scraper.gateway.parse.values import Notes, list_objects

_WHERE = "ensemble.dry_contacts"
_NAME = re.compile(r"[A-Za-z0-9]{1,16}")
_STATES = frozenset({"open", "closed"})


def parse_dry_contacts(data: object, notes: Notes | None = None) -> dict[str, str]:
    """`open` or `closed` by the contact's name (NC1, NC2, NO1, NO2).

    Raises:
        BadReplyError: The reply is no object, or holds no list.
    """
    notes = notes or Notes()
    if not isinstance(data, Mapping):
        raise BadReplyError("the reply for ensemble.dry_contacts is not an object; trying again at the next poll")
    found: dict[str, str] = {}
    for contact in list_objects(data.get("dry_contacts", []), _WHERE, notes):
        name, state = contact.get("id"), contact.get("status")
        if isinstance(name, str) and _NAME.fullmatch(name) and isinstance(state, str) and state in _STATES:
            found.setdefault(name, state)
        else:
            notes.refuse(f"{_WHERE}.status")
    return found
