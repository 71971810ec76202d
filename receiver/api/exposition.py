"""What is known of gateways now, in the families that Prometheus reads. Pure.

What is unknown is left out, so that Prometheus sees it end; it is never 0. Samples have no time of their own: that
would switch off how Prometheus finds what has ended. A counter is given whole or not at all, for less looks like a
reset.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from receiver.outputs.mqtt.payloads import ONLINE, GatewayLatest, find_status
from receiver.rollups.series import read_number
from receiver.sites.corrections import correct_latest
from receiver.sites.household import METER_SPEAKS_MS, HouseholdNow
from receiver.sites.model import Site
from receiver.stores.base import Latest
from shared.fields import REPORT_SPEAKS_MS
from shared.units import MINUTE_MS, SECOND_MS

COUNTER_SPEAKS_MS = 5 * MINUTE_MS
"""A counter of a meter comes once a minute; it is given for this long (milliseconds)."""
_POWER, _CHARGE, _ONLINE = "envoy_power_watts", "envoy_state_of_charge_ratio", "envoy_gateway_online"
_READ, _SITE_ENERGY = "envoy_reading_timestamp_seconds", "envoy_site_energy_watthours_total"
_ENERGY = "envoy_energy_watthours_total"
_PANEL, _REPORT = "envoy_inverter_power_watts", "envoy_inverter_report_timestamp_seconds"
_PANEL_ENERGY = "envoy_inverter_energy_watthours_total"
METER_NAMES: Final[Mapping[str, str]] = {
    "power": "envoy_meter_power_watts",
    "voltage": "envoy_meter_voltage_volts",
    "current": "envoy_meter_current_amperes",
    "power_factor": "envoy_meter_power_factor",
    "frequency": "envoy_meter_frequency_hertz",
    "reactive_power": "envoy_meter_reactive_power_vars",
    "apparent_power": "envoy_meter_apparent_power_voltamperes",
}
"""Family of each field of a meter."""
_PHASE: Final = ("gateway", "meter", "phase")


class _Family(NamedTuple):
    """Name, labels beside each value, and a sentence."""

    name: str
    labels: tuple[str, ...]
    meaning: str


FAMILIES: Final = (
    _Family(
        _POWER,
        ("gateway", "flow"),
        "Power of the household now, as /power; net is + import, - export; battery is + discharge, - charge.",
    ),
    _Family(_CHARGE, ("gateway",), "How full the batteries are together, 0 to 1."),
    _Family(_ONLINE, ("gateway",), "1 while a meter (without meters: anything) was heard of, else 0."),
    _Family(_READ, ("gateway",), "When a meter or an inverter was read last, seconds since 1970."),
    _Family(
        _SITE_ENERGY,
        ("gateway", "flow"),
        "Lifetime energy of the household, netted as it is billed, as /energy/lifetime.",
    ),
    _Family(_ENERGY, (*_PHASE, "direction"), "Lifetime counter of a phase, not netted."),
    *(
        _Family(name, _PHASE, f"{field.replace('_', ' ').capitalize()} of a phase, as /meters.")
        for field, name in METER_NAMES.items()
    ),
    _Family(
        _PANEL,
        ("gateway", "inverter", "panel", "array"),
        "Mean power of a panel over its last report, which is at most half an hour old.",
    ),
    _Family(_REPORT, ("gateway", "inverter"), "When a panel reported last, seconds since 1970."),
    _Family(_PANEL_ENERGY, ("gateway", "inverter"), "Lifetime energy of a panel, as /energy/lifetime."),
)
"""Every family. Counters end in `_total`."""


class GatewayNow(NamedTuple):
    """What is known of one gateway.

    Attributes:
        serial: Of the gateway.
        site: Roles and signs of meters, names of panels.
        latest: Household, meters, inverters and what the scraper says.
        counters: Latest values of kind `meter_energy`, as stored.
        energies: Lifetime energies of the household by flow, Wh; None is unknown.
        panels: The same by panel.
        now_ms: UTC milliseconds.
    """

    serial: str
    site: Site
    latest: GatewayLatest
    counters: Sequence[Latest]
    energies: Mapping[str, float | None]
    panels: Mapping[str, float | None]
    now_ms: int


class _FamilyValue(NamedTuple):
    """One value of a family; None is unknown. Its labels follow the gateway."""

    family: str
    labels: tuple[str, ...]
    value: float | None


class SolarFamilies(Collector):
    """The families of some gateways, for the encoders of prometheus_client."""

    def __init__(self, gateways: Sequence[GatewayNow]) -> None:
        self._families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for family in FAMILIES:
            kind = CounterMetricFamily if family.name.endswith("_total") else GaugeMetricFamily
            self._families[family.name] = kind(family.name, family.meaning, labels=family.labels)
        for gateway in gateways:
            for sample in _list_samples(gateway):
                if sample.value is not None:
                    self._families[sample.family].add_metric([gateway.serial, *sample.labels], sample.value)

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """The families that have a value."""
        return (family for family in self._families.values() if family.samples)


def _list_samples(now: GatewayNow) -> Iterator[_FamilyValue]:
    """All of one gateway."""
    is_online = find_status(now.latest, now.now_ms) == ONLINE
    newest = max((one.timestamp for one in [*now.latest.meters, *now.latest.inverters]), default=None)
    yield _FamilyValue(_ONLINE, (), float(is_online))
    yield _FamilyValue(_READ, (), None if newest is None else newest / SECOND_MS)
    if is_online:  # reports of inverters outlive the meters by half an hour, and are no household then
        yield from _list_household(now.latest.household)
        for flow, wh in now.energies.items():
            yield _FamilyValue(_SITE_ENERGY, (flow,), wh)
    yield from _list_phases(now)
    yield from _list_panels(now)


def _list_household(now: HouseholdNow) -> Iterator[_FamilyValue]:
    for flow in ("production", "load", "net", "imported", "exported", "battery"):
        yield _FamilyValue(_POWER, (flow,), getattr(now.site, flow))
    charge = now.storage.state_of_charge
    yield _FamilyValue(_CHARGE, (), None if charge is None else charge / 100)


def _list_phases(now: GatewayNow) -> Iterator[_FamilyValue]:
    for one in correct_latest(now.latest.meters, now.site):
        phase = (one.tags["meter"], one.tags["phase"])
        if now.now_ms - one.timestamp <= METER_SPEAKS_MS and phase in now.latest.household.powers:
            for field, name in METER_NAMES.items():
                yield _FamilyValue(name, phase, read_number(one.fields, field))
    for one in correct_latest(now.counters, now.site):
        if now.now_ms - one.timestamp <= COUNTER_SPEAKS_MS:
            for direction in ("delivered", "received"):
                yield _FamilyValue(
                    _ENERGY,
                    (one.tags["meter"], one.tags["phase"], direction),
                    read_number(one.fields, direction),
                )


def _list_panels(now: GatewayNow) -> Iterator[_FamilyValue]:
    for one in now.latest.inverters:
        serial = one.tags["inverter"]
        described = now.site.panels.get(serial)
        yield _FamilyValue(_REPORT, (serial,), one.timestamp / SECOND_MS)
        if now.now_ms - one.timestamp <= REPORT_SPEAKS_MS:
            place = (described.name or "", described.array or "") if described else ("", "")
            yield _FamilyValue(_PANEL, (serial, *place), read_number(one.fields, "power"))
            yield _FamilyValue(_PANEL_ENERGY, (serial,), now.panels.get(serial))
