"""A process that writes readings of a house through the roll-up job's store, and is then killed.

    python -m tests.receiver.rollups.killed FOLDER START STOP PASSES

Writes the minutes of [START, STOP) one after the other and makes a pass of the job after each, PASSES times; then it says
"written" and goes on writing without a pass, until somebody kills it.
"""

import asyncio
import sys
from pathlib import Path

from receiver.rollups.job import Rollups
from receiver.sites.model import NO_SITE
from receiver.stores.sqlite import SqliteStore
from tests.clocks import SetClock
from tests.receiver.rollups.example_households import MINUTE, make_house


async def main(folder: Path, start: int, stop: int, passes: int) -> None:
    clock = SetClock(start)
    store = SqliteStore(folder / "readings.sqlite")
    await store.open()
    job = Rollups(store, site_of=lambda _: NO_SITE, clock=clock, state_dir=folder / "state")
    for number, minute in enumerate(range(start, stop, MINUTE)):
        await job.store.write(make_house(minute, minute + MINUTE))
        clock.ms = minute + MINUTE
        if number < passes:
            await job.run_once(seconds=60)
        elif number == passes:
            print("written", flush=True)  # noqa: T201 (the test waits for it)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *map(int, sys.argv[2:])))
