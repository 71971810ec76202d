"""The alarms without a service around them, over any store: tests move the clock, restart everything, and read along."""

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Self

from receiver.alarms.book import Book
from receiver.alarms.delivery import AlarmDelivery
from receiver.alarms.messages import Notice
from receiver.alarms.reading import FactsReader
from receiver.alarms.watcher import Habits, Watcher
from receiver.metrics import Metrics
from receiver.rollups.job import Rollups
from receiver.sites.model import NO_SITE, Site
from receiver.stores.base import GatewayReading, Store
from shared.readings import Reading
from tests.clocks import SetClock
from tests.receiver.stores.store_factories import MakeStore


class RecordingSender:
    """A channel that takes everything.

    Attributes:
        sent: What it took, over all restarts.
    """

    name = "recorder"
    recognises_repetition = False

    def __init__(self, sent: list[Notice]) -> None:
        self.sent = sent

    async def send(self, notice: Notice) -> None:
        self.sent.append(notice)


class AlarmBench:
    """A receiver's store, roll-ups and alarms.

    Args:
        make_store: Makes the store again after each restart.
        folder: The state directory.
        site: Of every gateway.
        habits: When alarms are told.
    """

    def __init__(
        self, make_store: MakeStore, folder: Path, *, site: Site = NO_SITE, habits: Habits | None = None
    ) -> None:
        self._make_store = make_store
        self._folder = folder
        self._site = site
        self._habits = habits or Habits(disks={})
        self.clock = SetClock()
        self.sent: list[Notice] = []
        self._sender = RecordingSender(self.sent)
        self._parts: tuple[Store, Rollups, Watcher, AlarmDelivery, Book] | None = None

    async def __aenter__(self) -> Self:
        await self.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def begin(self) -> None:
        store = self._make_store()
        await store.open()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        site_of = lambda _: self._site  # noqa: E731
        rollups = Rollups(store, site_of=site_of, clock=self.clock, state_dir=self._folder)
        metrics, book = Metrics(), Book(self._folder / "alarms.sqlite")
        delivery = AlarmDelivery(book, [self._sender], self.clock, metrics)
        watcher = Watcher(
            FactsReader(store, site_of), book, delivery.channels,
            site_of=site_of, list_outputs=list, habits=self._habits, clock=self.clock, metrics=metrics,
        )  # fmt: skip
        self._parts = store, rollups, watcher, delivery, book

    async def end(self) -> None:
        store, rollups, _, _, book = self.parts
        await book.close()
        await rollups.close()
        await store.close()

    async def restart(self) -> None:
        await self.end()
        await self.begin()

    @property
    def parts(self) -> tuple[Store, Rollups, Watcher, AlarmDelivery, Book]:
        assert self._parts is not None
        return self._parts

    async def write(self, gateway: str, readings: Sequence[Reading], *, derived: bool = False) -> None:
        """Store readings as they come; or rows of roll-ups, past the roll-ups."""
        store, rollups, *_ = self.parts
        rows = [GatewayReading(gateway, one) for one in readings]
        assert not await (store if derived else rollups.store).write(rows)

    async def roll_up(self) -> None:
        await self.parts[1].catch_up()

    async def look(self, at_s: float) -> list[tuple[str, str, str]]:
        """Judge and tell at one time; what was told: turn, alarm and subject."""
        self.clock.ms = round(at_s * 1000)
        _, _, watcher, delivery, _ = self.parts
        before = len(self.sent)
        await watcher.run_once()
        while await delivery.send_next("recorder") is not None:
            pass
        return [(one.turn, one.alarm, one.subject) for one in self.sent[before:]]


@contextlib.contextmanager
def set_disk(monkeypatch, free: int, total: int):
    """The disks of this machine have so many bytes."""
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free, total=total, used=total - free))
        yield
