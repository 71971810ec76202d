"""The scraper at work: CPU per meter event and resident memory, against a minimal reader and a minimal poller.

    python -m benchmarks.edge [SECONDS] [--own-key]

A real scraper process reads a real stream (1 Hz, three phases, three sections) and 24 inverters from the simulator over
TLS, commits durably and posts to a real receiver. CPU is that of the whole process divided by the events it took, all
included. With `--own-key` it signs with an Ed25519 key instead of a household secret. Beside it, in the same seconds, a
minimal reader on httpx parses the same stream and keeps nothing: the ratio holds on any machine, the milliseconds do
not. The poller, built on pyenphase, asks the same gateway the same way Home Assistant does, once a minute.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import (
    read_cpu_seconds,
    read_metric,
    read_resident_mib,
    run_process,
    run_receiver,
    run_scraper,
    run_simulator,
)
from scraper.uplink.edge_key import EdgeKey
from shared.keys import PublicKey

WARM_UP_S = 20
PROMISE_MIB = 45.0
PROMISED_RATIO = 1.3


def make_own_key(folder: Path, serial: str) -> dict[str, str]:
    """Make a key of the scraper's own and tell the receiver; the settings of the scraper."""
    path, keys = folder / "edge-key", folder / "receiver" / "keys"
    keys.parent.mkdir(mode=0o700)
    keys.write_text(f"{PublicKey(EdgeKey.load_or_make(path).export_public_raw(), serial)}\n")
    return {"ENVOY_RECEIVER_SECRET": "", "ENVOY_RECEIVER_KEY_FILE": str(path)}


def read_events(reader: subprocess.Popen[bytes]) -> int:
    """How many events the minimal reader has read."""
    reader.send_signal(signal.SIGUSR1)
    assert reader.stdout is not None
    return int(reader.stdout.readline())


class Cost(NamedTuple):
    """CPU seconds and events of one process."""

    cpu_s: float
    events: float

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu_s - other.cpu_s, self.events - other.events)

    @property
    def per_event_ms(self) -> float:
        """CPU of one event, milliseconds."""
        return self.cpu_s / self.events * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", nargs="?", type=float, default=120)
    parser.add_argument("--own-key", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with run_simulator(folder, "--profile", "firmware-8", "--role", "installer") as gateway:
            settings = make_own_key(folder, gateway["serial"]) if asked.own_key else {}
            told = json.dumps(gateway)
            with (
                run_receiver(folder, gateway["serial"]) as (port, _),
                run_process(["-m", "benchmarks.pyenphase_poller", told], log=folder / "poller.log") as poller,
                run_process(["-m", "benchmarks.stream_reader", told], log=folder / "reader.log") as reader,
                run_scraper(folder, gateway, port, **settings) as (status, child),
            ):

                def measure() -> tuple[Cost, Cost]:
                    ours = Cost(read_cpu_seconds(child.pid), read_metric(status, "envoy_stream_events_total"))
                    return ours, Cost(read_cpu_seconds(reader.pid), read_events(reader))

                time.sleep(WARM_UP_S)
                before = measure()
                time.sleep(asked.seconds)
                scraper, minimal = (now - then for now, then in zip(measure(), before, strict=True))
                ours, theirs = read_resident_mib(child.pid), read_resident_mib(poller.pid)
                rows = read_metric(status, "envoy_rows_delivered_total")
    ratio = scraper.per_event_ms / minimal.per_event_ms
    print(
        f"CPU per meter event: {scraper.per_event_ms:.2f} ms of {scraper.events:.0f} events, {rows:.0f} rows delivered;"
        f" a minimal reader that keeps nothing: {minimal.per_event_ms:.2f} ms of {minimal.events:.0f}; "
        f"ours is {ratio:.2f} of it (promise: {PROMISED_RATIO})"
    )
    print(f"resident memory: {ours:.1f} MiB (promise: {PROMISE_MIB:.0f})")
    print(f"pyenphase poller: {theirs:.1f} MiB; ours is {ours / theirs:.2f} of it (promise: below 1)")
    sys.exit(0 if ratio <= PROMISED_RATIO and ours <= min(PROMISE_MIB, theirs) else 1)


if __name__ == "__main__":
    main()
