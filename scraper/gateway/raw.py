"""One request by hand to the gateway, with the same trust as the service: serial and certificate come first.

Promises: a path that was judged is asked once, and once more only after a read whose session had ended; a write is
never repeated. The running service does not use this module: it never writes to the gateway.
"""

import structlog

from scraper.gateway.connector import Connector
from scraper.gateway.login import REFUSED
from scraper.gateway.options import GatewayOptions
from scraper.gateway.raw_request import judge_data, judge_method, judge_path
from scraper.gateway.transport import GatewayReply
from shared.clock import Clock
from shared.redaction import redact_document

_log = structlog.get_logger(__name__)


class RawGateway:
    """A gateway that a person speaks to.

    Args:
        options: Where it is and how to log in.
        clock: Dates and intervals.
    """

    def __init__(self, options: GatewayOptions, clock: Clock) -> None:
        self._connector = Connector(options, clock)

    async def read(self, path: str) -> GatewayReply:
        """The reply of `path`, whatever its status. Raises as `GatewaySession.connect`, and WrongUseError."""
        judge_path(path)
        endpoints = (await self._connector.connect(forget_refused=False)).endpoints
        reply = await endpoints.transport.get(endpoints.scheme, path, auth=endpoints.login.auth)
        if reply.status in REFUSED and await endpoints.login.renew(endpoints.transport):
            reply = await endpoints.transport.get(endpoints.scheme, path, auth=endpoints.login.auth)
        return reply

    async def write(self, method: str, path: str, data: bytes) -> GatewayReply:
        """Send `data` as it is, once; the reply, whatever its status. Raises as `read`."""
        judge_method(method)
        judge_path(path)
        judge_data(data)
        endpoints = (await self._connector.connect(forget_refused=False)).endpoints
        reply = await endpoints.transport.send(endpoints.scheme, method, path, data, auth=endpoints.login.auth)
        _log.warning("sent to the gateway by hand", method=method, path=redact_document(path), status=reply.status)
        return reply

    @property
    def serial(self) -> str | None:
        """The gateway that was asked; None before the first request."""
        link = self._connector.link
        return link.identity.serial if link else None

    async def aclose(self) -> None:
        """Close every connection."""
        await self._connector.aclose()
