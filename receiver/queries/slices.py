"""What is computed for questions, beside the event loop and in slices: the next begins only while somebody asks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from receiver.stores.slices import finish_slice

_THREADS: Final = 2
"""They share one interpreter with the event loop: more would only slow each other down, and all others."""
_FEW: Final = 50

_P = ParamSpec("_P")
_T = TypeVar("_T")
_threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="question")


async def run_slice(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """What `work` returns, from another thread; as `finish_slice`."""
    return await finish_slice(_threads.submit(work, *args, **kwargs))


async def run_for_rows(rows: int, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """As `run_slice`; what concerns a few rows alone is done at once, which is quicker than to wait for a thread."""
    return work(*args, **kwargs) if rows <= _FEW else await run_slice(work, *args, **kwargs)
