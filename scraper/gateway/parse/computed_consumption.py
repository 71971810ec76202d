"""The consumption section that the gateway computes from the other one and the production. Pure.

It is right only where both of its parts are measured. What it says beyond power (current, apparent power, power factor)
is a sum of parts that have no common sign or phase angle: no wire carries it.
"""

from collections.abc import Mapping, Sequence

from scraper.gateway.parse.meters import ConfiguredMeter
from scraper.gateway.parse.phases import PHASES, MeterValues

_NET, _TOTAL, _PRODUCTION = "net-consumption", "total-consumption", "production"
_OTHER_GENERATION = "pv3p"
"""Production that the gateway does not count in its own sums."""
_TRUE_OF_COMPUTED = ("power", "reactive_power", "voltage", "frequency")
_DECIMALS = 3
"""Decimals of the device's own numbers, kept in what is computed from them."""

_Known = Mapping[tuple[str, str], Mapping[str, float]]


def mend_computed(readings: Sequence[MeterValues], meters: Sequence[ConfiguredMeter] | None) -> list[MeterValues]:
    """The values of one event without what the gateway cannot know, and with the load where it repeats the net.

    A computed phase of which a part is away has no values, so that it is known to be away itself.

    Args:
        readings: Of one event of the stream.
        meters: From `parse_meters`; None if unknown: then nobody knows which section is computed.
    """
    known = {(reading.meter, reading.phase): reading.values for reading in readings}
    repaired = [
        reading._replace(values=_repair_total(reading.values, known, reading.phase))
        if reading.meter == _TOTAL
        else reading
        for reading in readings
    ]
    enabled = {meter.measurement: meter for meter in meters or () if meter.enabled}
    measured = next((enabled[name] for name in (_TOTAL, _NET) if name in enabled), None)
    if measured is None:
        return repaired
    computed = _NET if measured.measurement == _TOTAL else _TOTAL
    production = enabled.get(_PRODUCTION)
    if production is None or _OTHER_GENERATION in enabled:
        return [reading for reading in repaired if reading.meter != computed]
    whole = {phase for phase in PHASES if _is_whole(phase, measured.measurement, production, known)}
    heard = {phase for meter, phase in known if meter in (measured.measurement, _PRODUCTION)}
    return [
        reading._replace(values=_keep_true(reading.values) if reading.phase in whole else {})
        if reading.meter == computed
        else reading
        for reading in repaired
        if reading.meter != computed or reading.phase in heard
    ]


def _is_whole(phase: str, measured: str, production: ConfiguredMeter, known: _Known) -> bool:
    """Whether both parts of a computed phase are known; production may have fewer phases than the house."""
    if "power" not in known.get((measured, phase), {}):
        return False
    expected = PHASES.index(phase) < production.phase_count or (_PRODUCTION, phase) in known
    return not expected or "power" in known.get((_PRODUCTION, phase), {})


def _keep_true(values: Mapping[str, float]) -> dict[str, float]:
    return {name: values[name] for name in _TRUE_OF_COMPUTED if name in values}


def _repair_total(total: dict[str, float], known: _Known, phase: str) -> dict[str, float]:
    """Compute the house load where the gateway repeats the net consumption in its place (seen on 8.3.5433).

    The load is always the net consumption plus the production, so equality while the sun shines gives it away.
    """
    net, production = known.get((_NET, phase), {}), known.get((_PRODUCTION, phase), {})
    if "power" not in net or net["power"] != total.get("power") or not production.get("power"):
        return total
    values: dict[str, float] = {name: total[name] for name in ("voltage", "frequency") if name in total}
    for name, sign in (("power", 1), ("reactive_power", -1)):
        if name in net and name in production:
            values[name] = round(net[name] + sign * production[name], _DECIMALS) + 0.0
    return values
