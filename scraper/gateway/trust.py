"""`envoy-scraper trust`: accept the gateway that answers now and the certificate it shows."""

import asyncio
from typing import NamedTuple

from scraper.errors import SettingError, WrongGatewayError
from scraper.gateway.identify import Identifier
from scraper.gateway.options import GatewayOptions
from scraper.gateway.pinning import PinStore
from shared.clock import Clock


class Trusted(NamedTuple):
    """What is trusted now and what was before.

    Attributes:
        host: Where the gateway answered.
        serial: Its serial.
        fingerprint: SHA-256 of its certificate; None if it speaks plain http.
        former_serial: The gateway this scraper belonged to; None if none.
        former_fingerprint: What was trusted for this serial; None if nothing.
    """

    host: str
    serial: str
    fingerprint: str | None
    former_serial: str | None
    former_fingerprint: str | None


async def trust(options: GatewayOptions, clock: Clock) -> Trusted:
    """Remember who answers now. Sends nothing secret; a running scraper notices at its next login.

    Raises:
        WrongGatewayError: ENVOY_SERIAL is set and another gateway answers.
        SettingError: ENVOY_TLS_FINGERPRINT is set, which decides alone; or the state directory cannot be written.
        GatewayUnreachableError, BadReplyError: No gateway answers.
    """
    if options.tls_fingerprint:
        raise SettingError("ENVOY_TLS_FINGERPRINT is set and decides what is trusted: change or remove it instead")
    pins = PinStore(options.state_dir)
    former = pins.gateway()
    address, probed = await Identifier(options, pins, clock, asyncio.Lock()).look(options.serial)
    serial = probed.info.serial
    if options.serial not in {None, serial}:
        raise WrongGatewayError(f"gateway {serial} answers at {address.host}, but ENVOY_SERIAL is {options.serial}")
    former_fingerprint = pins.fingerprint(serial)
    if probed.fingerprint is None:
        pins.forget(serial)
    pins.remember(serial, probed.fingerprint)
    return Trusted(address.host, serial, probed.fingerprint, former, former_fingerprint)
