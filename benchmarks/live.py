"""From the gateway's event to the reading in the store, while a viewer watches.

    python -m benchmarks.live [SECONDS]

Real processes; dead-band 0, so that every event is stored. A viewer asks the receiver for the latest values once a
second; the measurement begins 15 s after the viewer came. The simulator's ledger says when each event was sent (the
moment its last byte was handed to the socket); a reader of the store's file looks every two milliseconds for new rows.
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from benchmarks.processes import SECRET, compute_percentile, run_receiver, run_scraper, run_simulator

SETTLE_S = 15
PROMISE_MS = 150


def make_reader_token(folder: Path, serial: str) -> str:
    """A read token of the receiver whose state lies in `folder`."""
    environment = os.environ | {
        "RECEIVER_STATE_DIR": str(folder / "receiver"),
        "RECEIVER_SECRET": SECRET,
        "RECEIVER_GATEWAYS": serial,
    }
    command = [sys.executable, "-m", "receiver", "token", "create", "--gateway", serial, "--days", "1"]
    output = subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout
    return next(word for word in output.split() if word.startswith("eyJ"))


def watch(port: int, serial: str, token: str, stop: threading.Event) -> None:
    """A viewer: the latest values once a second."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/gateways/{serial}/meters")
    request.add_header("Authorization", f"Bearer {token}")
    while not stop.wait(1):
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (our own loopback address)
            answer.read()


def record_appearances(store: Path, seconds: float) -> dict[float, float]:
    """For each stored power of phase a of the production meter: when it could first be read (epoch seconds)."""
    seen: dict[float, float] = {}
    query = """SELECT power, timestamp FROM meter WHERE timestamp > ? AND series = (
        SELECT id FROM series WHERE kind = 'meter' AND tags LIKE '%"production"%' AND tags LIKE '%"a"%')"""
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    end, newest = time.time() + seconds, int(time.time() * 1000)
    while time.time() < end:
        for power, timestamp in connection.execute(query, (newest,)).fetchall():
            newest = max(newest, timestamp)
            if power is not None:
                seen.setdefault(power, time.time())
        time.sleep(0.002)
    return seen


def read_sent_times(ledger: Path) -> dict[float, float]:
    """For each power of phase a of the production meter: when the gateway sent it (epoch seconds)."""
    times: dict[float, float] = {}
    for line in ledger.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["kind"] == "stream":
            times[entry["values"]["production"]["ph-a"]["p"]] = entry["sent_ms"] / 1000
    return times


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 120
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger, stop = folder / "ledger.jsonl", threading.Event()
        with (
            run_simulator(folder, "--profile", "firmware-8", "--role", "installer", "--ledger", str(ledger)) as gateway,
            run_receiver(folder, gateway["serial"]) as (port, _),
            run_scraper(folder, gateway, port, ENVOY_DEAD_BAND="0"),
        ):
            time.sleep(12)  # the receiver knows the gateway after the first post
            token = make_reader_token(folder, gateway["serial"])
            viewer = threading.Thread(target=watch, args=(port, gateway["serial"], token, stop))
            viewer.start()
            time.sleep(SETTLE_S)
            seen = record_appearances(folder / "receiver" / "readings.sqlite", seconds)
            stop.set()
            viewer.join()
        times = read_sent_times(ledger)
    delays = [(readable - times[power]) * 1000 for power, readable in seen.items() if power in times]
    p99 = compute_percentile(delays, 0.99)
    print(f"event to store while watched, {len(delays)} events: median {compute_percentile(delays, 0.5):.0f} ms, "
          f"p99 {p99:.0f} ms (promise: {PROMISE_MS}), worst {max(delays):.0f} ms")  # fmt: skip
    sys.exit(0 if p99 <= PROMISE_MS else 1)


if __name__ == "__main__":
    main()
