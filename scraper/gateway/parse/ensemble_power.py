"""`/ivp/ensemble/power`: what every battery gives or takes now. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from scraper.errors import BadReplyError
from scraper.gateway.parse.values import Notes, list_objects, read_fields
from shared.keys import is_serial

_WHERE = "ensemble.power"
_KEYS = ("devices:", "devices")
"""The key ends in a colon on every firmware seen; one that drops it must not cost the power."""
_FIELDS = {"real_power_mw": ("power", 1000.0), "soc": ("state_of_charge", 1.0)}


class BatteryPower(NamedTuple):
    """One battery now.

    Attributes:
        power: W, + discharge, - charge; None if the gateway gives none.
        state_of_charge: %; None likewise.
    """

    power: float | None
    state_of_charge: float | None


def parse_ensemble_power(data: object, notes: Notes | None = None) -> dict[str, BatteryPower]:
    """The batteries by serial number; empty where there is none.

    Raises:
        BadReplyError: The reply is no object, or holds no list.
    """
    notes = notes or Notes()
    if not isinstance(data, Mapping):
        raise BadReplyError("the reply for ensemble.power is not an object; trying again at the next poll")
    devices: object = next((data[key] for key in _KEYS if key in data), [])
    found: dict[str, BatteryPower] = {}
    for device in list_objects(devices, _WHERE, notes):
        serial = device.get("serial_num")
        if not isinstance(serial, str) or not is_serial(serial) or serial in found:
            notes.refuse(f"{_WHERE}.serial_num")
            continue
        fields = read_fields(device, _FIELDS, _WHERE, notes)
        found[serial] = BatteryPower(fields.get("power"), fields.get("state_of_charge"))
    return found
