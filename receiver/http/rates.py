"""How many requests a second one name may make.

The libraries for rate limits bring storage back-ends and decorators; a token bucket for one process is twenty lines.
"""

import math
from collections import OrderedDict

from receiver.errors import RefusedError
from shared.clock import Clock
from shared.problems import Problem

BURST_S = 5
"""What was saved up over this many seconds may come at once."""
_REMEMBERED = 10_000


class RateLimit:
    """A token bucket for each name.

    Args:
        rate: Requests a second in the long run; those of `BURST_S` seconds may come at once.
        reason: For log and metric.
        clock: Monotonic time.
    """

    def __init__(self, *, rate: float, reason: str, clock: Clock) -> None:
        self._rate = rate
        self._burst = max(1.0, rate * BURST_S)
        self._reason = reason
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # name to (tokens, when counted)

    def spend(self, name: str) -> None:
        """Count one request. Raises RefusedError (too-many-requests) with the seconds to wait."""
        now = self._clock.monotonic()
        tokens, counted = self._buckets.pop(name, (self._burst, now))
        tokens = min(self._burst, tokens + (now - counted) * self._rate)
        allowed = tokens >= 1
        self._buckets[name] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)  # the longest unheard of; it comes back with a full bucket
        if not allowed:
            wait = math.ceil((1 - tokens) / self._rate)
            raise RefusedError(Problem.TOO_MANY_REQUESTS, self._reason, retry_after=max(1, wait))
