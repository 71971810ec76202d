"""What is published of a gateway, topic by topic: retained JSON in which null is unknown. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeAlias

import msgspec

from receiver.rollups.series import read_counted, read_number
from receiver.sites.corrections import correct_latest
from receiver.sites.household import METER_GONE_MS, METER_SPEAKS_MS, HouseholdNow
from receiver.sites.model import Site
from receiver.stores.base import Latest
from shared.fields import REPORT_SPEAKS_MS
from shared.readings import FieldValue
from shared.units import MINUTE_MS

ONLINE, OFFLINE = "online", "offline"
METER_FIELDS = (
    "power",
    "voltage",
    "current",
    "power_factor",
    "frequency",
    "reactive_power",
    "apparent_power",
)
GATEWAY_FIELDS = ("firmware", "outbox_rows", "token_expires_in", "stream_connected")
TODAY_FIELDS = ("production", "load", "imported", "exported", "discharged", "charged")
_SHARES = {"self_consumption": ("production", "exported"), "self_sufficiency": ("load", "imported")}
"""Shares of a window, and the energies that each compares."""
_GATEWAY_SPEAKS_MS = 3 * MINUTE_MS
_DIGITS = 3

Payload: TypeAlias = dict[str, Any]


class Message(NamedTuple):
    """What is to be published.

    Attributes:
        topic: Where.
        payload: What; empty removes what is retained there.
        qos: 1 for what must arrive, 0 for what is soon followed by more.
    """

    topic: str
    payload: bytes
    qos: int


class GatewayLatest(NamedTuple):
    """What is known of a gateway.

    Attributes:
        household: Now, or as it was last known.
        meters: Latest values of kind `meter`, as stored.
        inverters: The same of kind `inverter`.
        gateway: The same of kind `gateway`.
    """

    household: HouseholdNow
    meters: Sequence[Latest]
    inverters: Sequence[Latest]
    gateway: Sequence[Latest]


def encode(payload: Payload) -> bytes:
    """As JSON."""
    return msgspec.json.encode(payload)


def find_status(known: GatewayLatest, now_ms: int) -> str:
    """Whether a meter was read within two minutes; of a gateway without meters, whether anything reported."""
    meters = [one.timestamp for one in known.meters if now_ms - one.timestamp <= METER_GONE_MS]
    if meters:
        return ONLINE if now_ms - max(meters) <= METER_SPEAKS_MS else OFFLINE
    reports = any(now_ms - one.timestamp <= REPORT_SPEAKS_MS for one in known.inverters)
    heard = any(now_ms - one.timestamp <= _GATEWAY_SPEAKS_MS for one in known.gateway)
    return ONLINE if reports or heard else OFFLINE


def make_power(now: HouseholdNow) -> Payload:
    """The household now, as `/power`."""
    return {
        "production_w": _round(now.site.production),
        "load_w": _round(now.site.load),
        "net_w": _round(now.site.net),
        "imported_w": _round(now.site.imported),
        "exported_w": _round(now.site.exported),
        "battery_w": _round(now.site.battery),
        "state_of_charge": _round(now.storage.state_of_charge),
        "timestamp": now.timestamp,
    }


def make_energy(energies: Mapping[str, float | None], timestamp: int | None) -> Payload:
    """Lifetime totals (Wh) in kWh, each rounded after it was summed."""
    totals = {f"{name}_kwh": None if wh is None else round(wh / 1000, _DIGITS) for name, wh in energies.items()}
    return {**totals, "timestamp": timestamp}


def make_today(day: date, fields: Mapping[str, FieldValue]) -> Payload:
    """The energies of today from the stored window, as far as they were counted here.

    An import moves none of them, nor does what the cloud alone says; a gap's energy that it has put in is counted.
    """
    energies = {f"{name}_wh": _round(read_counted(fields, name)) for name in TODAY_FIELDS}
    shares = {
        name: None if any(f"{one}_taken_over" in fields for one in pair) else _round(read_number(fields, name))
        for name, pair in _SHARES.items()
    }
    return {"date": day.isoformat(), **energies, **shares}


def make_meters(meters: Sequence[Latest], site: Site, now_ms: int) -> Iterator[tuple[str, Payload]]:
    """Topic below the gateway's, and values; of a phase that does not speak of now, all are null."""
    for one in correct_latest(meters, site):
        if now_ms - one.timestamp > METER_GONE_MS:
            continue
        speaks = now_ms - one.timestamp <= METER_SPEAKS_MS
        values = {name: read_number(one.fields, name) if speaks else None for name in METER_FIELDS}
        yield f"meter/{one.tags['meter']}/{one.tags['phase']}", {**values, "timestamp": one.timestamp}


def make_panel(latest: Latest, site: Site, *, state: str, power: float | None, energy_wh: float | None) -> Payload:
    """One panel.

    Args:
        latest: Its last report.
        site: Its name and array.
        state: How it is.
        power: W now.
        energy_wh: All that it made, Wh.
    """
    described = site.panels.get(latest.tags["inverter"])
    return {
        "name": described.name if described else None,
        "array": described.array if described else None,
        "power": power,
        "max_power": read_number(latest.fields, "max_power"),
        "energy_lifetime": energy_wh,
        "state": state,
        "timestamp": latest.timestamp,
    }


def make_gateway(gateway: Sequence[Latest], now_ms: int) -> Payload:
    """What the scraper says of the gateway; null where it has said nothing for three minutes."""
    fields: Mapping[str, FieldValue] = {}
    for one in gateway:
        if now_ms - one.timestamp <= _GATEWAY_SPEAKS_MS:
            fields = one.fields
    return {name: fields.get(name) for name in GATEWAY_FIELDS}


def make_event(timestamp: int, kind: str, fields: Mapping[str, FieldValue]) -> Payload:
    """Something that happened; it is not retained."""
    return {"type": kind, "timestamp": timestamp, **fields}


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
