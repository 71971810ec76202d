"""`/ivp/ensemble/generator`: whether there is a generator, and whether it runs. Pure."""

from collections.abc import Mapping

from scraper.errors import BadReplyError
from scraper.gateway.parse.values import Notes, read_number
from shared.readings import FieldValue

_WHERE = "ensemble.generator"
_RUNNING = {"closed": 1.0, "close": 1.0, "open": 0.0}
"""The generator's relay: while it is closed, the generator feeds the house."""
_LIMITS = {"start_soc": "start_state_of_charge", "stop_soc": "stop_state_of_charge"}


def parse_generator(data: object, notes: Notes | None = None) -> dict[str, FieldValue]:
    """Fields of kind `generator`; none where no generator is installed.

    Firmware gives a generator that nobody installed as `present` with an `admin_state` of `unknown`.

    Raises:
        BadReplyError: The reply is no object.
    """
    notes = notes or Notes()
    if not isinstance(data, Mapping):
        raise BadReplyError("the reply for ensemble.generator is not an object; trying again at the next poll")
    admin, oper = data.get("admin_state"), data.get("oper_state")
    is_known = isinstance(admin, str) and admin in _RUNNING
    if not read_number(data.get("present")) or not (is_known or _RUNNING.get(str(oper))):
        return {}
    fields: dict[str, FieldValue] = {"known": 0.0}
    if isinstance(oper, str) and oper in _RUNNING:
        fields = {"known": 1.0, "running": _RUNNING[oper]}
    else:
        notes.refuse(f"{_WHERE}.oper_state")
    for key, name in _LIMITS.items():
        percent = read_number(data.get(key))
        if percent is not None and 0 <= percent <= 100:  # -1: not set
            fields[name] = percent
    return fields
