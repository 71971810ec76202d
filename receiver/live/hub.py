"""From the commit to the viewers: every reading as it is stored, into a bounded queue for each of them.

Nothing here may hold a commit up: handing over is a step of Python for each viewer, and a viewer whose queue is full is
ended with the reason. It comes back with its cursor and reads what it missed from the store.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence

from receiver.errors import RefusedError
from receiver.live.events import encode_reading
from receiver.live.solar import KINDS_OF_NOW, LatestPowers
from receiver.live.watch import Watch
from receiver.stores.base import Store
from shared.clock import Clock
from shared.problems import Problem
from shared.readings import Reading
from shared.units import MINUTE_MS

YOUNG_MS = 2 * MINUTE_MS
"""Older readings are history, not live: a backlog that drains does not flood the viewers."""
MOST_WAITING = 2_000
"""Events that one viewer may be behind: some seconds of a large site."""
MOST_VIEWERS = 500
MOST_OF_ONE = 20
"""Open views of one reader: some devices with some tabs each, and room for many other readers."""
_REFUSED_S = 30


class Viewer:
    """One open view of one gateway. `events` gives what to send; `ended` says why there is no more, once it is over."""

    def __init__(self, gateway: str, powers: LatestPowers, most_waiting: int, reader: str) -> None:
        self.gateway = gateway
        self.reader = reader
        self.powers = powers
        self.ended: str | None = None
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(most_waiting)

    def push(self, events: Sequence[bytes]) -> None:
        """Hand events over, or end the view if there is no room for them."""
        try:
            for event in events:
                self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self.end("too-slow")

    def end(self, reason: str) -> None:
        """Send no more events, and drop those that wait."""
        self.ended = self.ended or reason
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(b"")  # wakes the waiting reader

    async def wait_for_events(self) -> bytes:
        """All events that wait, at least one, in one piece."""
        parts = [await self._queue.get()]
        while not self._queue.empty():
            parts.append(self._queue.get_nowait())
        return b"".join(parts)


class Hub:
    """Every open view of every gateway.

    Args:
        store: Where a view begins: with the latest powers.
        watch: Gets a lease for each view, so that scrapers post at once.
        clock: Decides which readings are young.
        most_viewers: Open views at once.
        most_of_one: Open views of one reader.
        most_waiting: Events that one viewer may be behind.
    """

    def __init__(
        self,
        store: Store,
        watch: Watch,
        clock: Clock,
        *,
        most_viewers: int = MOST_VIEWERS,
        most_of_one: int = MOST_OF_ONE,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._store = store
        self._watch = watch
        self._clock = clock
        self._most_viewers = most_viewers
        self._most_of_one = most_of_one
        self._of_reader: Counter[str] = Counter()
        self._most_waiting = most_waiting
        self._viewers: dict[str, set[Viewer]] = {}
        self._powers: dict[str, LatestPowers] = {}
        self._closed = False

    def deliver(self, gateway: str, readings: Sequence[Reading]) -> None:
        """Hand young readings to the gateway's viewers; costs next to nothing while there are none."""
        viewers = self._viewers.get(gateway)
        if not viewers:
            return
        oldest = self._clock.now_ms() - YOUNG_MS
        young = [reading for reading in readings if reading.timestamp > oldest]
        powers = self._powers[gateway]
        for reading in young:
            powers.see(reading)
        events = [encode_reading(reading) for reading in young]
        for viewer in tuple(viewers):
            viewer.push(events)

    async def open_view(self, gateway: str, reader: str) -> Viewer:
        """A new view; give it to `leave` at the end.

        Args:
            gateway: Whose readings.
            reader: Who looks: each has a share of the views.

        Raises:
            RefusedError: There are too many views, of this reader or altogether, or the receiver is stopping.
            StoreUnavailableError: The store cannot say what is now.
        """
        if self._of_reader[reader] >= self._most_of_one:
            raise RefusedError(Problem.TOO_MANY_REQUESTS, "viewers-of-reader", retry_after=_REFUSED_S)
        if self._closed or self.count() >= self._most_viewers:
            raise RefusedError(Problem.TOO_MANY_REQUESTS, "viewers", retry_after=_REFUSED_S)
        viewer = Viewer(gateway, self._powers.setdefault(gateway, LatestPowers()), self._most_waiting, reader)
        self._viewers.setdefault(gateway, set()).add(viewer)  # first, so that nothing is missed meanwhile
        self._of_reader[reader] += 1
        try:
            viewer.powers.seed(*[await self._store.read_latest(gateway, kind) for kind in KINDS_OF_NOW])
        except BaseException:
            self.leave(viewer)
            raise
        self.renew(viewer)
        return viewer

    def renew(self, viewer: Viewer) -> None:
        """Renew the lease of a view that is still open."""
        self._watch.renew(viewer.gateway)

    def leave(self, viewer: Viewer) -> None:
        """End a view that its reader has left."""
        viewers = self._viewers.get(viewer.gateway, set())
        if viewer not in viewers:
            return
        viewers.remove(viewer)
        self._of_reader[viewer.reader] -= 1
        if not self._of_reader[viewer.reader]:
            del self._of_reader[viewer.reader]
        if not viewers:
            self._viewers.pop(viewer.gateway, None)
            self._powers.pop(viewer.gateway, None)

    def close(self) -> None:
        """End every view: the receiver is stopping."""
        self._closed = True
        for viewer in [viewer for viewers in self._viewers.values() for viewer in viewers]:
            viewer.end("stopping")

    def count(self) -> int:
        """How many views are open."""
        return sum(map(len, self._viewers.values()))
