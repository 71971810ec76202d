"""How much one sender may ask for, and which series each gateway may have."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog

from receiver.errors import RefusedError
from receiver.stores.base import Store, StoreDamagedError
from shared.fields import KINDS
from shared.problems import Problem
from shared.readings import Series

_log = structlog.get_logger()

MAX_SERIES = 1_000
"""Inverters one gateway may have: the largest site has some 300. So many series may each kind of `_CROWDS` have."""
_CROWDS = frozenset({"inverter", "interval", "datum"})
"""Of intervals each revision is a series, of datum each property."""
_FIXED_SERIES = 100
"""Series of each other kind: a house has a dozen of meters, and one status. They have room of their own, so that no
crowd of names in one kind keeps another one out."""
MOST_POSTS = 8
"""Posts of one gateway that may be under way: its scraper sends one after another, and a line may have broken."""
_POSTS_RETRY_S = 1


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one sender may ask for; generous, so that only an error or a flood meets them.

    Attributes:
        gateway_rate: Batches a second of one gateway, or reads a second of one reader token, in the long run.
        address_rate: Requests a second of one network address (every gateway behind one proxy, unless it is listed as
            trusted), in the long run.
        series: Inverters one gateway may have.
        posts: Posts of one gateway under way at once.
        body_seconds: How long a body may take to arrive.
        connections: Open connections altogether; None is as many as the limit of open files allows.
        address_connections: Open connections of one network address that is no trusted proxy.
    """

    gateway_rate: float = 200
    address_rate: float = 1_000
    series: int = MAX_SERIES
    posts: int = MOST_POSTS
    body_seconds: float = 30
    connections: int | None = None
    address_connections: int = 500


class PostLimit:
    """How many posts of each gateway are under way, so that one key cannot hold every connection with bodies that drip.

    Args:
        most: Posts of one gateway, from the first byte of the body until its rows are durable.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: Counter[str] = Counter()

    @contextlib.contextmanager
    def count_one(self, gateway: str) -> Iterator[None]:
        """A post is under way as long as the context lasts. Raises RefusedError (too-many-requests)."""
        if self._under_way[gateway] >= self._most:
            raise RefusedError(Problem.TOO_MANY_REQUESTS, "posts-of-gateway", retry_after=_POSTS_RETRY_S)
        self._under_way[gateway] += 1
        try:
            yield
        finally:
            self._under_way[gateway] -= 1
            if not self._under_way[gateway]:
                del self._under_way[gateway]


class SeriesLimit:
    """Which series each gateway has, so that a sender with a valid key cannot fill the store with names.

    What the store already holds counts, also after a restart; it is asked once per gateway. A store that is damaged
    there says so by its readiness, and ends no gateway's batches: what is new counts from there on.
    """

    def __init__(self, store: Store, *, most: int = MAX_SERIES) -> None:
        self._store = store
        self._most = most
        self._known: dict[str, dict[str, set[Series]]] = {}
        """Series by gateway and kind."""

    async def load(self, gateway: str) -> None:
        """Learn the gateway's series. Raises StoreUnavailableError."""
        if gateway not in self._known:
            known: dict[str, set[Series]] = {kind: set() for kind in KINDS}
            for kind in KINDS:
                try:
                    latest = await self._store.read_latest(gateway, kind)
                except StoreDamagedError as error:
                    _log.error("the series of a gateway cannot be read", gateway=gateway, kind=kind, reason=str(error))
                    continue
                known[kind].update(Series.of(kind, entry.tags) for entry in latest)
            self._known.setdefault(gateway, known)

    def find_refused(self, gateway: str, series: Sequence[Series]) -> set[Series]:
        """Which of the series of a batch may not be stored; `load` has been called for the gateway."""
        known = self._known[gateway]
        refused = set()
        for one in dict.fromkeys(series):
            of_kind = known[one.kind]
            if one in of_kind:
                continue
            if len(of_kind) < (self._most if one.kind in _CROWDS else _FIXED_SERIES):
                of_kind.add(one)
            else:
                refused.add(one)
        return refused
