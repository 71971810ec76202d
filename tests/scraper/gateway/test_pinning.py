"""Trust on first use: no credential byte ever goes to another certificate or another gateway."""

import asyncio
import stat

import pytest

from scraper.errors import CertificateChangedError, ScraperSettingError, WrongGatewayError
from scraper.gateway.pinning import Pin, PinStore, normalise_fingerprint, shorten
from scraper.gateway.transport import Address, Transport
from scraper.gateway.trust import TrustProposal, accept, propose
from tests.certificates import make_self_signed
from tests.fake_http import CannedReply, run_server
from tests.scraper.gateway.fake_gateway import FakeGateway
from tests.scraper.gateway.fake_tokens import SERIAL, make_token

OTHER = "envoy-with-another-certificate"


@pytest.fixture
def token():
    return make_token()


@pytest.fixture
def fake(token):
    gateway = FakeGateway()
    gateway.tokens.add(token)
    return gateway


async def trust(options, clock) -> TrustProposal:
    proposal = await propose(options, clock)
    assert not proposal.changes_nothing
    accept(options, proposal)
    assert (await propose(options, clock)).changes_nothing
    return proposal


async def swap_certificate(fake: FakeGateway) -> None:
    await fake.https.stop()
    fake.https.show(make_self_signed(OTHER))
    fake.clear()
    await fake.https.start()


async def test_another_certificate_receives_not_one_byte():
    """The handshake itself refuses it."""
    async with run_server(lambda _: CannedReply(200), make_self_signed(OTHER)) as server:
        pin = Pin("0" * 64)
        transport = Transport(Address("127.0.0.1", 1, server.port), pin, lock=asyncio.Lock())
        with pytest.raises(CertificateChangedError) as refused:
            await transport.get("https", "/info")
        with pytest.raises(CertificateChangedError):
            async with transport.stream("https", "/stream/meter"):
                pass
        await transport.aclose()
        assert server.received == b""
        assert shorten(pin.seen) in str(refused.value)
        assert "0000000000000000" in str(refused.value)
        assert "envoy-scraper trust" in str(refused.value)


async def test_the_first_certificate_is_remembered(fake, token, connected, tmp_path):
    """In a file of the owner's alone, by serial."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.connect()
        assert gateway.state.fingerprint == fake.compute_fingerprint()
    pins = PinStore(tmp_path)
    assert pins.read_fingerprint(SERIAL) == fake.compute_fingerprint()
    assert pins.read_gateway() == SERIAL
    assert stat.S_IMODE((tmp_path / "gateway.json").stat().st_mode) == 0o600


async def test_a_changed_certificate_stops_logins_before_a_secret_is_sent(fake, token, connected, clock, tmp_path):
    """While running: the next connection is refused, then the next look at the gateway, until somebody trusts it."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.read_inverters()
        await swap_certificate(fake)
        for _ in range(3):
            with pytest.raises(CertificateChangedError, match="envoy-scraper trust"):
                await gateway.read_inverters()
        assert gateway.state.certificate_changed
        assert fake.received == b""

        clock.advance(301)
        with pytest.raises(CertificateChangedError):
            await gateway.connect()
        assert fake.list_paths() == ["/info"]
        assert token.encode() not in fake.received

        trusted = await trust(fake.make_options(tmp_path), clock)
        assert (trusted.fingerprint, trusted.former_fingerprint) == (
            fake.compute_fingerprint(OTHER),
            fake.compute_fingerprint(),
        )
        assert await gateway.read_inverters()
        assert not gateway.state.certificate_changed


async def test_a_restart_still_knows_the_certificate(fake, token, connected):
    """The pin is on disk."""
    async with fake:
        async with connected(fake, token=lambda: token) as gateway:
            await gateway.connect()
        await swap_certificate(fake)
        async with connected(fake, token=lambda: token) as gateway:
            with pytest.raises(CertificateChangedError):
                await gateway.connect()
        assert token.encode() not in fake.received


async def test_trust_any_takes_every_certificate(fake, token, connected):
    """For who accepts the risk."""
    async with fake, connected(fake, token=lambda: token, tls_trust="any") as gateway:
        await gateway.connect()
        await swap_certificate(fake)
        assert await gateway.read_inverters()


async def test_a_fingerprint_known_beforehand_leaves_no_first_use(fake, token, connected):
    """ENVOY_TLS_FINGERPRINT decides, from the first contact on."""
    right = fake.compute_fingerprint().upper()
    async with fake:
        async with connected(fake, token=lambda: token, tls_fingerprint="ab" * 32) as gateway:
            with pytest.raises(CertificateChangedError, match="abababab"):
                await gateway.connect()
        assert token.encode() not in fake.received
        async with connected(fake, token=lambda: token, tls_fingerprint=right) as gateway:
            assert (await gateway.connect()).serial == SERIAL


async def test_another_serial_gets_no_secret(fake, token, connected, tmp_path, clock):
    """A gateway that is replaced, or another one at the address: said as such, whatever its certificate."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.connect()
        fake.serial = "999999999999"
        await swap_certificate(fake)
        clock.advance(4 * 3600)
        with pytest.raises(WrongGatewayError, match=r"999999999999 .* belongs to gateway 122012345678"):
            await gateway.read_inverters()
        assert token.encode() not in fake.received
        assert gateway.state.login_blocked is not None
        trusted = await trust(fake.make_options(tmp_path), clock)
        assert (trusted.serial, trusted.former_serial) == ("999999999999", SERIAL)


async def test_the_configured_serial_is_the_only_one(fake, token, connected, tmp_path, clock):
    """ENVOY_SERIAL names the gateway; also `trust` keeps to it."""
    async with fake, connected(fake, token=lambda: token, serial="100000000000") as gateway:
        with pytest.raises(WrongGatewayError, match="ENVOY_SERIAL"):
            await gateway.connect()
        with pytest.raises(WrongGatewayError):
            await propose(fake.make_options(tmp_path, serial="100000000000"), clock)
        with pytest.raises(ScraperSettingError, match="ENVOY_TLS_FINGERPRINT"):
            await propose(fake.make_options(tmp_path, tls_fingerprint="ab" * 32), clock)
        assert token.encode() not in fake.received


async def test_a_gateway_that_forgets_tls_gets_no_secret(fake, token, connected, clock, tmp_path):
    """Somebody answers in its place over plain http and asks for a digest."""
    async with fake, connected(fake, token=lambda: token, installer_password=lambda: "canary") as gateway:
        await gateway.connect()
        await fake.update("D5.0.62")
        fake.clear()
        clock.advance(4 * 3600)
        with pytest.raises(CertificateChangedError, match="plain http"):
            await gateway.connect()
        assert fake.list_paths() == ["/info"]
        await trust(fake.make_options(tmp_path), clock)
        fake.passwords["installer"] = "canary"
        assert (await gateway.connect()).scheme == "http"


@pytest.mark.parametrize("contents", [b"not json", b"[]", b'{"pins": 1}'])
def test_a_damaged_pin_file_is_not_guessed_at(tmp_path, contents):
    """Trusting again is the owner's decision."""
    path = tmp_path / "gateway.json"
    path.write_bytes(contents)
    path.chmod(0o600)
    with pytest.raises(ScraperSettingError, match="delete it"):
        PinStore(tmp_path).read_gateway()


def test_a_pin_file_that_others_can_read_is_refused(tmp_path):
    """The message names the remedy."""
    path = tmp_path / "gateway.json"
    path.write_bytes(b"{}")
    path.chmod(0o644)
    with pytest.raises(ScraperSettingError, match="chmod 600"):
        PinStore(tmp_path).read_gateway()


def test_forgetting_leaves_the_gateway_known(tmp_path):
    """Only the certificate is forgotten."""
    pins = PinStore(tmp_path)
    pins.remember(SERIAL, "a" * 64)
    pins.remember(SERIAL, None)
    assert pins.read_fingerprint(SERIAL) == "a" * 64
    pins.forget(SERIAL)
    assert (pins.read_gateway(), pins.read_fingerprint(SERIAL)) == (SERIAL, None)


def test_fingerprints_as_people_write_them():
    """Colons, spaces, capitals, prefix; and nothing else."""
    assert normalise_fingerprint(" SHA256:" + ":".join(["AB"] * 32)) == "ab" * 32
    for wrong in ("", "ab" * 31, "zz" * 32):
        with pytest.raises(ScraperSettingError, match="ENVOY_TLS_FINGERPRINT"):
            normalise_fingerprint(wrong)
