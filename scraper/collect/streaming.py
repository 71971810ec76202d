"""Keeps the meter stream open where this login may read it, and says once why it may not.

While the stream is away the poller asks the meters instead; it comes back after half a minute, later on repeats.
"""

import random
from contextlib import aclosing

import structlog

from scraper.collect.health import Health
from scraper.collect.samples import Samples
from scraper.delta.pace import Pace
from scraper.errors import BadReplyError, EndpointUnavailableError, GatewayError, ScraperSettingError
from scraper.gateway.session import GatewaySession
from scraper.gateway.stream import PATH
from shared.backoff import Backoff
from shared.clock import Clock

log = structlog.get_logger()

FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 300.0
SHORTEST_SHARE = 1 / 6
_LOOK_S = 1.0
_UNREADABLE = 30
"""Bursts in a row without one readable event after which the stream is given up for a while."""


class StreamKeeper:
    """One stream of one gateway.

    Args:
        gateway: The connection.
        samples: Takes the events.
        health: Written.
        clock: Time.
        rng: Spreads reconnects.
    """

    def __init__(
        self, gateway: GatewaySession, samples: Samples, health: Health, clock: Clock, rng: random.Random
    ) -> None:
        self._gateway = gateway
        self._samples = samples
        self._health = health
        self._clock = clock
        self._pace = Pace()
        self._backoff = Backoff(rng, first_s=FIRST_WAIT_S, longest_s=LONGEST_WAIT_S, shortest_share=SHORTEST_SHARE)

    async def run(self) -> None:
        """Stream until cancelled."""
        while True:
            await self._wait_for_connection()
            before = self._health.stream_events
            try:
                await self._stream()
            except EndpointUnavailableError as error:
                await self._wait_while_unavailable(error)
                self._backoff.succeed()
                continue
            except (GatewayError, ScraperSettingError) as error:
                log.info("the meter stream ended; it is opened again", reason=str(error))
            if self._health.stream_events > before:
                self._backoff.succeed()
                await self._samples.note_stop("the meter stream ended")
            await self._clock.sleep(self._backoff.draw_delay())

    async def _wait_for_connection(self) -> None:
        """Wait for a login to the right gateway and an enabled meter."""
        while not self._can_stream():
            await self._clock.sleep(_LOOK_S)

    def _can_stream(self) -> bool:
        ready = self._gateway.identity is not None and self._health.person_needed is None
        return ready and any(meter.enabled for meter in self._gateway.known_meters or ())

    async def _stream(self) -> None:
        unreadable = 0
        try:
            async with aclosing(self._gateway.stream_bursts()) as bursts:
                async for burst in bursts:
                    taken = self._pace.take(len(burst.lines), self._clock.monotonic())
                    if not taken:
                        continue
                    burst = burst._replace(lines=burst.lines[-taken:])  # noqa: PLW2901 (the newest of them)
                    unreadable = 0 if await self._samples.record_burst(burst) else unreadable + 1
                    if unreadable >= _UNREADABLE:
                        raise BadReplyError("the meter stream sends nothing that can be read")
                    if not (unreadable or self._health.stream_connected):
                        log.info("the meter stream delivers")
                        self._health.stream_connected = True
                        self._health.stream_unavailable = None
        finally:
            self._health.stream_connected = False  # polls give the meters' values again

    async def _wait_while_unavailable(self, error: EndpointUnavailableError) -> None:
        """No rights or no such thing: waits until the login or the firmware changes, or the answer may have."""
        if self._health.role == "owner":
            reason = "an owner token may not read the meter stream; meters are polled (an installer token may read it)"
        else:
            reason = f"this gateway gives no meter stream (status {error.status}); meters are polled"
        if self._health.stream_unavailable is None:
            log.info("no meter stream", reason=reason)
        self._health.stream_unavailable = reason
        then = self._make_key()
        while self._make_key() == then and not self._gateway.may_ask(PATH):
            await self._clock.sleep(_LOOK_S)

    def _make_key(self) -> tuple[str, str, int | None]:
        identity = self._gateway.identity
        return (identity.firmware, identity.role, identity.token_expires_s) if identity else ("", "", None)
