"""The scraper at work: CPU per meter event and resident memory, against a minimal poller built on pyenphase.

    python -m benchmarks.edge [SECONDS] [--own-key]

A real scraper process reads a real stream (1 Hz, three phases, three sections) and 24 inverters from the simulator over
TLS, commits durably and posts to a real receiver. CPU is that of the whole process divided by the events it took, all
included. With `--own-key` it signs with an Ed25519 key instead of a household secret. The poller asks the same gateway
the same way Home Assistant does, once a minute, and keeps nothing.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

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
PROMISE_MIB = 48.0


def make_own_key(folder: Path, serial: str) -> dict[str, str]:
    """Make a key of the scraper's own and tell the receiver; the settings of the scraper."""
    path, keys = folder / "edge-key", folder / "receiver" / "keys"
    keys.parent.mkdir(mode=0o700)
    keys.write_text(f"{PublicKey(EdgeKey.load_or_make(path).export_public_raw(), serial)}\n")
    return {"ENVOY_RECEIVER_SECRET": "", "ENVOY_RECEIVER_KEY_FILE": str(path)}


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
            with (
                run_receiver(folder, gateway["serial"]) as (port, _),
                run_process(
                    ["-m", "benchmarks.pyenphase_poller", json.dumps(gateway)], log=folder / "poller.log"
                ) as poller,
                run_scraper(folder, gateway, port, **settings) as (status, child),
            ):
                time.sleep(WARM_UP_S)
                cpu, events = read_cpu_seconds(child.pid), read_metric(status, "envoy_stream_events_total")
                time.sleep(asked.seconds)
                cpu = read_cpu_seconds(child.pid) - cpu
                events = read_metric(status, "envoy_stream_events_total") - events
                ours, theirs = read_resident_mib(child.pid), read_resident_mib(poller.pid)
                rows = read_metric(status, "envoy_rows_delivered_total")
    per_event_ms = cpu / events * 1000
    print(f"CPU per meter event: {per_event_ms:.2f} ms, {events:.0f} events, {rows:.0f} rows delivered (promise: 1.5)")
    print(f"resident memory: {ours:.1f} MiB (promise: {PROMISE_MIB:.0f})")
    print(f"pyenphase poller: {theirs:.1f} MiB; ours is {ours / theirs:.2f} of it (promise: below 1)")
    sys.exit(0 if per_event_ms <= 1.5 and ours <= min(PROMISE_MIB, theirs) else 1)


if __name__ == "__main__":
    main()
