"""`/ivp/meters/gridReading`: the voltage of the grid. Pure."""

from collections.abc import Mapping

from scraper.gateway.parse.phases import LIVE_VOLTAGE
from scraper.gateway.parse.values import Notes, list_objects, read_number

_WHERE = "gridReading"
_PHASES = {"L1": "voltage_a", "L2": "voltage_b", "L3": "voltage_c"}


def parse_grid_voltages(data: object, notes: Notes | None = None) -> dict[str, float]:
    """V by field of kind `grid`, of the phases that are there.

    Raises:
        BadReplyError: The reply is no list.
    """
    notes = notes or Notes()
    fields: dict[str, float] = {}
    for meter in list_objects(data, _WHERE, notes):
        channels = meter.get("channels")
        for channel in channels if isinstance(channels, list) else []:
            phase = channel.get("phase") if isinstance(channel, Mapping) else None
            voltage = read_number(channel.get("voltage")) if isinstance(channel, Mapping) else None
            if isinstance(phase, str) and phase in _PHASES and voltage is not None and voltage > LIVE_VOLTAGE:
                fields.setdefault(_PHASES[phase], voltage)
    return fields
