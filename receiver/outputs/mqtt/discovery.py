"""What Home Assistant is told of a gateway and its panels: one device each, by device-based discovery. Pure.

- An unknown key at the top makes Home Assistant refuse the whole device, so there are only those that 2024.12 knows.
- `unique_id` is made of serials alone, so that a new name changes no entity. Only what was known once is announced.
- States are retained, and `expire_after` begins again when Home Assistant starts: that a gateway is silent is told by
  its status, not by expiry alone.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from receiver.sites.model import Site
from shared.version import VERSION

_SUPPORT_URL = "https://github.com/envoy-relay"
_ORIGIN = {"name": "envoy-relay", "sw_version": VERSION, "support_url": _SUPPORT_URL}
_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]")
_EXPIRE_S = 180


class Entity(NamedTuple):
    """A sensor.

    Attributes:
        key: Its part of the payload.
        name: For people.
        device_class: What it measures.
        unit: Unit of it; None for none.
        state_class: `measurement` or `total_increasing`; None for neither.
        digits: Digits after the decimal point that are shown.
    """

    key: str
    name: str
    device_class: str | None
    unit: str | None
    state_class: str | None = "measurement"
    digits: int | None = 0


POWERS = (
    Entity("production_w", "Production power", "power", "W"),
    Entity("load_w", "House power", "power", "W"),
    Entity("net_w", "Grid power", "power", "W"),
    Entity("imported_w", "Imported power", "power", "W"),
    Entity("exported_w", "Exported power", "power", "W"),
    Entity("battery_w", "Battery power", "power", "W"),
    Entity("state_of_charge", "Battery state of charge", "battery", "%"),
)
ENERGIES = (
    Entity("production_kwh", "Produced energy", "energy", "kWh", "total_increasing", 2),
    Entity("load_kwh", "House energy", "energy", "kWh", "total_increasing", 2),
    Entity("imported_kwh", "Imported energy", "energy", "kWh", "total_increasing", 2),
    Entity("exported_kwh", "Exported energy", "energy", "kWh", "total_increasing", 2),
    Entity("discharged_kwh", "Battery discharged energy", "energy", "kWh", "total_increasing", 2),
    Entity("charged_kwh", "Battery charged energy", "energy", "kWh", "total_increasing", 2),
)
PHASE = (
    Entity("power", "power", "power", "W"),
    Entity("voltage", "voltage", "voltage", "V", digits=1),
    Entity("current", "current", "current", "A", digits=2),
    Entity("frequency", "frequency", "frequency", "Hz", digits=2),
    Entity("power_factor", "power factor", "power_factor", None, digits=2),
)
PANEL = (
    Entity("power", "Power", "power", "W"),
    Entity("energy_lifetime", "Produced energy", "energy", "Wh", "total_increasing"),
)
_NAMES = {"production": "Production", "net-consumption": "Grid", "total-consumption": "House", "storage": "Battery"}
_LINES = {"a": "L1", "b": "L2", "c": "L3"}
_LAST_READING = "{% if value_json.timestamp is number %}{{ as_datetime(value_json.timestamp / 1000) }}{% endif %}"


class Topics(NamedTuple):
    """Where states and descriptions are.

    Attributes:
        prefix: Of all states.
        discovery: Of descriptions, as Home Assistant is set up.
    """

    prefix: str
    discovery: str

    def name_status(self) -> str:
        """Whether the receiver is there."""
        return f"{self.prefix}/status"

    def name_state(self, gateway: str, rest: str) -> str:
        """A state of a gateway."""
        return f"{self.prefix}/{gateway}/{rest}"

    def name_device(self, identifier: str) -> str:
        """The description of a device."""
        return f"{self.discovery}/device/{_NOT_IN_IDS.sub('_', identifier)}/config"


def name_gateway(gateway: str) -> str:
    """The identifier of a gateway's device."""
    return f"envoy_relay_{gateway}"


def name_panel(inverter: str) -> str:
    """The identifier of a panel's device."""
    return f"envoy_relay_inverter_{inverter}"


def describe_gateway(
    topics: Topics, gateway: str, site: Site, known: Mapping[str, Collection[str]], firmware: str | None
) -> dict[str, Any]:
    """The device of a site.

    Args:
        topics: Where its states are.
        gateway: Its serial.
        site: Its name.
        known: By topic below the gateway's the keys that were known once.
        firmware: As the gateway states it.
    """
    identifier, name = name_gateway(gateway), site.name or f"Envoy {gateway}"
    components: dict[str, dict[str, Any]] = {
        "status": {
            "platform": "binary_sensor",
            "unique_id": f"{identifier}_status",
            "name": "Gateway",
            "device_class": "connectivity",
            "entity_category": "diagnostic",
            "state_topic": topics.name_state(gateway, "status"),
            "payload_on": "online",
            "payload_off": "offline",
            "availability": [{"topic": topics.name_status()}],
        },
        "last_reading": _describe_time(identifier, topics.name_state(gateway, "power")),
    }
    for rest, entities, more in (("power", POWERS, {"expire_after": _EXPIRE_S}), ("energy", ENERGIES, {})):
        for entity in entities:
            if entity.key in known.get(rest, ()):
                key = entity.key.rsplit("_", 1)[0] + ("_power" if rest == "power" else "_energy")
                key = "state_of_charge" if entity.key == "state_of_charge" else key
                made = _describe_sensor(f"{identifier}_{key}", entity, topics.name_state(gateway, rest))
                label = entity.name.lower().replace(" ", "_")
                made["default_entity_id"] = f"sensor.{_make_slug(name)}_{label}"
                components[key] = made | more
    components.update(_describe_phases(topics, gateway, known))
    device: dict[str, Any] = {
        "identifiers": [identifier],
        "name": name,
        "manufacturer": "Enphase",
        "model": "IQ Gateway",
        "serial_number": gateway,
    }
    if firmware is not None:
        device["sw_version"] = firmware
    return {
        "device": device,
        "origin": _ORIGIN,
        "availability": [{"topic": topics.name_status()}, {"topic": topics.name_state(gateway, "status")}],
        "availability_mode": "all",
        "qos": 1,
        "components": components,
    }


def describe_panel(topics: Topics, gateway: str, inverter: str, site: Site, known: Collection[str]) -> dict[str, Any]:
    """The device of a panel; `known` are the keys of its payload that were known once."""
    identifier, topic = name_panel(inverter), topics.name_state(gateway, f"inverter/{inverter}")
    described = site.panels.get(inverter)
    components = {"last_report": _describe_time(identifier, topic)}
    for entity in PANEL:
        if entity.key in known:
            components[entity.key] = _describe_sensor(f"{identifier}_{entity.key}", entity, topic)
    if "power" in components:
        components["power"]["name"] = None  # that of the panel
    device: dict[str, Any] = {
        "identifiers": [identifier],
        "name": (described.name if described else None) or f"Inverter {inverter}",
        "manufacturer": "Enphase",
        "model": "Microinverter",
        "serial_number": inverter,
        "via_device": name_gateway(gateway),
    }
    if described and described.array:
        device["suggested_area"] = described.array
    return {
        "device": device,
        "origin": _ORIGIN,
        "availability": [{"topic": topics.name_status()}],
        "qos": 1,
        "components": components,
    }


def _describe_phases(
    topics: Topics, gateway: str, known: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for rest in sorted(known):
        if not rest.startswith("meter/"):
            continue
        _, meter, phase = rest.split("/")
        place = f"{_NAMES.get(meter, meter)} {_LINES.get(phase, phase)}"
        for entity in PHASE:
            if entity.key in known[rest]:
                made = _describe_sensor(
                    f"{name_gateway(gateway)}_{meter}_{phase}_{entity.key}", entity, topics.name_state(gateway, rest)
                )
                made |= {"name": f"{place} {entity.name}", "enabled_by_default": False, "expire_after": _EXPIRE_S}
                yield _NOT_IN_IDS.sub("_", f"{meter}_{phase}_{entity.key}"), made


def _describe_sensor(unique_id: str, entity: Entity, topic: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "platform": "sensor",
        "unique_id": unique_id,
        "name": entity.name,
        "state_topic": topic,
        "value_template": f"{{{{ value_json.{entity.key} }}}}",
    }
    optional = {
        "device_class": entity.device_class,
        "unit_of_measurement": entity.unit,
        "state_class": entity.state_class,
        "suggested_display_precision": entity.digits,
    }
    return made | {key: value for key, value in optional.items() if value is not None}


def _describe_time(identifier: str, topic: str) -> dict[str, Any]:
    """When the newest reading was made, for its age."""
    return {
        "platform": "sensor",
        "unique_id": f"{identifier}_last_reading",
        "name": "Last reading",
        "device_class": "timestamp",
        "entity_category": "diagnostic",
        "state_topic": topic,
        "value_template": _LAST_READING,
    }


def _make_slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "envoy"
