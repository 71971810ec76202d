"""The time zone of each site: as the sites file says, else as the gateway says, else that of this machine."""

import zoneinfo
from collections.abc import Sequence
from typing import Literal

import tzlocal

from receiver.sites.cloud_links import find_linked_gateway
from receiver.sites.file import SitesFile
from receiver.sites.houses import group_by_site
from receiver.sites.model import Site, list_time_zones
from receiver.stores.base import Store
from shared.readings import Reading

ZoneSource = Literal["sites-file", "gateway", "receiver"]
"""Who says in which zone a site lies."""
_STATUS = "gateway"
_UTC = "UTC"
_UTC_NAMES = frozenset({"Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})


class LocatedSites:
    """What is known of each site, its time zone always included.

    Args:
        file: What the owners say.
        store: Holds what the gateways said last.
        machine_zone: IANA name of this machine's zone.
    """

    def __init__(self, file: SitesFile, store: Store, machine_zone: str) -> None:
        self._file = file
        self._store = store
        self._machine_zone = machine_zone
        self._reported: dict[str, tuple[int, str]] = {}  # serial to when the gateway said it, and which
        self._located: dict[str, tuple[Site, str, Site]] = {}

    async def load(self) -> None:
        """Learn what the gateways said before the start. Raises StoreUnavailableError."""
        for summary in await self._store.list_gateways():
            await self.load_gateway(summary.gateway)

    async def load_gateway(self, serial: str) -> None:
        """Learn what one gateway said last. Raises StoreUnavailableError."""
        for entry in await self._store.read_latest(serial, _STATUS):
            self.note(serial, [Reading(_STATUS, {}, entry.timestamp, {**entry.fields})])

    def note(self, serial: str, readings: Sequence[Reading]) -> None:
        """Learn from readings as they are stored; late ones say nothing of now."""
        for reading in readings:
            zone = reading.fields.get("time_zone") if reading.kind == _STATUS else None
            if isinstance(zone, str) and zone in list_time_zones():
                self._reported[serial] = max(self._reported.get(serial, (0, "")), (reading.timestamp, zone))

    def look_now(self) -> None:
        """See a change of the sites file that was just made."""
        self._file.look_now()

    def get_site(self, serial: str) -> Site:
        """What is known of one gateway's site, with a time zone."""
        site = self._file.get_site(serial)
        if site.time_zone is not None:
            return site
        zone = self._find_written_zone(site) or self._reported.get(serial, (0, self._machine_zone))[1]
        known = self._located.get(serial)
        if known is None or known[0] is not site or known[1] != zone:
            known = self._located[serial] = (site, zone, site.model_copy(update={"time_zone": zone}))
        return known[2]

    def list_houses(self) -> dict[str, list[str]]:
        """The serials of the gateways of each site that the sites file names."""
        return group_by_site(self._file.get())

    def find_linked(self, system: str) -> str | None:
        """The serial of the gateway that a system of the cloud is linked to; None for none."""
        return find_linked_gateway(self._file.get(), system)

    def find_house_zone(self, serials: Sequence[str]) -> str | None:
        """The zone of a house: as the sites file says of one of its gateways, else that of all; None if they differ."""
        written = {zone for serial in serials if (zone := self._file.get_site(serial).time_zone) is not None}
        zones = written or {self.get_site(serial).zone.key for serial in serials}
        return zones.pop() if len(zones) == 1 else None

    def find_zone_source(self, serial: str) -> ZoneSource:
        """Who says the time zone of a gateway's site."""
        if self._find_written_zone(self._file.get_site(serial)) is not None:
            return "sites-file"
        return "gateway" if serial in self._reported else "receiver"

    def _find_written_zone(self, site: Site) -> str | None:
        """As the sites file says of a gateway, or of another one of its house: one house lies in one zone."""
        if site.time_zone is not None or site.site is None:
            return site.time_zone
        others = (other.time_zone for other in self._file.get().values() if other.site == site.site)
        return next((zone for zone in others if zone is not None), None)


def find_machine_zone() -> str:
    """The IANA name of this machine's zone; UTC where it has none that is known."""
    try:
        name = tzlocal.get_localzone_name()
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):  # its files contradict each other
        return _UTC
    return name if name in list_time_zones() and name not in _UTC_NAMES else _UTC
