"""Looks at the gateway's clock, which must not cost the readings beside them."""

import math

from scraper.errors import BadReplyError
from scraper.gateway.session import GatewayIdentity, GatewaySession
from shared.clock import Clock
from shared.units import MINUTE_S

SLOW_S = 2.0
"""An answer takes 25 ms: one that fails after this long (seconds) was waited for in vain, and everything else, too."""
AGAIN_S = 5 * MINUTE_S
"""So long (seconds) the clock is then left in peace."""


class ClockLook:
    """Measures the clock of one gateway with nearly every poll of its inverters.

    Args:
        gateway: The connection.
        clock: Time.
    """

    def __init__(self, gateway: GatewaySession, clock: Clock) -> None:
        self._gateway = gateway
        self._clock = clock
        self._again_at = -math.inf

    async def look(self) -> GatewayIdentity | None:
        """Who answers, with the offset of its clock; None where `/info` is missing or empty, as after a boot.

        Raises as `GatewaySession.get_json`, but for what `/info` alone does not give.
        """
        started = self._clock.monotonic()
        if started < self._again_at:
            return None
        try:
            return await self._gateway.look_at_clock()
        except BadReplyError:
            now = self._clock.monotonic()
            if now - started >= SLOW_S:
                self._again_at = now + AGAIN_S
            return None
