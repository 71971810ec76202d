"""`/ivp/ensemble/secctrl`: all batteries of the site together. Pure."""

from collections.abc import Mapping

from scraper.errors import BadReplyError
from scraper.gateway.parse.values import Notes, read_fields, read_number

_WHERE = "ensemble.secctrl"
_ANY = {"agg_soc": ("state_of_charge", 1.0), "Max_energy": ("capacity", 1.0)}
_ENCHARGE = {"ENC_agg_soh": ("health", 1.0), "configured_backup_soc": ("reserve", 1.0)}
_AC_BATTERIES = {"ACB_agg_soc": ("state_of_charge", 1.0)}
_ENERGIES = {"ENC_agg_avail_energy": ("encharge", 1.0), "ACB_agg_energy": ("acb", 1.0)}


def parse_ensemble_control(data: object, notes: Notes | None = None) -> dict[str, float]:
    """Fields of kind `storage` without the power; none in a house without a battery, where the gateway gives zeros.

    Raises:
        BadReplyError: The reply is no object.
    """
    notes = notes or Notes()
    if not isinstance(data, Mapping):
        raise BadReplyError("the reply for ensemble.secctrl is not an object; trying again at the next poll")
    fields = read_fields(data, _ANY, _WHERE, notes)
    if not fields.get("capacity"):
        return {}
    encharge = read_fields(data, _ENCHARGE, _WHERE, notes)
    if not read_number(data.get("Enc_max_available_capacity")):  # AC Batteries alone, of which the rest says zeros
        encharge = {}
        fields |= read_fields(data, _AC_BATTERIES, _WHERE, notes)
    energies = read_fields(data, _ENERGIES, _WHERE, notes)
    if "encharge" in energies:
        fields["energy_available"] = sum(energies.values())
    return fields | encharge
