"""How much one sender may ask for: requests a second, and series.

The libraries for rate limits bring storage back-ends and decorators; a token bucket for one process is twenty lines.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from receiver.errors import RefusedError
from receiver.stores.base import Store
from shared.clock import Clock
from shared.fields import KINDS
from shared.problems import Problem
from shared.readings import Series

MAX_SERIES = 1_000
"""Series one gateway may have: the largest site has some 300 inverters, and a dozen meter series."""
_REMEMBERED = 10_000


BURST_S = 5
"""What was saved up over this many seconds may come at once."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one sender may ask for; generous, so that only a fault or a flood meets them.

    Attributes:
        gateway_rate: Batches a second of one gateway, or reads a second of one reader token, in the long run.
        address_rate: Requests a second of one network address (every gateway behind one proxy, unless it is listed as
            trusted), in the long run.
        series: Series one gateway may have.
        body_seconds: How long a body may take to arrive.
    """

    gateway_rate: float = 200
    address_rate: float = 1_000
    series: int = MAX_SERIES
    body_seconds: float = 30


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


class SeriesLimit:
    """Which series each gateway has, so that a sender with a valid key cannot fill the store with names.

    What the store already holds counts, also after a restart; it is asked once per gateway.
    """

    def __init__(self, store: Store, *, most: int = MAX_SERIES) -> None:
        self._store = store
        self._most = most
        self._known: dict[str, set[Series]] = {}

    async def load(self, gateway: str) -> None:
        """Learn the gateway's series. Raises StoreUnavailableError."""
        if gateway not in self._known:
            known: set[Series] = set()
            for kind in KINDS:
                latest = await self._store.latest(gateway, kind)
                known.update(Series(kind, tuple(sorted(entry.tags.items()))) for entry in latest)
            self._known.setdefault(gateway, known)

    def refused(self, gateway: str, series: Sequence[Series]) -> set[Series]:
        """Which of the series of a batch may not be stored; `load` has been called for the gateway."""
        known = self._known[gateway]
        if known.issuperset(series):  # almost always: a house gets new panels once in its life
            return set()
        refused = set()
        for one in series:
            if len(known) < self._most:
                known.add(one)
            elif one not in known:
                refused.add(one)
        return refused
