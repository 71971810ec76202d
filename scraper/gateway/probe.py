"""Who answers at an address: `/info`, over https, else http. Carries no credential by construction.

The probe has a connection of its own that accepts (and reports) any certificate, because another gateway at the
address must be distinguished from a renewed certificate; credentials travel only over the pinned transport.
"""

import asyncio
from typing import NamedTuple

import httpx

from scraper.errors import BadReplyError, GatewayBusyError, GatewayUnreachableError
from scraper.gateway.info import GatewayInfo, parse_info
from scraper.gateway.login import raise_for_server_error
from scraper.gateway.pinning import Pin
from scraper.gateway.transport import Address, Deadlines, Scheme, Transport
from shared.clock import Clock

CLOCK_S = 10.0
"""So long (seconds) the clock is waited for, which is told in 25 ms: everything else waits meanwhile."""


class Probe(NamedTuple):
    """What `/info` said.

    Attributes:
        scheme: How the gateway is to be asked.
        info: Its identity.
        fingerprint: SHA-256 of its certificate; None over http.
        clock_offset_s: Gateway clock minus ours; None if it did not say. Its clock has a resolution of 1 s.
    """

    scheme: Scheme
    info: GatewayInfo
    fingerprint: str | None
    clock_offset_s: float | None


async def probe(address: Address, clock: Clock, *, lock: asyncio.Lock, deadlines: Deadlines | None = None) -> Probe:
    """Ask who is there.

    Raises:
        GatewayUnreachableError: Nobody answers on either port.
        BadReplyError: Something answers, but it is not a gateway.
    """
    pin = Pin()
    transport = Transport(address, pin, lock=lock, keep_alive=False, deadlines=deadlines)
    try:
        try:
            return await _ask(transport, "https", pin, clock)
        except GatewayUnreachableError as no_https:
            try:
                found = await _ask(transport, "http", pin, clock)
            except (GatewayUnreachableError, BadReplyError):
                raise no_https from None
            if found.info.token_login:
                # Port 80 of a token gateway: its https is restarting. A token is never sent in the clear.
                raise
            return found
    finally:
        await transport.aclose()


async def measure_clock(transport: Transport, scheme: Scheme, clock: Clock) -> float | None:
    """The gateway's clock minus ours in seconds, over a connection that is open already; None if it does not say.

    Raises GatewayUnreachableError and BadReplyError, as for any question; but a 5xx of `/info` alone, or no answer in
    time, says nothing of the paths that are read, and is no more than a reply without a clock.
    """
    try:
        async with asyncio.timeout(CLOCK_S):
            return (await _ask(transport, scheme, Pin(), clock)).clock_offset_s
    except (GatewayBusyError, TimeoutError) as error:
        raise BadReplyError("the gateway does not tell its time now; trying again at the next poll") from error


async def _ask(transport: Transport, scheme: Scheme, pin: Pin, clock: Clock) -> Probe:
    before_ms = clock.now_ms()
    reply = await transport.get(scheme, "/info")
    middle_s = (before_ms + clock.now_ms()) / 2000
    raise_for_server_error(reply)
    if reply.status != httpx.codes.OK:
        raise BadReplyError(
            f"what answers at {transport.address.host} is not an Enphase gateway (status {reply.status} for /info): "
            "check ENVOY_HOST"
        )
    info = parse_info(reply.body)
    # The gateway states whole seconds, so on average it is half a second further than it says.
    offset = info.time_s + 0.5 - middle_s if info.time_s is not None else None
    return Probe(scheme, info, pin.seen if scheme == "https" else None, offset)
