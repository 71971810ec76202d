"""Where the gateway stands: its time zone, asked once, because the question takes the gateway up to nine seconds."""

from scraper.collect.health import Health
from scraper.errors import BadReplyError, EndpointUnavailableError, GatewayUnreachableError
from scraper.gateway.session import GatewaySession
from shared.units import DAY_S, HOUR_S

_SOON_S = 300.0
"""Jobs of up to five minutes are due at the start (`Schedule.start`)."""
_YEAR_S = 365.0 * DAY_S


class Place:
    """Asks for the time zone at the start, hourly until there is an answer, and then no more.

    Args:
        gateway: The connection.
        health: Gets the zone, which the scraper's own reading passes on.
    """

    def __init__(self, gateway: GatewaySession, health: Health) -> None:
        self._gateway = gateway
        self._health = health
        self._interval_s = _SOON_S

    def choose_interval(self) -> float:
        """Seconds until the next question."""
        return self._interval_s

    async def ask(self) -> None:
        """Ask. A gateway without an answer is no error: the receiver then has a zone of its own."""
        try:
            zone = await self._gateway.read_time_zone()
        except (EndpointUnavailableError, BadReplyError):
            self._interval_s = _YEAR_S
            return
        except GatewayUnreachableError:
            self._interval_s = HOUR_S
            return
        self._health.time_zone, self._interval_s = zone or "", _YEAR_S
