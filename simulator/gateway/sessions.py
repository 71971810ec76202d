"""Session cookies: opened by a token, good for ten minutes after their last use."""

import secrets
from dataclasses import dataclass

from simulator.gateway.tokens import AcceptedToken

IDLE_S = 600.0
COOKIE = "sessionId"


@dataclass(slots=True)
class _OpenSession:
    claims: AcceptedToken
    last_used: float


class GatewaySessions:
    """The open sessions of one gateway. Times are the device's monotonic seconds."""

    def __init__(self) -> None:
        self._open: dict[str, _OpenSession] = {}

    def open(self, claims: AcceptedToken, now: float) -> str:
        """Start a session; the result is the cookie's value."""
        value = secrets.token_urlsafe(24)
        self._open[value] = _OpenSession(claims, now)
        return value

    def use(self, value: str, now: float) -> AcceptedToken | None:
        """The owner of this cookie, and None for an unknown or expired one. Each use extends its life."""
        session = self._open.get(value)
        if session is None:
            return None
        if now - session.last_used > IDLE_S:
            del self._open[value]
            return None
        session.last_used = now
        return session.claims

    def end_all(self) -> None:
        """Forget everybody, as a restart does."""
        self._open.clear()
