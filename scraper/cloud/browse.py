"""What an account has, as SolarNetwork shows it: systems with `lastSeenAt`, and the references of their values."""

from datetime import UTC, datetime
from typing import Any

from scraper.cloud.parse.devices import parse_devices
from scraper.cloud.parse.systems import CloudSystem, parse_systems
from scraper.cloud.questions import Asker
from scraper.cloud.rules.values import FIELDS

_PAGE = 100


async def list_systems(api: Asker) -> list[CloudSystem]:
    """All systems, with one call for each hundred. Raises as `CloudApi.fetch`, and BadReplyError."""
    systems: list[CloudSystem] = []
    number = 1
    while True:
        page = parse_systems(await api.fetch("systems", {"page": number, "size": _PAGE}))
        systems += page.systems
        if not page.has_more:
            return systems
        number += 1


async def list_values(api: Asker, system_id: int) -> list[dict[str, str]]:
    """The references of a system's values, with one call. Raises as `list_systems`."""
    devices = parse_devices(await api.fetch(f"systems/{system_id}/devices"))
    there = {"inv": devices.micros, "met": devices.meters}
    return [
        {"reference": f"/{system_id}/{kind}/sys/{field}", "name": name}
        for kind, fields in FIELDS.items()
        if there[kind]
        for field, name in fields.items()
    ]


def describe_system(system: CloudSystem) -> dict[str, Any]:
    """A system in SolarNetwork's words."""
    metadata = {"tz": system.time_zone, **system.place}
    if system.last_report_s is not None:
        metadata["lastSeenAt"] = f"{datetime.fromtimestamp(system.last_report_s, UTC):%Y-%m-%d %H:%M:%SZ}"
    return {
        "reference": f"/{system.system_id}",
        "identifiers": [str(system.system_id)],
        "name": system.name,
        "metadata": {name: text for name, text in metadata.items() if text},
    }
