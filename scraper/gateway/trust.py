"""`envoy-scraper trust`: accept the gateway that answers now and the certificate it shows.

Two steps, so that a person can compare fingerprints in between. Neither sends anything secret.
"""

import asyncio
from typing import NamedTuple

from scraper.errors import ScraperSettingError, WrongGatewayError
from scraper.gateway.identify import Identifier
from scraper.gateway.options import GatewayOptions
from scraper.gateway.pinning import PinStore
from shared.clock import Clock


class TrustProposal(NamedTuple):
    """What would be trusted, and what is trusted so far.

    Attributes:
        host: Where the gateway answers.
        serial: Its serial.
        fingerprint: SHA-256 of its certificate; None if it speaks plain http.
        former_serial: The gateway this scraper belongs to; None if none yet.
        former_fingerprint: What is trusted for this serial; None if nothing.
    """

    host: str
    serial: str
    fingerprint: str | None
    former_serial: str | None
    former_fingerprint: str | None

    @property
    def changes_nothing(self) -> bool:
        """Whether this very gateway with this very certificate is trusted already."""
        return (self.serial, self.fingerprint) == (self.former_serial, self.former_fingerprint)


async def propose(options: GatewayOptions, clock: Clock) -> TrustProposal:
    """Look who answers now.

    Raises:
        WrongGatewayError: ENVOY_SERIAL is set and another gateway answers.
        ScraperSettingError: ENVOY_TLS_FINGERPRINT is set, which decides alone; or the pin file cannot be used.
        GatewayUnreachableError, BadReplyError: No gateway answers.
    """
    if options.tls_fingerprint:
        raise ScraperSettingError(
            "ENVOY_TLS_FINGERPRINT is set and decides what is trusted: change or remove it instead"
        )
    pins = PinStore(options.state_dir)
    former = pins.read_gateway()
    address, probed = await Identifier(options, pins, clock, asyncio.Lock()).look(options.serial)
    serial = probed.info.serial
    if options.serial not in {None, serial}:
        raise WrongGatewayError(f"gateway {serial} answers at {address.host}, but ENVOY_SERIAL is {options.serial}")
    return TrustProposal(address.host, serial, probed.fingerprint, former, pins.read_fingerprint(serial))


def accept(options: GatewayOptions, proposal: TrustProposal) -> None:
    """Belong to this gateway and trust this certificate from now on; a running scraper notices at its next login.

    Raises ScraperSettingError if the state directory cannot be written.
    """
    pins = PinStore(options.state_dir)
    if proposal.fingerprint is None:
        pins.forget(proposal.serial)
    pins.remember(proposal.serial, proposal.fingerprint)
