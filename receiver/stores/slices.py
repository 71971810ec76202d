"""Work under way on another thread, for callers that may leave before it ends."""

import asyncio
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


async def finish_slice(under_way: Future[_T]) -> _T:
    """The result of work on a thread.

    Work has no brake once it runs. A caller that is cancelled meanwhile waits for its end, so that whatever is held for
    it (a share, rows) is given back only when it is free. Work that still waits for a thread is never begun then.
    """
    result = asyncio.wrap_future(under_way)
    try:
        return await asyncio.shield(result)
    except asyncio.CancelledError:
        if not under_way.cancel():
            await asyncio.wait({result})
            if not result.cancelled():
                result.exception()  # nobody else will look at it
        raise
