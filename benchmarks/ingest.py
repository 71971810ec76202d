"""Receiver to SQLite over HTTP, against the same store written directly, and against a plain endpoint.

    python -m benchmarks.ingest

All take the same readings (a three-phase house: full meter snapshots) in batches of 100, durably:

- directly: one store, batch after batch, each on the disk before the next is given;
- the receiver, in its own process, eight connections, each its own gateway: tokens, gzip, validation and all;
- a plain endpoint (see `benchmarks.plain_endpoint`), same connections, plain JSON, no tokens: once storing its points
  durably, as it must to be compared, and once throwing them away, to show what its objects alone cost.

They take turns, because the speed of the machine varies; the printed values are medians of the turns.
"""

import asyncio
import gc
import gzip
import json
import math
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks import connections
from benchmarks.processes import SECRET, find_free_port, read_cpu_seconds, run_process, run_receiver, wait_for
from receiver.stores.base import GatewayReading
from receiver.stores.sqlite import SqliteStore
from scraper.uplink.signer import HouseholdSecret, Signer
from shared import wire
from shared.readings import Reading

BATCH = 100
CONNECTIONS = 8
BATCHES_EACH = 250
BATCHES = CONNECTIONS * BATCHES_EACH
TURNS = 5
START_MS = int(time.time() * 1000) - 86_400_000
SERIALS = [f"1220{connection:08d}" for connection in range(CONNECTIONS)]


class IngestResult(NamedTuple):
    """Readings a second, and CPU time of the process that stores, in microseconds a batch."""

    rate: float
    cpu: float


def make_readings(connection: int, batch: int) -> list[Reading]:
    """One batch: snapshots of nine series, a second apart."""
    rows = []
    for index in range(BATCH):
        step, series = divmod(batch * BATCH + index, 9)
        meter = ("production", "net-consumption", "total-consumption")[series // 3]
        wave = math.sin(step / 50 + series + connection)
        fields: dict[str, float | str] = {
            "power": round(1500 + 900 * wave, 3),
            "reactive_power": round(120 + 30 * wave, 3),
            "apparent_power": round(1520 + 900 * wave, 3),
            "voltage": round(231 + 2 * wave, 3),
            "current": round(6.5 + 4 * wave, 3),
            "power_factor": round(0.95 + 0.04 * wave, 2),
            "frequency": 50.0,
        }
        rows.append(Reading("meter", {"meter": meter, "phase": "abc"[series % 3]}, START_MS + step * 1000, fields))
    return rows


async def write_directly(folder: Path, batches: list[list[GatewayReading]]) -> IngestResult:
    """The store itself."""
    store = SqliteStore(folder / "direct.sqlite")
    await store.open()
    cpu, started = time.process_time(), time.perf_counter()
    for batch in batches:
        await store.write(batch)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    await store.close()
    return _make_result(seconds, cpu)


def write_through_receiver(folder: Path, requests: list[list[bytes]]) -> IngestResult:
    """The whole receiver."""
    with run_receiver(folder, *SERIALS) as (port, child):
        cpu = read_cpu_seconds(child.pid)
        seconds = connections.post(port, requests)
        return _make_result(seconds, read_cpu_seconds(child.pid) - cpu)


def write_through_plain_endpoint(folder: Path, requests: list[list[bytes]], *, durable: bool) -> IngestResult:
    """The plain endpoint."""
    port = find_free_port()
    arguments = ["-m", "benchmarks.plain_endpoint", str(port), *([str(folder / "plain.sqlite")] if durable else [])]
    with run_process(arguments, log=folder / "plain.log") as child:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        cpu = read_cpu_seconds(child.pid)
        seconds = connections.post(port, requests)
        return _make_result(seconds, read_cpu_seconds(child.pid) - cpu)


def _make_result(seconds: float, cpu_seconds: float) -> IngestResult:
    return IngestResult(BATCHES * BATCH / seconds, cpu_seconds / BATCHES * 1e6)


def make_our_request(connection: int, batch: int, token: str) -> bytes:
    """A batch as the scraper posts it."""
    first = batch * BATCH + 1
    rows = enumerate(map(wire.encode_reading, make_readings(connection, batch)), first)
    body = gzip.compress(wire.encode_batch(batch=f"{batch:x}", outbox=f"{connection:032x}", rows=rows), mtime=0)
    headers = f"Content-Encoding: gzip\r\nAuthorization: Bearer {token}\r\n"
    return _make_request(f"/api/v1/gateways/{SERIALS[connection]}/batches", body, headers)


def make_plain_request(connection: int, batch: int) -> bytes:
    """The same readings for the plain endpoint."""
    rows = [
        {"kind": row.kind, "tags": row.tags, "timestamp": row.timestamp, "fields": row.fields}
        for row in make_readings(connection, batch)
    ]
    return _make_request("/readings", json.dumps({"gateway": SERIALS[connection], "readings": rows}).encode())


def _make_request(path: str, body: bytes, headers: str = "") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{headers}\r\n"
    )
    return head.encode() + body


def measure() -> dict[str, IngestResult]:
    """The median of every way."""
    batches = [
        [GatewayReading(SERIALS[connection], reading) for reading in make_readings(connection, batch)]
        for batch in range(BATCHES_EACH)
        for connection in range(CONNECTIONS)
    ]
    tokens = [Signer(HouseholdSecret(SECRET), serial).get_token(int(time.time())) for serial in SERIALS]
    ours = [[make_our_request(who, batch, tokens[who]) for batch in range(BATCHES_EACH)] for who in range(CONNECTIONS)]
    plain = [[make_plain_request(who, batch) for batch in range(BATCHES_EACH)] for who in range(CONNECTIONS)]
    gc.freeze()  # the collector shall not walk through the prepared readings while the store is measured
    turns: dict[str, list[IngestResult]] = {}
    for _ in range(TURNS):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            turns.setdefault("direct", []).append(asyncio.run(write_directly(folder, batches)))
            turns.setdefault("ours", []).append(write_through_receiver(folder, ours))
            turns.setdefault("plain", []).append(write_through_plain_endpoint(folder, plain, durable=True))
            turns.setdefault("unstored", []).append(write_through_plain_endpoint(folder, plain, durable=False))
    return {way: IngestResult(*map(statistics.median, zip(*results, strict=True))) for way, results in turns.items()}


def main() -> None:
    """Measure and print."""
    results = measure()
    direct, ours, plain, unstored = (results[way] for way in ("direct", "ours", "plain", "unstored"))
    print(f"readings/s and CPU of the storing process for {BATCH} readings, medians of {TURNS} turns:")
    print(_format_line("store directly", direct))
    print(_format_line("receiver over HTTP", ours), f"= {ours.rate / direct.rate:.2f} of the store (promise: 0.60)")
    print(_format_line("plain, durable", plain), f"ours is {ours.rate / plain.rate:.1f} times that (promise: 5)")
    print(_format_line("plain, storing nothing", unstored), f"ours is {ours.rate / unstored.rate:.1f} times that")
    sys.exit(0 if ours.rate >= 0.6 * direct.rate and ours.rate >= 5 * plain.rate else 1)


def _format_line(name: str, result: IngestResult) -> str:
    return f"{name + ':':24}{result.rate:9,.0f}/s {result.cpu:7,.0f} us"


if __name__ == "__main__":
    main()
