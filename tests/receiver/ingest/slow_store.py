"""A store below a group commit whose writes wait for the test."""

import asyncio
from collections.abc import Sequence

from receiver.stores.base import GatewayReading
from shared.problems import Rejection
from shared.readings import Reading

NOON = 1_750_000_000_000


def make_rows(gateway: str, count: int = 1, *, power: float = 1.0) -> list[GatewayReading]:
    """Readings that name their gateway; a negative power is one that the store below refuses."""
    tags = {"meter": "production", "phase": "a"}
    return [GatewayReading(gateway, Reading("meter", tags, NOON + n, {"power": power})) for n in range(count)]


class SlowStore:
    """Keeps every write until the test lets it go; refuses negative powers; fails when the test says so."""

    def __init__(self) -> None:
        self.writes: list[list[GatewayReading]] = []
        self.let_go = asyncio.Event()
        self.begun = asyncio.Event()
        self.failures: list[Exception] = []
        self.poison: str | None = None

    async def write(self, rows: Sequence[GatewayReading]) -> dict[int, Rejection]:
        self.writes.append(list(rows))
        self.begun.set()
        await self.let_go.wait()
        if self.failures:
            raise self.failures.pop(0)
        if any(row.gateway == self.poison for row in rows):
            raise RuntimeError("a bug that only this gateway's rows wake")
        refused = [n for n, row in enumerate(rows) if row.reading.fields["power"] < 0]  # type: ignore[operator]
        return dict.fromkeys(refused, Rejection.STORE_REFUSED)

    @property
    def groups(self):
        """The gateways of each write."""
        return [[row.gateway for row in rows] for rows in self.writes]


async def start(commit, *batches):
    """A task for each batch, all of them waiting."""
    tasks = [asyncio.create_task(commit.write(batch)) for batch in batches]
    await asyncio.sleep(0)
    return tasks
