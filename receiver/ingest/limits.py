"""How much one sender may ask for, and which series each gateway may have."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from receiver.stores.base import Store, StoreDamagedError
from shared.fields import KINDS
from shared.readings import Series

_log = structlog.get_logger()

MAX_SERIES = 1_000
"""Series one gateway may have: the largest site has some 300 inverters, and a dozen meter series."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one sender may ask for; generous, so that only an error or a flood meets them.

    Attributes:
        gateway_rate: Batches a second of one gateway, or reads a second of one reader token, in the long run.
        address_rate: Requests a second of one network address (every gateway behind one proxy, unless it is listed as
            trusted), in the long run.
        series: Series one gateway may have.
        body_seconds: How long a body may take to arrive.
        connections: Open connections altogether; None is as many as the limit of open files allows.
        address_connections: Open connections of one network address that is no trusted proxy.
    """

    gateway_rate: float = 200
    address_rate: float = 1_000
    series: int = MAX_SERIES
    body_seconds: float = 30
    connections: int | None = None
    address_connections: int = 500


class SeriesLimit:
    """Which series each gateway has, so that a sender with a valid key cannot fill the store with names.

    What the store already holds counts, also after a restart; it is asked once per gateway. A store that is damaged
    there says so by its readiness, and ends no gateway's batches: what is new counts from there on.
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
                try:
                    latest = await self._store.latest(gateway, kind)
                except StoreDamagedError as error:
                    _log.error("the series of a gateway cannot be read", gateway=gateway, kind=kind, reason=str(error))
                    continue
                known.update(Series.of(kind, entry.tags) for entry in latest)
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
