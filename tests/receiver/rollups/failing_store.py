"""A store that fails when a test wants it to."""

from receiver.stores.base import StoreUnavailableError


class FailingStore:
    """A store that fails when the test says so."""

    def __init__(self, store) -> None:
        self.store = store
        self.calls_left = 10**9

    def __getattr__(self, name):
        return getattr(self.store, name)

    def _count(self) -> None:
        self.calls_left -= 1
        if self.calls_left < 0:
            raise StoreUnavailableError("the store is away")

    async def read_points(self, *arguments, **options):
        self._count()
        return await self.store.read_points(*arguments, **options)

    async def write(self, rows):
        self._count()
        return await self.store.write(rows)

    async def remove(self, *arguments, **options):
        self._count()
        await self.store.remove(*arguments, **options)
