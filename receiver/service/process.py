"""What the whole process is told at its start, and how it gives memory back.

Of the memory that Python has done with, glibc's malloc keeps what lies below something that is still used, and threads
each keep an arena of their own: after many requests hundreds of megabytes that nobody uses. So there are few arenas,
and what is free is given back to the system now and then.
"""

import asyncio
import contextlib
import ctypes
import sys
from collections.abc import AsyncIterator
from typing import Final

SWITCH_S: Final = 0.001
"""A thread that computes lets the event loop go on after so long; posts feel the five times as much of Python."""
TRIM_EVERY_S: Final = 20.0
_ARENAS: Final = 2
_M_ARENA_MAX: Final = -8


def tune_process() -> None:
    """Let posts wait less for threads that compute, and threads share their memory. Before any thread starts."""
    sys.setswitchinterval(SWITCH_S)
    if (libc := _find_glibc()) is not None:
        libc.mallopt(_M_ARENA_MAX, _ARENAS)


@contextlib.asynccontextmanager
async def give_memory_back() -> AsyncIterator[None]:
    """Give free memory back to the system every `TRIM_EVERY_S`; does nothing where there is no glibc."""
    libc = _find_glibc()
    task = None if libc is None else asyncio.create_task(_trim_on(libc), name="memory")
    try:
        yield
    finally:
        if task is not None:
            task.cancel()


async def _trim_on(libc: ctypes.CDLL) -> None:
    while True:
        await asyncio.sleep(TRIM_EVERY_S)
        await asyncio.to_thread(libc.malloc_trim, 0)


def _find_glibc() -> ctypes.CDLL | None:
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") else None
