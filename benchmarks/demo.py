"""How long `make demo` takes to the first picture and to its complete past, as a person sees it.

    python -m benchmarks.demo

The command runs in a terminal-less process of its own, over an empty directory, from what `make demo` has set up
before. The first picture is the first line with a production and every inverter; the past is complete when it says so.
The CPU of all its processes is printed, too: on a machine that does other work, it says more than the clock.
"""

import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

FIRST_PICTURE_S = 60.0
"""Promised at most."""
COMPLETE_S = 120.0
"""Promised at most, from the start."""
_PICTURE = re.compile(r"production [\d.]+ k?W, load [\d.]+ k?W.*inverters (\d+) of \1,")
_COMPLETE = re.compile(r"history 100%")


def read_lines(command: subprocess.Popen[str]) -> Iterator[str]:
    """What the command prints."""
    if command.stdout is None:
        raise RuntimeError("the demo has no output")
    yield from command.stdout


def measure(folder: Path) -> tuple[float, float]:
    """Seconds from the start to the first picture and to the complete past."""
    began = time.monotonic()
    command = subprocess.Popen(
        [sys.executable, "-m", "standalone", "demo", "--state", str(folder / "demo")],
        stdout=subprocess.PIPE,
        text=True,
    )
    first = None
    try:
        for line in read_lines(command):
            now = time.monotonic() - began
            if first is None and _PICTURE.search(line):
                first = now
            if first is not None and _COMPLETE.search(line):
                return first, now
    finally:
        command.send_signal(signal.SIGINT)
        command.wait()
    raise RuntimeError("the demo ended before its past was complete")


def main() -> int:
    """Measure, print, and say with the exit code whether both promises are kept."""
    with tempfile.TemporaryDirectory() as folder:
        first, complete = measure(Path(folder))
    print(f"first picture after     {first:6.1f} s (at most {FIRST_PICTURE_S:.0f})")
    print(f"complete history after  {complete:6.1f} s (at most {COMPLETE_S:.0f})")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"CPU until then          {used.ru_utime + used.ru_stime:6.1f} s, of all processes")
    return 0 if first <= FIRST_PICTURE_S and complete <= COMPLETE_S else 1


if __name__ == "__main__":
    sys.exit(main())
