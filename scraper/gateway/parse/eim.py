"""`/production.json`, sections `eim`: the sum of each meter, where `/ivp/meters` is refused for good. Pure.

Only the power is used. The lifetime of the net section is a signed balance that falls, firmware 8.3.6086 signs that of
the others too, and voltages are summed over the phases.
"""

from collections.abc import Iterator, Mapping

from scraper.gateway.parse.phases import MeterValues
from scraper.gateway.parse.values import Document, Notes, read_epoch_seconds, read_fields, read_number
from shared.fields import EIM_PHASE

_PRODUCTION, _NET, _TOTAL = "production", "net-consumption", "total-consumption"
_MEASUREMENTS = frozenset({_PRODUCTION, _NET, _TOTAL})
_WHERE = "eim"
_VALUES = {"wNow": ("power", 1.0)}


def parse_eim(data: object, notes: Notes | None = None) -> list[MeterValues]:
    """The power of each meter whose section is valid, under the phase `EIM_PHASE`.

    Without a valid production section the gateway computes one consumption from the other and noise, and nothing says
    which: both are left out. So is a total that repeats the net.

    Args:
        data: The reply.
        notes: Collects what was refused.
    """
    notes = notes or Notes()
    found: dict[str, MeterValues] = {}
    for measurement, section in _list_sections(data):
        stamp = read_epoch_seconds(section.get("readingTime"))
        # Without active devices, or without a time, the numbers are leftovers.
        if not stamp or not read_number(section.get("activeCount")) or measurement in found:
            continue
        if fields := read_fields(section, _VALUES, _WHERE, notes):
            found[measurement] = MeterValues(measurement, EIM_PHASE, stamp, fields, {})
    if _PRODUCTION not in found:
        return []
    net, total = found.get(_NET), found.get(_TOTAL)
    if net is not None and total is not None and net.values == total.values:
        del found[_TOTAL]
    return list(found.values())


def _list_sections(data: object) -> Iterator[tuple[str, Document]]:
    """The sections with what they measure, which M4.2.33 does not say of production."""
    for part, unnamed in (("production", _PRODUCTION), ("consumption", None)):
        sections = data.get(part) if isinstance(data, Mapping) else None
        for section in sections if isinstance(sections, list) else ():
            if isinstance(section, Mapping) and section.get("type") == "eim":
                measurement = section.get("measurementType", unnamed)
                if isinstance(measurement, str) and measurement in _MEASUREMENTS:
                    yield measurement, section
