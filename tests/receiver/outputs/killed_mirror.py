"""A receiver's output as a process of its own, which delivers a correction and kills itself at a chosen point.

    python -m tests.receiver.outputs.killed_mirror FOLDER POINT

What its target holds lies in the folder, as another machine would have it.
"""

import asyncio
import os
import pickle
import signal
import sys
from pathlib import Path
from typing import NoReturn

from receiver.outputs.base import Delivered, Slice
from receiver.outputs.progress_file import ProgressFile
from receiver.stores.base import Store
from shared.units import MINUTE_MS
from tests.clocks import NOW_MS, StoppedClock
from tests.receiver.outputs.mirror import Content, MirrorBench, MirrorTarget
from tests.receiver.service import GATEWAY, make_meter

POINTS = ("before the yes", "after the yes", "before it is kept", "after it is kept", "before it is told", "at the end")
_CONTENT = "content.pickle"


class KillingMirror(MirrorTarget):
    """Its content is in a file, and it may kill the process that delivers something late, before or after its yes."""

    def __init__(self, store: Store, folder: Path, point: str) -> None:
        super().__init__(store)
        self._path = folder / _CONTENT
        self._point = point

    async def deliver(self, part: Slice) -> Delivered:
        if part.is_late and self._point == POINTS[0]:
            kill_oneself()
        taken = await super().deliver(part)
        self._path.write_bytes(pickle.dumps(self.content))
        if part.is_late and self._point == POINTS[1]:
            kill_oneself()
        return taken


def load_content(folder: Path) -> Content:
    content: Content = pickle.loads((folder / _CONTENT).read_bytes())  # noqa: S301 (ours)
    return content


def kill_oneself() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("killed")


async def deliver_correction(folder: Path, point: str) -> None:
    """A reading is delivered and its quarter hour settled; a correction of it comes, is delivered, and is kept."""
    clock = StoppedClock()
    bench = MirrorBench(folder, clock, lambda store: KillingMirror(store, folder, point))
    await bench.begin()
    await bench.write(GATEWAY, [make_meter(NOW_MS, power=1.0), make_meter(NOW_MS + MINUTE_MS, power=1.0)])
    await bench.driver.run_once()
    clock.advance(3 * 3600)
    await bench.catch_up()
    await bench.settle()
    await bench.write(GATEWAY, [make_meter(NOW_MS + MINUTE_MS, power=2.0)])
    keep = ProgressFile.keep

    async def keep_and_die(self, *args, **kwargs):
        if point == POINTS[2]:
            kill_oneself()
        await keep(self, *args, **kwargs)
        if point == POINTS[3]:
            kill_oneself()

    ProgressFile.keep = keep_and_die  # type: ignore[method-assign]
    await bench.catch_up()
    clock.advance(61)
    await bench.catch_up()
    await bench.commit.close()
    assert await bench.outputs.stop()
    if point == POINTS[4]:
        kill_oneself()
    await bench.marking.note_told()
    kill_oneself()


if __name__ == "__main__":
    asyncio.run(deliver_correction(Path(sys.argv[1]), sys.argv[2]))
