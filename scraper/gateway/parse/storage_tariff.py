"""`/admin/lib/tariff`: how the batteries are to be used. Pure."""

from collections.abc import Mapping

from scraper.errors import BadReplyError
from scraper.gateway.parse.values import Notes, read_fields
from shared.fields import MAX_TEXT
from shared.readings import FieldValue

_WHERE = "tariff.storage_settings"
_PERCENT = {"reserved_soc": ("reserve", 1.0), "very_low_soc": ("very_low", 1.0)}
_SWITCHES = {"charge_from_grid": "charge_from_grid", "opt_schedules": "optimised"}


def parse_storage_tariff(data: object, notes: Notes | None = None) -> dict[str, FieldValue]:
    """Fields of kind `tariff`; none where the gateway keeps no settings.

    Raises:
        BadReplyError: The reply is no object.
    """
    notes = notes or Notes()
    if not isinstance(data, Mapping):
        raise BadReplyError("the reply for tariff is not an object; trying again at the next poll")
    tariff = data.get("tariff")
    settings = tariff.get("storage_settings") if isinstance(tariff, Mapping) else None
    if not isinstance(settings, Mapping):
        return {}
    fields: dict[str, FieldValue] = {**read_fields(settings, _PERCENT, _WHERE, notes)}
    mode = settings.get("mode")
    if isinstance(mode, str) and mode:  # null on some firmware
        fields["mode"] = mode[:MAX_TEXT]
    for key, name in _SWITCHES.items():
        if isinstance(settings.get(key), bool):
            fields[name] = float(settings[key])
    return fields
