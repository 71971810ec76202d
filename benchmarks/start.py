"""How soon a scraper that starts with nothing keeps a reading: from the gateway's first answer to a durable commit.

    python -m benchmarks.start [TURNS]

Each turn starts a scraper process with an empty state directory beside one simulated gateway over TLS. The gateway's
first answer stands in the simulator's ledger. A reading is kept when the scraper's own count of committed rows passes
what it says of itself at its start. The start of the process until then is printed, too, beside the time in which the
same Python starts and imports httpx, which every scraper of ours would need.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.processes import find_free_port, read_metric, run_scraper, run_simulator

PROMISE_S = 3.0
_OWN_ROWS = 2
"""That the scraper was started, and what it says of itself."""


def find_first_answer(ledger: Path, since: float) -> float:
    """Epoch seconds of the first answer after that time."""
    with ledger.open(encoding="utf-8") as lines:
        answers = [float(json.loads(line)["sent_ms"]) / 1000 for line in lines]
    return min(sent for sent in answers if sent >= since)


def wait_for_reading(status_port: int) -> float:
    """Epoch seconds at which the first reading of the gateway was committed."""
    while read_metric(status_port, "envoy_rows_committed_total") <= _OWN_ROWS:
        time.sleep(0.02)
    return time.time()


def measure_bare_start() -> float:
    """Seconds in which Python starts, imports httpx and ends."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import httpx"], check=True)
    return time.perf_counter() - began


def main() -> int:
    """Measure and print; 1 if the promise is broken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("turns", nargs="?", type=int, default=7)
    turns = parser.parse_args().turns
    from_answer, from_start, bare = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder, ledger = Path(name), Path(name) / "ledger"
        with run_simulator(folder, "--ledger", str(ledger)) as gateway:
            for turn in range(turns):
                bare.append(measure_bare_start())
                began = time.time()
                place = folder / f"turn-{turn}"
                place.mkdir()
                with run_scraper(place, gateway, find_free_port()) as (status_port, _):
                    kept = wait_for_reading(status_port)
                from_start.append(kept - began)
                from_answer.append(kept - find_first_answer(ledger, began))
    print(
        f"first reading kept {statistics.median(from_answer):.2f} s after the gateway's first answer, slowest "
        f"{max(from_answer):.2f} (promise: {PROMISE_S:.0f}), and {statistics.median(from_start):.2f} s after the start "
        f"of the process; Python with httpx starts in {statistics.median(bare):.2f} s ({turns} turns)"
    )
    return 0 if max(from_answer) <= PROMISE_S else 1


if __name__ == "__main__":
    sys.exit(main())
