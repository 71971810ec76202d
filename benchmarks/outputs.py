"""What comes in, beside outputs that hang, fail or are slow.

    python -m benchmarks.outputs [ROUNDS]

Two receiver processes take the same posts at the same time: one without outputs, and one with four (EmonCMS, a mirror
by line protocol, PVOutput, MQTT) whose targets behave badly, one manner after the other. Every output has a day of
eight houses to catch up with, so it always has something to do. Eight connections, each its own house, post batches of
100 readings: first each as fast as its answers come, to both receivers in turns (readings a second), then to both at
once, 20 posts a second together (the waits). What else the machine does then concerns both alike, so the ratio
of the two counts; the ratio of two receivers without outputs (`none`) says how far such a ratio can be trusted.
"""

import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

from benchmarks import connections
from benchmarks.ingest import BATCH, CONNECTIONS, SERIALS, START_MS, make_our_request
from benchmarks.processes import SECRET, compute_percentile, find_free_port, read_cpu_seconds, run_process, run_receiver
from receiver.outputs.progress_file import FILE, OutputWish, leave_wish
from scraper.uplink.signer import HouseholdSecret, Signer

TURNS = 5
TURN_BATCHES = 16
PACED_BATCHES = 50
PACE_S = 0.4
MANNERS = ("none", "hanging", "failing", "refused", "slow")
"""`refused`: nobody listens."""
LEAST_RATE = 0.9
MOST_WAIT = 1.25
"""Of a p99, beside that without outputs, where two receivers without outputs differ by less."""
ROUNDS = 4


class OutputsResult(NamedTuple):
    """Seconds of the posts that went as fast as they could, each paced wait, CPU of the receiver; all in seconds."""

    seconds: float
    waits: list[float]
    cpu: float


class TwoReceivers(NamedTuple):
    """What the receiver without outputs did, and what the other did at the same time."""

    without: OutputsResult
    beside: OutputsResult


def measure(manner: str, fast: list[list[list[bytes]]], paced: list[list[bytes]]) -> TwoReceivers:
    """Both receivers, one of them beside targets of that manner."""
    with tempfile.TemporaryDirectory() as name:
        plain, folder = Path(name, "plain"), Path(name, "beside")
        plain.mkdir()
        folder.mkdir()
        with (
            run_targets(folder, manner) as settings,
            run_receiver(plain, *SERIALS) as (plain_port, plain_child),
            run_receiver(folder, *SERIALS, **settings) as (port, child),
        ):
            ports, children = (plain_port, port), (plain_child, child)
            cpu = [read_cpu_seconds(one.pid) for one in children]
            seconds = [0.0, 0.0]
            for turn, requests in enumerate(fast):
                for which in (0, 1) if turn % 2 else (1, 0):
                    seconds[which] += connections.post(ports[which], requests)
            with ThreadPoolExecutor(2) as threads:
                waits = list(threads.map(lambda to: connections.post_paced(to, paced, PACE_S), ports))
            return TwoReceivers(*(
                OutputsResult(seconds[which], waits[which], read_cpu_seconds(children[which].pid) - cpu[which])
                for which in (0, 1)
            ))  # fmt: skip


@contextmanager
def run_targets(folder: Path, manner: str) -> Iterator[dict[str, str]]:
    """Targets of that manner; yields the settings of a receiver in that folder that sends to them."""
    if manner == "none":
        yield {}
        return
    port = find_free_port()
    arguments = ["-m", "benchmarks.bad_targets", str(port), manner]
    is_there = manner != "refused"
    with run_process(arguments, log=folder / "targets.log") if is_there else nullcontext():
        yield prepare_outputs(folder, port)


def prepare_outputs(folder: Path, port: int) -> dict[str, str]:
    """Settings of four outputs whose targets are at that port, which begin with the oldest reading of every house."""
    sites = {
        serial: {
            "time_zone": "Europe/Berlin",
            "outputs": {
                "emoncms": {"node": f"house{index}", "panels": f"panels{index}"},
                "pvoutput": {"system": index + 1},
            },
        }
        for index, serial in enumerate(SERIALS)
    }
    (folder / "sites.yaml").write_text(json.dumps(sites), encoding="utf-8")  # JSON is YAML
    state = folder / "receiver"
    state.mkdir(mode=0o700)
    for output in ("lines", "emoncms", "pvoutput"):
        for serial in SERIALS:
            leave_wish(state / FILE, OutputWish(output, serial, START_MS))
    address = f"http://127.0.0.1:{port}"
    return {
        "RECEIVER_SITES_FILE": str(folder / "sites.yaml"),
        "RECEIVER_LINES_URL": address,
        "RECEIVER_LINES_DIALECT": "influxdb1",
        "RECEIVER_EMONCMS_URL": address,
        "RECEIVER_EMONCMS_API_KEY": SECRET[:32],
        "RECEIVER_PVOUTPUT_URL": address,
        "RECEIVER_PVOUTPUT_API_KEY": SECRET[:40],
        "RECEIVER_MQTT_URL": f"mqtt://127.0.0.1:{port}",
    }


def make_requests() -> tuple[list[list[list[bytes]]], list[list[bytes]]]:
    """By turn and connection what is posted as fast as it goes, and by connection what is posted at a pace after it."""
    tokens = [Signer(HouseholdSecret(SECRET), serial).get_token(int(time.time())) for serial in SERIALS]
    last = TURNS * TURN_BATCHES
    made = [
        [make_our_request(who, batch, tokens[who]) for batch in range(last + PACED_BATCHES)]
        for who in range(CONNECTIONS)
    ]
    turns = [[one[first : first + TURN_BATCHES] for one in made] for first in range(0, last, TURN_BATCHES)]
    return turns, [one[last:] for one in made]


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    found: dict[str, list[TwoReceivers]] = {manner: [] for manner in MANNERS}
    loads = []
    for turn in range(rounds):
        for step in range(len(MANNERS)):
            manner = MANNERS[(turn + step) % len(MANNERS)]
            fast, paced = make_requests()  # tokens live for ten minutes
            gc.freeze()
            found[manner].append(measure(manner, fast, paced))
            loads.append(os.getloadavg()[0])
            _print_line(manner, found[manner][-1:], f"load {loads[-1]:.1f}")
    print(f"all of {rounds} rounds; load of the machine, our own included: {min(loads):.1f} to {max(loads):.1f}")
    are_kept = [_print_line(manner, found[manner]) for manner in MANNERS]
    sys.exit(0 if all(are_kept) else 1)


def _print_line(manner: str, results: list[TwoReceivers], note: str = "") -> bool:
    """Print one manner, all rounds together, and return whether what comes in is as without outputs."""
    readings = len(results) * TURNS * TURN_BATCHES * CONNECTIONS * BATCH
    rates, medians, p99s, cpus = [], [], [], []
    for ones in zip(*results, strict=True):
        waits = [wait * 1000 for one in ones for wait in one.waits]
        rates.append(readings / sum(one.seconds for one in ones))
        medians.append(statistics.median(waits))
        p99s.append(compute_percentile(waits, 0.99))
        cpus.append(sum(one.cpu for one in ones))
    print(
        f"{manner:8}",
        _format_pair("readings/s", rates, 0),
        _format_pair("median ms", medians, 1),
        _format_pair("p99 ms", p99s, 1),
        _format_pair("CPU s", cpus, 2),
        note,
        flush=True,
    )
    return rates[1] >= LEAST_RATE * rates[0] and p99s[1] <= MOST_WAIT * p99s[0]


def _format_pair(name: str, pair: list[float], digits: int) -> str:
    without, beside = pair
    return f"  {name} {without:,.{digits}f} {beside:,.{digits}f} = {beside / without:.2f}"


if __name__ == "__main__":
    main()
