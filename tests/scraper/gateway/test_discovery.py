"""Finding the gateway: configured, announced, or by its usual name."""

import asyncio
import socket

import pytest
from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from scraper.errors import ScraperSettingError
from scraper.gateway import discovery
from scraper.gateway.discovery import FALLBACK_HOST, SERVICE_TYPE, Announcement, browse, choose, find_hosts
from tests.scraper.gateway.fake import SERIAL

OTHER = "999999999999"


async def test_a_configured_host_needs_no_network(monkeypatch):
    """Nothing is announced or asked on the network; brackets around IPv6 are tolerated."""
    monkeypatch.setattr(discovery, "browse", None)
    assert await find_hosts("192.0.2.7", SERIAL) == ["192.0.2.7"]
    assert await find_hosts(" [fd00::1] ", None) == ["fd00::1"]


async def test_without_announcement_the_usual_name_is_tried(monkeypatch):
    """The resolver may know it."""

    async def silence():
        return []

    monkeypatch.setattr(discovery, "browse", silence)
    assert await find_hosts(None, None) == [FALLBACK_HOST]


@pytest.mark.parametrize(
    ("announced", "serial", "hosts"),
    [
        ([], None, []),
        ([(SERIAL, "192.0.2.7")], None, ["192.0.2.7"]),
        ([(SERIAL, "fd00::1", "192.0.2.7")], None, ["192.0.2.7"]),
        ([(SERIAL, "fe80::1", "fd00::1")], None, ["fd00::1"]),
        ([(SERIAL, "169.254.120.1", "192.0.2.7")], None, ["192.0.2.7"]),
        ([(SERIAL, "169.254.120.1")], None, []),
        ([(SERIAL, "192.0.2.10"), (SERIAL, "192.0.2.9")], None, ["192.0.2.9", "192.0.2.10"]),
        ([(OTHER, "192.0.2.1"), (SERIAL, "192.0.2.7")], SERIAL, ["192.0.2.7"]),
        ([(OTHER, "192.0.2.1")], SERIAL, []),
        ([(SERIAL, "127.0.0.1", "0.0.0.0", "224.0.0.251", "::1", "::", "ff02::fb", "255.255.255.255")], None, []),  # noqa: S104
    ],
)
def test_which_addresses_are_tried(announced, serial, hosts):
    """The right serial's, a routable one of each host, in an order that stays; never this machine or a group."""
    assert choose([Announcement(name, addresses) for name, *addresses in announced], serial) == hosts


def test_several_gateways_need_a_choice():
    """The message lists them."""
    found = [Announcement(SERIAL, ("192.0.2.1",)), Announcement(OTHER, ("192.0.2.2",))]
    with pytest.raises(ScraperSettingError, match=f"{SERIAL}, {OTHER}.*ENVOY_SERIAL"):
        choose(found, None)


async def test_an_announcement_is_heard():
    """Over real mDNS on the loopback interface; the advertised port 80 is ignored."""
    service = ServiceInfo(
        SERVICE_TYPE,
        f"envoy.{SERVICE_TYPE}",
        addresses=[socket.inet_aton("192.0.2.7")],
        port=80,
        properties={"serialnum": SERIAL, "protovers": "8.2.4286", "txtvers": "1"},
        server="envoy.local.",
    )
    announcer = AsyncZeroconf(interfaces=["127.0.0.1"])
    try:
        await (await announcer.async_register_service(service))
        found = await browse(interfaces=["127.0.0.1"])
    finally:
        await announcer.async_close()
    assert found == [Announcement(SERIAL, ("192.0.2.7",))]


async def test_an_odd_announcement_is_left_out():
    """Anybody in the network may announce any bytes; a line end in a serial would forge a line of `check`."""
    odd = [b"\xff\xfe", b"1\nok receiver", b"", b"\x1b[2J"]
    services = [
        ServiceInfo(
            SERVICE_TYPE,
            f"envoy{number}.{SERVICE_TYPE}",
            addresses=[socket.inet_aton("192.0.2.8")],
            port=80,
            properties={b"serialnum": serial, b"\xff": b"\xff"},
            server=f"envoy{number}.local.",
        )
        for number, serial in enumerate([*odd, SERIAL.encode()])
    ]
    announcer = AsyncZeroconf(interfaces=["127.0.0.1"])
    try:
        for service in services:
            await (await announcer.async_register_service(service))
        found = await browse(interfaces=["127.0.0.1"])
    finally:
        await announcer.async_close()
    assert found == [Announcement(SERIAL, ("192.0.2.8",))]


async def test_a_host_without_multicast_finds_nothing(monkeypatch):
    """As in containers: no error, the usual name is tried instead."""

    def refuse(**_):
        raise OSError("no such device")

    monkeypatch.setattr("zeroconf.asyncio.AsyncZeroconf.__init__", lambda *_, **__: refuse())
    assert await asyncio.wait_for(browse(0.1), 5) == []
