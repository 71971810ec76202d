"""The paths: the document of each, its first firmware, and the logins that may read it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from simulator.gateway.device import Device
from simulator.gateway.payloads import battery, device_data, inverters, meters, production, reports, system
from simulator.gateway.tokens import RANKS
from simulator.web.messages import ParsedRequest

Build: TypeAlias = Callable[[Device], Any]

# The logins that may read on firmware before 7.
OPEN, ANYONE, INSTALLER, NOBODY = "open", "anyone", "installer", "nobody"


@dataclass(frozen=True, slots=True)
class Route:
    """One readable path.

    Attributes:
        build: makes the JSON value.
        digest: who may read it with a digest login; None: the path does not exist before firmware 7.
        since: first firmware that has it.
        rank: least rank of a token that may read it.
        indent: how the device lays its JSON out; None is compact.
        typed: the reply has a Content-Type (most of `/ivp` has none on firmware 7 and later).
        chunked: the slow process behind the user interface sends chunks.
        ledger: what the ledger calls it, if it is a measurement.
    """

    build: Build
    digest: str | None = ANYONE
    since: tuple[int, ...] = ()
    rank: int = RANKS["owner"]
    indent: int | None = 4
    typed: bool = True
    chunked: bool = False
    ledger: str = ""


def _make_native(build: Build, *, digest: str | None = ANYONE, since: tuple[int, ...] = (), ledger: str = "") -> Route:
    return Route(build, digest=digest, since=since, typed=False, ledger=ledger)


def _make_interface(build: Build, *, digest: str | None = ANYONE) -> Route:
    return Route(build, digest=digest, indent=None, chunked=True)


ROUTES: dict[str, Route] = {
    "/api/v1/production": Route(production.describe_v1_production, digest=OPEN, indent=2),
    "/api/v1/production/inverters": Route(inverters.list_inverters, indent=2, ledger="inverters"),
    "/production.json": _make_interface(
        lambda device: production.describe_production(device, details=False), digest=OPEN
    ),
    "/production.json?details=1": _make_interface(
        lambda device: production.describe_production(device, details=True), digest=OPEN
    ),
    # Captures of 4.10 and 5.0 show a 401 here for every login.
    "/production": _make_interface(lambda device: production.describe_production(device, details=False), digest=NOBODY),
    "/inventory.json": _make_interface(system.describe_inventory, digest=OPEN),
    "/home.json": _make_interface(system.describe_home, digest=OPEN),
    "/home": _make_interface(system.describe_home),
    "/admin/lib/tariff": Route(system.describe_tariff, indent=None),
    "/ivp/meters": _make_native(meters.list_meters),
    "/ivp/meters/readings": _make_native(meters.list_readings, ledger="readings"),
    "/ivp/meters/reports": _make_native(reports.list_reports),
    "/ivp/meters/reports/production": _make_native(reports.find_production_report),
    "/ivp/meters/reports/consumption": _make_native(reports.list_consumption_reports),
    "/ivp/meters/gridReading": _make_native(reports.describe_grid_reading, digest=None, since=(8, 3)),
    "/ivp/meters/pvReading": _make_native(reports.describe_pv_reading, digest=None, since=(8, 3)),
    "/ivp/pdm/device_data": _make_native(
        device_data.describe_device_data, digest=None, since=(8, 2, 127), ledger="device_data"
    ),
    "/ivp/pdm/energy": _make_native(production.describe_energy, digest=None, since=(8, 2)),
    "/ivp/ensemble/inventory": _make_native(battery.describe_inventory, digest=None),
    "/ivp/ensemble/power": _make_native(battery.describe_power, digest=None),
    "/ivp/ensemble/secctrl": _make_native(battery.describe_secondary_control, digest=None),
    "/ivp/ensemble/status": _make_native(battery.describe_status, digest=None),
    "/ivp/ensemble/relay": _make_native(battery.describe_relay, digest=None),
    "/ivp/ensemble/dry_contacts": _make_native(system.describe_dry_contacts, digest=None),
    "/ivp/ensemble/generator": _make_native(system.describe_generator, digest=None),
    "/ivp/ss/dry_contact_settings": _make_native(system.describe_dry_contact_settings, digest=None),
    "/ivp/ss/gen_config": _make_native(system.describe_generator_config, digest=None),
    "/ivp/ss/gen_schedule": _make_native(system.give_nothing, digest=None),
    "/ivp/ss/pel_settings": _make_native(system.describe_export_limit, digest=None),
    "/ivp/sc/pvlimit": _make_native(system.describe_pv_limit, digest=None),
}

WRITABLE = frozenset({"/admin/lib/tariff", "/ivp/ensemble/dry_contacts", "/ivp/ss/dry_contact_settings"})
"""Paths whose document can be replaced by PUT or POST, from firmware 7 on."""

STREAM = "/stream/meter"
STREAM_ROUTE = Route(meters.make_stream_event, digest=INSTALLER, rank=RANKS["prov"], ledger="stream")


def find(device: Device, request: ParsedRequest) -> Route | None:
    """The route of a request on this firmware; None is a 404."""
    if request.path == STREAM:
        return STREAM_ROUTE if device.profile.metered else None
    path = request.path
    if path == "/production.json" and request.query.get("details") == "1":
        path += "?details=1"
    route = ROUTES.get(path)
    if route is None or device.profile.version < route.since:
        return None
    return None if route.digest is None and not device.profile.uses_tokens else route
