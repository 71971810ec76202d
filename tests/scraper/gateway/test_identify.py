"""Several hosts that announce one gateway: all are tried, and the one with the trusted certificate is taken."""

import asyncio

import pytest

from scraper.errors import GatewayUnreachableError
from scraper.gateway import identify
from scraper.gateway.identify import Identifier
from scraper.gateway.info import parse_info
from scraper.gateway.pinning import PinStore
from scraper.gateway.probe import Probe
from tests.scraper.gateway.fake_gateway import FakeGateway
from tests.scraper.gateway.fake_tokens import SERIAL

REAL, FORGED = "a" * 64, "b" * 64
INFO = f"<envoy_info><device><sn>{SERIAL}</sn><software>D8.2.4286</software></device></envoy_info>".encode()


@pytest.fixture
def network(monkeypatch):
    """Certificate by host; None is a host where nobody answers."""
    hosts: dict[str, str | None] = {}

    async def find_hosts(_configured, _serial):
        return list(hosts)

    async def probe(address, *_args, **_kwargs):
        if (fingerprint := hosts[address.host]) is None:
            raise GatewayUnreachableError("nobody answers")
        return Probe("https", parse_info(INFO), fingerprint, 0.0)

    monkeypatch.setattr(identify, "find_hosts", find_hosts)
    monkeypatch.setattr(identify, "probe", probe)
    return hosts


@pytest.fixture
async def identifier(tmp_path, clock):
    async with FakeGateway() as fake:
        yield Identifier(fake.make_options(tmp_path), PinStore(tmp_path), clock, asyncio.Lock())


async def test_the_host_with_the_trusted_certificate_wins(network, identifier, tmp_path):
    """A machine in the network that announces our serial first keeps us from nothing."""
    PinStore(tmp_path).remember(SERIAL, REAL)
    network.update({"192.0.2.1": FORGED, "192.0.2.2": None, "192.0.2.3": REAL})
    address, probed = await identifier.look(SERIAL)
    assert (address.host, probed.fingerprint) == ("192.0.2.3", REAL)


async def test_without_a_trusted_one_the_first_that_answers_is_taken(network, identifier):
    network.update({"192.0.2.1": None, "192.0.2.2": REAL, "192.0.2.3": FORGED})
    assert (await identifier.look(SERIAL))[0].host == "192.0.2.2"


async def test_an_address_is_kept_until_nobody_answers_there(network, identifier):
    network.update({"192.0.2.1": REAL})
    await identifier.look(SERIAL)
    network.update({"192.0.2.0": FORGED})
    assert (await identifier.look(SERIAL))[0].host == "192.0.2.1"
    network["192.0.2.1"] = None
    with pytest.raises(GatewayUnreachableError):
        await identifier.look(SERIAL)
    network["192.0.2.1"] = REAL
    assert (await identifier.look(SERIAL))[0].host in {"192.0.2.0", "192.0.2.1"}
