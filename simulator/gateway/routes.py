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


def _native(build: Build, *, digest: str | None = ANYONE, since: tuple[int, ...] = (), ledger: str = "") -> Route:
    return Route(build, digest=digest, since=since, typed=False, ledger=ledger)


def _interface(build: Build, *, digest: str | None = ANYONE) -> Route:
    return Route(build, digest=digest, indent=None, chunked=True)


ROUTES: dict[str, Route] = {
    "/api/v1/production": Route(production.v1_production, digest=OPEN, indent=2),
    "/api/v1/production/inverters": Route(inverters.inverters, indent=2, ledger="inverters"),
    "/production.json": _interface(lambda device: production.production(device, details=False), digest=OPEN),
    "/production.json?details=1": _interface(lambda device: production.production(device, details=True), digest=OPEN),
    # Captures of 4.10 and 5.0 show a 401 here for every login.
    "/production": _interface(lambda device: production.production(device, details=False), digest=NOBODY),
    "/inventory.json": _interface(system.inventory, digest=OPEN),
    "/home.json": _interface(system.home, digest=OPEN),
    "/home": _interface(system.home),
    "/admin/lib/tariff": Route(system.tariff, indent=None),
    "/ivp/meters": _native(meters.meters),
    "/ivp/meters/readings": _native(meters.readings, ledger="readings"),
    "/ivp/meters/reports": _native(reports.reports),
    "/ivp/meters/reports/production": _native(reports.production_report),
    "/ivp/meters/reports/consumption": _native(reports.consumption_reports),
    "/ivp/meters/gridReading": _native(reports.grid_reading, digest=None, since=(8, 3)),
    "/ivp/meters/pvReading": _native(reports.pv_reading, digest=None, since=(8, 3)),
    "/ivp/pdm/device_data": _native(device_data.device_data, digest=None, since=(8, 2, 127), ledger="device_data"),
    "/ivp/pdm/energy": _native(production.energy, digest=None, since=(8, 2)),
    "/ivp/ensemble/inventory": _native(battery.inventory, digest=None),
    "/ivp/ensemble/power": _native(battery.power, digest=None),
    "/ivp/ensemble/secctrl": _native(battery.secondary_control, digest=None),
    "/ivp/ensemble/status": _native(battery.status, digest=None),
    "/ivp/ensemble/relay": _native(battery.relay, digest=None),
    "/ivp/ensemble/dry_contacts": _native(system.dry_contacts, digest=None),
    "/ivp/ensemble/generator": _native(system.generator, digest=None),
    "/ivp/ss/dry_contact_settings": _native(system.dry_contact_settings, digest=None),
    "/ivp/ss/gen_config": _native(system.generator_config, digest=None),
    "/ivp/ss/gen_schedule": _native(system.nothing, digest=None),
    "/ivp/ss/pel_settings": _native(system.export_limit, digest=None),
    "/ivp/sc/pvlimit": _native(system.pv_limit, digest=None),
}

STREAM = "/stream/meter"
STREAM_ROUTE = Route(meters.stream_event, digest=INSTALLER, rank=RANKS["prov"], ledger="stream")


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
