"""What the process gives back: a real one, for memory belongs to a whole process."""

import subprocess
import sys

import pytest

SCRIPT = """
import asyncio, threading
from pathlib import Path
from receiver.service import process

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) // 256

process.tune_process()
process.TRIM_EVERY_S = 0.1

def scatter():
    # Held by a few small pieces in between, as after many requests at once.
    pieces = [bytes(bytearray(2_000)) for _ in range(50_000)]
    kept.append(pieces[::1_000])

kept = []
async def main():
    threads = [threading.Thread(target=scatter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    grown = resident()
    async with process.give_memory_back():
        for _ in range(100):
            await asyncio.sleep(0.1)
            if resident() < before + (grown - before) / 3:
                break
        print(grown, resident())

before = resident()
asyncio.run(main())
print(before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_that_nobody_uses_is_given_back():
    output = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True, text=True).stdout
    grown, after, before = map(int, output.split())
    assert grown > before + 50
    assert after < before + (grown - before) / 3
