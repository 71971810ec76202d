"""Half an hour of everyday load: whether memory and open files of both halves stay where they are.

    python -m benchmarks.soak [SECONDS]

A real scraper reads a real stream (1 Hz, dead-band 0, so that every event is stored) and posts to a real receiver,
which has an hour of this house already: without it the roll-ups' largest piece of work, a full quarter hour, would come
in the middle of the run, and what the receiver keeps of the memory for it would look like a leak. Viewers hold live
streams, and one reader asks dense questions without a pause longer than a second. Every ten seconds resident memory and
open files of both processes are noted. The first five minutes do not count: caches fill in them, and so does the window
of the densest question, whose answer has the same size from then on.
A run in which questions failed, or whose viewers saw less than a reading a second, says nothing and fails.
"""

import asyncio
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path
from statistics import linear_regression, median
from typing import NamedTuple

from benchmarks.live import make_reader_token
from benchmarks.processes import read_resident_mib, run_receiver, run_scraper, run_simulator
from receiver.stores.base import GatewayReading
from receiver.stores.sqlite import SqliteStore
from shared.readings import Reading

HISTORY_S = 3_600
SETTLE_S = 300
EVERY_S = 10
VIEWERS = 3
DRIFT = 0.05
"""Permitted change of memory between its first third and its last third."""
FILES = 1
"""Permitted change of the usual number of open files: a question may be under way, or none."""
QUESTIONS = (
    "series?kind=meter&field=power&start=-5m&limit=10000",
    "series?kind=meter&field=power&every=1m&start=-1d",
    "series?kind=meter_energy&field=delivered&every=15m&start=-1d",
    "inverters",
    "inverters/energy?every=1d&start=-7d",
    "energy?every=1h&start=-1d",
    "power",
    "meters",
)


class Sample(NamedTuple):
    """One look at a process.

    Attributes:
        seconds: Since the beginning.
        memory_mib: Resident memory.
        files: Open file descriptors.
    """

    seconds: float
    memory_mib: float
    files: int


class Load:
    """What the readers got: without it a flat memory says nothing."""

    def __init__(self) -> None:
        self.readings = 0
        self.answers = 0
        self.failures: Counter[str] = Counter()
        self._lock = threading.Lock()

    def note(self, *, readings: int = 0, answers: int = 0, failure: str | None = None) -> None:
        """Count what one of the threads got."""
        with self._lock:
            self.readings += readings
            self.answers += answers
            self.failures.update([] if failure is None else [failure])

    def judge(self, seconds: float) -> bool:
        """Print it; whether it was the load that was promised."""
        each = self.readings / VIEWERS / seconds
        print(f"load: {self.answers} answers, {sum(self.failures.values())} failures {dict(self.failures)}, "
              f"{each:.1f} readings a second to each of {VIEWERS} viewers")  # fmt: skip
        return not self.failures and self.answers > seconds / 10 and each >= 1


async def write_history(path: Path, serial: str) -> None:
    """Store the hour before now: six phases, a snapshot each second."""
    now = time.time_ns() // 1_000_000
    store = SqliteStore(path)
    await store.open()
    for minute in range(HISTORY_S, 0, -60):
        await store.write(
            [
                GatewayReading(serial, Reading("meter", {"meter": meter, "phase": phase}, now - second * 1000, fields))
                for second in range(minute, minute - 60, -1)
                for fields in [make_snapshot(second)]
                for meter in ("production", "net-consumption")
                for phase in "abc"
            ]
        )
    await store.close()


def make_snapshot(second: int) -> dict[str, float | bool | str]:
    """All that a meter says of a phase; other values each second."""
    return {
        "power": 1000.0 + second % 97, "reactive_power": second % 31 + 0.1, "apparent_power": 1100.0 + second % 91,
        "voltage": 230.0 + second % 7, "current": 4.0 + second % 11, "power_factor": 0.97, "frequency": 50.0,
    }  # fmt: skip


def hold_view(url: str, token: str, stop: threading.Event, load: Load) -> None:
    """Hold a live stream, and open it again when it ends."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 (loopback)
    while not stop.is_set():
        try:
            with urllib.request.urlopen(request, timeout=30) as stream:  # noqa: S310 (loopback)
                while (line := stream.readline()) and not stop.is_set():
                    load.note(readings=line.startswith(b"event: reading"))
            if not stop.is_set():
                load.note(failure="a view ended")
        except OSError as error:
            load.note(failure=f"view: {type(error).__name__}")
            stop.wait(1)


def ask(base: str, token: str, stop: threading.Event, load: Load) -> None:
    """Ask every dense question in turn."""
    while not stop.is_set():
        for question in QUESTIONS:
            request = urllib.request.Request(f"{base}/{question}", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 (loopback)
                    answer.read()
                load.note(answers=1)
            except OSError as error:
                load.note(failure=f"{question.partition('?')[0]}: {getattr(error, 'code', type(error).__name__)}")
            if stop.wait(0.5):
                return


def look(pid: int, since: float) -> Sample:
    """Memory and files of a process now."""
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Sample(time.monotonic() - since, read_resident_mib(pid), files)


def judge(name: str, samples: list[Sample]) -> bool:
    """Print what became of a process; whether it stayed where it was."""
    third = max(1, len(samples) // 3)
    begin, end = samples[:third], samples[-third:]
    early, late = (median(sample.memory_mib for sample in part) for part in (begin, end))
    most = max(sample.memory_mib for sample in samples)
    opened, open_late = (median(sample.files for sample in part) for part in (begin, end))
    files = [sample.files for sample in samples]
    drift = late / early - 1
    slope = linear_regression([one.seconds / 3600 for one in samples], [one.memory_mib for one in samples]).slope
    print(
        f"{name}: {early:.1f} MiB in the first third, {late:.1f} MiB in the last ({drift:+.1%}, promise: within "
        f"{DRIFT:.0%}), at most {most:.1f}, {slope:+.1f} MiB an hour; open files {min(files)} to {max(files)}, mostly "
        f"{opened:.0f} and then {open_late:.0f} (promise: the same)"
    )
    return abs(drift) <= DRIFT and abs(open_late - opened) <= FILES


def measure(folder: Path, seconds: float) -> bool:
    """Let it run so long, and print what became of it; whether all is as promised."""
    stop, load = threading.Event(), Load()
    samples: dict[str, list[Sample]] = {"scraper": [], "receiver": []}
    with run_simulator(folder, "--profile", "firmware-8", "--role", "installer") as gateway:
        serial = gateway["serial"]
        asyncio.run(write_history(folder / "receiver" / "readings.sqlite", serial))
        with (
            run_receiver(folder, serial) as (port, hosted),
            run_scraper(folder, gateway, port, ENVOY_DEAD_BAND="0") as (_, edge),
        ):
            time.sleep(12)  # the receiver knows the gateway after the first post
            token, base = make_reader_token(folder, serial), f"http://127.0.0.1:{port}/api/v1/gateways/{serial}"
            view = (f"{base}/live", token, stop, load)
            threads = [threading.Thread(target=hold_view, args=view) for _ in range(VIEWERS)]
            threads.append(threading.Thread(target=ask, args=(base, token, stop, load)))
            for thread in threads:
                thread.start()
            begin = time.monotonic()
            while time.monotonic() - begin < seconds:
                time.sleep(min(EVERY_S, seconds / 20))
                for name, child in (("scraper", edge), ("receiver", hosted)):
                    samples[name].append(look(child.pid, begin))
            stop.set()
            took = time.monotonic() - begin
            for thread in threads:
                thread.join()
    settle_s = min(SETTLE_S, seconds / 4)
    flat = [judge(name, [one for one in taken if one.seconds >= settle_s]) for name, taken in samples.items()]
    return load.judge(took) and all(flat)


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1_800
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(0 if measure(Path(folder), seconds) else 1)


if __name__ == "__main__":
    main()
