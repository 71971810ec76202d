"""Who answers, and may it be trusted? Decided before anything secret is sent."""

import asyncio
from typing import NamedTuple

from scraper.errors import CertificateChangedError, GatewayError, ScraperSettingError, WrongGatewayError
from scraper.gateway.discovery import find_hosts
from scraper.gateway.info import GatewayInfo
from scraper.gateway.options import GatewayOptions
from scraper.gateway.pinning import Pin, PinStore, normalise_fingerprint
from scraper.gateway.probe import Probe, probe
from scraper.gateway.transport import Address, Scheme
from shared.clock import Clock


class IdentifiedGateway(NamedTuple):
    """The right gateway.

    Attributes:
        address, scheme: How to reach it.
        info: What it says about itself.
        seen: The certificate it shows now; None over http.
        expected: The only certificate that credentials may be sent to; None where there is none or any will do.
        clock_offset_s: Its clock minus ours.
    """

    address: Address
    scheme: Scheme
    info: GatewayInfo
    seen: str | None
    expected: str | None
    clock_offset_s: float | None

    def is_same_as(self, other: "IdentifiedGateway") -> bool:
        """Whether a login made with `other` is still one with this: same place, same device, same firmware."""
        return (self.address, self.scheme, self.info.serial, self.info.firmware, self.expected) == (
            other.address,
            other.scheme,
            other.info.serial,
            other.info.firmware,
            other.expected,
        )


class Identifier:
    """Finds the gateway and checks serial and certificate.

    Args:
        options: Where, who, and what is trusted.
        pins: What was trusted before.
        clock: To measure the gateway's.
        lock: Held during requests.
    """

    def __init__(self, options: GatewayOptions, pins: PinStore, clock: Clock, lock: asyncio.Lock) -> None:
        self._options = options
        self._pins = pins
        self._clock = clock
        self._lock = lock
        self._host: str | None = None

    async def identify(self) -> IdentifiedGateway:
        """Ask who is there and refuse an unexpected gateway. Remembers gateway and certificate at first contact.

        Raises:
            WrongGatewayError: Another serial than the configured or remembered one.
            CertificateChangedError: The right serial with another certificate than the trusted one.
            GatewayUnreachableError, BadReplyError: No gateway answers.
            ScraperSettingError: The pin file or a setting cannot be used.
        """
        known = self._options.serial or self._pins.read_gateway()
        address, probed = await self.look(known)
        self._check_serial(probed.info.serial, known, address.host)
        expected = self._choose_fingerprint(probed)
        if expected is not None and probed.fingerprint is not None:
            Pin(expected).compare(probed.fingerprint)
        self._pins.remember(probed.info.serial, expected)
        return IdentifiedGateway(
            address, probed.scheme, probed.info, probed.fingerprint, expected, probed.clock_offset_s
        )

    async def look(self, serial: str | None) -> tuple[Address, Probe]:
        """Ask who is there, and accept any gateway. A discovered address is kept until nobody answers there.

        Where several hosts announce one gateway, the one with the trusted certificate is taken, else the first that
        answers.
        """
        hosts = await find_hosts(self._options.host, serial) if self._host is None else [self._host]
        self._host = None
        answers: list[tuple[Address, Probe]] = []
        failure: Exception | None = None
        for host in hosts:
            address = Address(host, self._options.http_port, self._options.https_port)
            try:
                probed = await probe(address, self._clock, lock=self._lock, deadlines=self._options.deadlines)
            except (GatewayError, ScraperSettingError) as error:
                failure = failure or error
                continue
            answers.append((address, probed))
            if self._is_trusted(probed):
                answers = answers[-1:]
                break
        if not answers and failure is not None:
            raise failure
        self._host = answers[0][0].host
        return answers[0]

    def _is_trusted(self, probed: Probe) -> bool:
        trusted = self._options.tls_fingerprint or self._pins.read_fingerprint(probed.info.serial)
        return trusted is not None and probed.fingerprint == normalise_fingerprint(trusted)

    def _check_serial(self, serial: str, known: str | None, host: str) -> None:
        if known is None or serial == known:
            return
        if self._options.serial is not None:
            remedy = "correct ENVOY_HOST or ENVOY_SERIAL"
        else:
            remedy = "correct ENVOY_HOST; or, if your gateway was replaced, run: envoy-scraper trust"
        raise WrongGatewayError(
            f"gateway {serial} answers at {host}, but this scraper belongs to gateway {known}; nothing secret was "
            f"sent: {remedy}"
        )

    def _choose_fingerprint(self, probed: Probe) -> str | None:
        """The fingerprint to demand from now on."""
        if self._options.tls_trust == "any":
            return None
        if self._options.tls_fingerprint:
            expected: str | None = normalise_fingerprint(self._options.tls_fingerprint)
        else:
            expected = self._pins.read_fingerprint(probed.info.serial)
        if expected is not None and probed.scheme == "http":
            raise CertificateChangedError(
                "the gateway used to answer over https and now only does over plain http, which no firmware update "
                "brings about; nothing secret was sent. If you know why, accept it with: envoy-scraper trust"
            )
        return expected or probed.fingerprint
