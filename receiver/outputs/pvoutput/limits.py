"""How many requests PVOutput takes in an hour, and until when it takes none."""

from collections import deque
from collections.abc import Mapping

from receiver.outputs.base import OutputError
from shared.clock import Clock
from shared.units import HOUR_MS, HOUR_S

MOST_AN_HOUR = 60
"""Of one API key."""
MOST_OLD_AN_HOUR = 40
"""Of these for what is not of now, so that what is keeps its share."""


class HourlyLimit:
    """Counts requests. Times are the wall clock's, as in the replies.

    Args:
        clock: Which hour it is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: deque[int] = deque()
        self._blocked_until = 0
        self._old_blocked_until = 0

    def take(self, *, is_old: bool) -> None:
        """Count a request that is about to be made. Raises OutputError if it must wait."""
        now = self._clock.now_ms()
        while self._sent and self._sent[0] <= now - HOUR_MS:
            self._sent.popleft()
        most = MOST_OLD_AN_HOUR if is_old else MOST_AN_HOUR
        wait_ms = max(self._blocked_until, self._old_blocked_until if is_old else 0) - now
        if len(self._sent) >= most:
            wait_ms = max(wait_ms, self._sent[-most] + HOUR_MS - now)
        if wait_ms > 0:
            raise OutputError(
                "PVOutput has got as many requests as it takes in an hour; the rest follows then",
                "busy",
                wait_ms / 1000,
            )
        self._sent.append(now)

    def see(self, headers: Mapping[str, str]) -> None:
        """Take notice of what a reply says of the limit: others use it, too, and so did we before a restart."""
        text = headers.get("x-rate-limit-remaining", "").strip()
        if not (text.isascii() and text.isdigit()):
            return
        if int(text[:9]) == 0:
            self.block(headers)
        if int(text[:9]) <= MOST_AN_HOUR - MOST_OLD_AN_HOUR:
            self._old_blocked_until = self._read_reset(headers)

    def block(self, headers: Mapping[str, str]) -> None:
        """Make no request until the time that a reply names, at most an hour from now."""
        self._blocked_until = self._read_reset(headers)

    def _read_reset(self, headers: Mapping[str, str]) -> int:
        now = self._clock.now_ms()
        text = headers.get("x-rate-limit-reset", "").strip()
        until = int(text[:12]) * 1000 if text.isascii() and text.isdigit() else now + HOUR_MS
        return min(max(until, now + 1000), now + HOUR_S * 1000)
