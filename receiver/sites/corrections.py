"""Meters as they should have been set up: applied to values that are read, never to what is stored. Pure.

Only the latest values of kind `meter` go through here. A reversed transformer turns `power` and `reactive_power`;
apparent power, current and power factor stay as the gateway reports them, for some gateways sign them and some do not.
The lifetime counters of kind `meter_energy` are not corrected yet.
"""

from collections.abc import Iterable

import msgspec

from receiver.sites.model import IGNORE, Meter, Site
from receiver.stores.base import Latest

_DIRECTED = ("power", "reactive_power")
_AS_IT_IS = Meter()


def correct(latest: Iterable[Latest], site: Site) -> list[Latest]:
    """The latest values of meters with the site's roles and signs, ordered by meter and phase."""
    if not site.meters:
        return list(latest)
    corrected = (_correct(entry, site.meters.get(entry.tags["meter"], _AS_IT_IS)) for entry in latest)
    shown = (entry for entry in corrected if entry.tags["meter"] != IGNORE)
    return sorted(shown, key=lambda entry: (entry.tags["meter"], entry.tags["phase"]))


def _correct(entry: Latest, told: Meter) -> Latest:
    fields = dict(entry.fields)
    if entry.tags["phase"] in told.reversed:
        for name in _DIRECTED:
            value = fields.get(name)
            if isinstance(value, float):
                fields[name] = 0.0 - value  # not -0.0
    return msgspec.structs.replace(entry, tags={**entry.tags, "meter": told.role or entry.tags["meter"]}, fields=fields)
