"""Rolling up a whole store and waiting for it: for tools that fill one."""

from collections.abc import Callable
from pathlib import Path

from receiver.rollups.job import Rollups
from receiver.sites.model import Site
from receiver.stores.base import Store
from shared.clock import Clock


async def catch_up(store: Store, *, site_of: Callable[[str], Site], clock: Clock, state_dir: Path) -> None:
    """Roll up everything in a store. See `Rollups.catch_up`.

    The journal in `state_dir` is left as a receiver expects to find it. Readings that were written without the journal
    are only seen if the journal is new: use an empty directory, or write through `Rollups.store`.
    """
    rollups = Rollups(store, site_of=site_of, clock=clock, state_dir=state_dir)
    try:
        await rollups.catch_up()
    finally:
        await rollups.close()
