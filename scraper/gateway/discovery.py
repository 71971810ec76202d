"""Finding the gateway: the configured host, else mDNS, else the name `envoy.local`.

An address is only a hint: who answers there is settled by the serial in `/info`.
"""

import asyncio
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from scraper.errors import ScraperSettingError
from shared.keys import is_serial

SERVICE_TYPE = "_enphase-envoy._tcp.local."
FALLBACK_HOST = "envoy.local"
BROWSE_S = 3.0
_RESOLVE_MS = 2000
_ACCESS_POINT = "169.254.120.1"
"""Every gateway's own access point: an address of many gateways, and of none that we could route to."""


class Announcement(NamedTuple):
    """One gateway as mDNS announces it. The port is left out: it says 80 where the API is on 443."""

    serial: str
    addresses: tuple[str, ...]


async def find_hosts(configured: str | None, serial: str | None) -> list[str]:
    """Where to look for the gateway `serial` (None: whichever there is), the most likely address first.

    Several hosts may announce one serial, and anybody in the network may be one of them: the caller tries all.

    Raises:
        ScraperSettingError: Several gateways are there and no serial says which.
    """
    if configured:
        return [configured.strip().strip("[]")]
    return choose(await browse(), serial) or [FALLBACK_HOST]


def choose(announced: Iterable[Announcement], serial: str | None) -> list[str]:
    """The addresses to try: one of each host that announces that serial, IPv4 before IPv6. Pure.

    Raises:
        ScraperSettingError: `serial` is None and the announcements are of several gateways.
    """
    usable: dict[str, set[str]] = {}
    for announcement in announced:
        addresses = sorted(filter(_is_usable, announcement.addresses), key=_rank_address)
        if addresses and serial in {None, announcement.serial}:
            usable.setdefault(announcement.serial, set()).add(addresses[0])
    if len(usable) > 1:
        raise ScraperSettingError(
            f"several gateways are in this network ({', '.join(sorted(usable))}): set ENVOY_SERIAL to the one you mean"
        )
    return sorted({address for found in usable.values() for address in found}, key=_rank_address)


def _is_usable(address: str) -> bool:
    """Whether an announced address can be a gateway's: an announcement must not lead to this machine or to many."""
    parsed = ipaddress.ip_address(address)
    if parsed.is_loopback or parsed.is_multicast or parsed.is_unspecified or parsed.is_reserved:
        return False
    # A link-local IPv6 address needs a zone, which an announcement does not carry.
    return address != _ACCESS_POINT and not (parsed.version == 6 and parsed.is_link_local)


def _rank_address(address: str) -> tuple[int, ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """The announced family alternates; always preferring one keeps the address stable."""
    parsed = ipaddress.ip_address(address)
    return parsed.version, parsed


async def browse(seconds: float = BROWSE_S, interfaces: Sequence[str] | None = None) -> list[Announcement]:
    """Every gateway that announces itself within `seconds`; nothing where mDNS does not work (containers, subnets).

    Args:
        seconds: How long to listen.
        interfaces: Addresses to listen on; None for all.
    """
    # Imported here: once the gateway is found the process has no use for it.
    from zeroconf import InterfaceChoice, ServiceStateChange, Zeroconf  # noqa: PLC0415 (see above)
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf  # noqa: PLC0415 (see above)

    names: set[str] = set()

    def note_service(*, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        del zeroconf, service_type
        if state_change is not ServiceStateChange.Removed:
            names.add(name)

    try:
        mdns = AsyncZeroconf(interfaces=list(interfaces) if interfaces else InterfaceChoice.All)
    except OSError:  # no multicast here
        return []
    try:
        browser = AsyncServiceBrowser(mdns.zeroconf, SERVICE_TYPE, handlers=[note_service])
        await asyncio.sleep(seconds)
        await browser.async_cancel()
        found = [AsyncServiceInfo(SERVICE_TYPE, name) for name in sorted(names)]
        await asyncio.gather(*(info.async_request(mdns.zeroconf, _RESOLVE_MS) for info in found))
    finally:
        await mdns.async_close()
    announced = [Announcement(_read_serial(info.properties), tuple(info.parsed_addresses())) for info in found]
    return [each for each in announced if is_serial(each.serial)]


def _read_serial(properties: Mapping[bytes, bytes | None]) -> str:
    """The announced serial; empty where there is none. The record may hold any bytes, since anybody may send one."""
    return (properties.get(b"serialnum") or b"").decode(errors="replace").strip()
