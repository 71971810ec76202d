"""One read of the store for all who ask the same at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_T = TypeVar("_T")


class SharedReads(Generic[_Key, _T]):
    """Reads what is asked for, at most once at a time for each key.

    Who asks while a read is under way waits for the next one, which all who asked meanwhile share. So every answer was
    read after its question came, and a thousand questions cost two reads.

    Args:
        read: Reads the answer of one key. Its answers are shared: nobody may change them.
    """

    def __init__(self, read: Callable[[_Key], Awaitable[_T]]) -> None:
        self._read = read
        self._under_way: dict[_Key, asyncio.Task[_T]] = {}
        self._next: dict[_Key, asyncio.Task[_T]] = {}

    async def ask(self, key: _Key) -> _T:
        """The answer; raises what `read` raises. A read goes on without those who leave."""
        task = self._next.get(key)
        if task is None:
            task = self._next[key] = asyncio.create_task(self._run(key, self._under_way.get(key)))
            task.add_done_callback(_forget_error)
        return await asyncio.shield(task)

    async def _run(self, key: _Key, before: asyncio.Task[_T] | None) -> _T:
        if before is not None:
            await asyncio.wait({before})
        task = self._under_way[key] = self._next.pop(key)
        try:
            return await self._read(key)
        finally:
            if self._under_way.get(key) is task:
                del self._under_way[key]


def _forget_error(task: asyncio.Task[_T]) -> None:
    """Those who asked have it; where all have left, nobody wants it."""
    if not task.cancelled():
        task.exception()
