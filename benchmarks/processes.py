"""Real processes on free ports of the loopback address, for the benchmarks."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SECRET = secrets.token_hex(32)
_OURS = ("ENVOY_", "RECEIVER_", "INFLUXDB_")


def find_free_port() -> int:
    """A port without a listener now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def run_process(arguments: list[str], *, log: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python command with these settings alone; terminated at the end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    with log.open("wb") as errors:
        child = subprocess.Popen(
            [sys.executable, *arguments], env=environment | settings, stdout=subprocess.PIPE, stderr=errors
        )
        try:
            yield child
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(30)


@contextmanager
def run_simulator(folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """A simulated gateway; yields its own description of itself."""
    arguments = ["-m", "simulator", "run", "--late-morning", "--state-dir", str(folder / "simulator"), *options]
    with run_process(arguments, log=folder / "simulator.log") as child:
        assert child.stdout is not None
        yield json.loads(child.stdout.readline())


@contextmanager
def run_receiver(folder: Path, *serials: str, **settings: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A receiver for these gateways, by default on the SQLite store; yields its port and process."""
    port = find_free_port()
    own = {
        "RECEIVER_STATE_DIR": str(folder / "receiver"),
        "RECEIVER_SECRET": SECRET,
        "RECEIVER_GATEWAYS": ",".join(serials),
        "RECEIVER_PORT": str(port),
        "RECEIVER_STATUS_PORT": "0",
        "RECEIVER_GATEWAY_RATE": "1000000",
        "RECEIVER_ADDRESS_RATE": "1000000",
    }
    with run_process(["-m", "receiver", "run"], log=folder / "receiver.log", **(own | settings)) as child:
        wait_for(f"http://127.0.0.1:{port}/readyz")
        yield port, child


@contextmanager
def run_scraper(
    folder: Path, gateway: dict[str, Any], receiver_port: int, **settings: str
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A scraper of that gateway; yields its status port and process."""
    status = find_free_port()
    own = {
        "ENVOY_HOST": "127.0.0.1",
        "ENVOY_HTTP_PORT": str(gateway["http_port"]),
        "ENVOY_HTTPS_PORT": str(gateway["https_port"]),
        "ENVOY_TOKEN": gateway["token"],
        "ENVOY_RECEIVER_URL": f"http://127.0.0.1:{receiver_port}",
        "ENVOY_RECEIVER_SECRET": SECRET,
        "ENVOY_STATE_DIR": str(folder / "scraper"),
        "ENVOY_STATUS_PORT": str(status),
    }
    with run_process(["-m", "scraper", "run"], log=folder / "scraper.log", **(own | settings)) as child:
        wait_for(f"http://127.0.0.1:{status}/healthz")
        yield status, child


def wait_for(url: str, seconds: float = 30) -> None:
    """Until the address answers with 200."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 (our own loopback address)
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def read_metric(status_port: int, name: str) -> float:
    """One unlabelled value of a status port."""
    with urllib.request.urlopen(f"http://127.0.0.1:{status_port}/metrics", timeout=5) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
    raise LookupError(name)


def read_resident_mib(pid: int) -> float:
    """Resident memory of a process in MiB."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def read_cpu_seconds(pid: int) -> float:
    """CPU time of every thread of a process, to the nanosecond the kernel counts."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9


def compute_percentile(values: list[float], share: float) -> float:
    """The value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
