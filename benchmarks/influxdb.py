"""Receiver to InfluxDB over HTTP, against the same InfluxDB written directly.

    python -m benchmarks.influxdb

Both take the same points (a three-phase house: full meter snapshots, seven fields each) over the same number of
connections, durably, in batches of 10, of 100 and of 1,000; InfluxDB acknowledges when its log is on the disk:

- directly: the line protocol that the receiver writes, encoded beforehand, each batch one write;
- the receiver, in its own process: tokens, gzip, validation, encoding and all. It takes at most 500 readings at once,
  so a batch of 1,000 reaches it as two.

The load, InfluxDB and the receiver share this machine, so on two cores the sum of their CPU times decides; it is
printed for each point. The two ways take turns, each into buckets of its own; what is printed is the median of the
turns, and what was stored is counted.
"""

import gzip
import json
import os
import statistics
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import connections, ingest
from benchmarks.processes import SECRET, read_cpu_seconds, run_receiver
from receiver.stores.influxdb.encode import encode_lines, encode_series
from scraper.uplink.signer import HouseholdSecret, Signer
from shared import wire
from shared.readings import Reading
from tests.influxd.server import ADMIN_TOKEN, ORG, Influxd, run_influxd

CONNECTIONS = int(os.environ.get("CONNECTIONS", "32"))
TURNS = 3
POINTS = {10: 32_000, 100: 128_000, 1_000: 256_000}
PROMISES = {10: 1.0, 100: 1.0, 1_000: 0.8}
WIRE_ROWS = wire.MAX_ROWS
SERIALS = [f"1220{connection:08d}" for connection in range(CONNECTIONS)]


class InfluxResult(NamedTuple):
    """Points a second, and CPU time of the servers for each point in microseconds."""

    rate: float
    cpu: float


def make_batches(connection: int, size: int) -> Iterator[list[Reading]]:
    """The batches of one connection."""
    count = POINTS[size] // CONNECTIONS
    rows = [
        reading for batch in range(-(-count // ingest.BATCH)) for reading in ingest.make_readings(connection, batch)
    ]
    for first in range(0, count, size):
        yield rows[first : first + size]


def make_direct_requests(connection: int, size: int, bucket: str) -> list[bytes]:
    """Writes of line protocol."""
    query = urllib.parse.urlencode({"org": ORG, "bucket": bucket, "precision": "ms"})
    requests = []
    for rows in make_batches(connection, size):
        prefixes = [encode_series(SERIALS[connection], row.kind, row.tags) for row in rows]
        head = f"Content-Type: text/plain; charset=utf-8\r\nAuthorization: Token {ADMIN_TOKEN}\r\n"
        requests.append(_make_request(f"/api/v2/write?{query}", b"\n".join(encode_lines(prefixes, rows)), head))
    return requests


def make_our_requests(connection: int, size: int) -> list[bytes]:
    """Batches as the scraper posts them."""
    token = Signer(HouseholdSecret(SECRET), SERIALS[connection]).get_token(int(time.time()))
    head = f"Content-Type: application/json\r\nContent-Encoding: gzip\r\nAuthorization: Bearer {token}\r\n"
    requests, seq = [], 1
    for batch in make_batches(connection, size):
        for first in range(0, len(batch), WIRE_ROWS):
            part = batch[first : first + WIRE_ROWS]
            body = wire.encode_batch(
                batch=f"{seq:x}", outbox=f"{connection:032x}", rows=enumerate(map(wire.encode_reading, part), seq)
            )
            seq += len(part)
            requests.append(
                _make_request(f"/api/v1/gateways/{SERIALS[connection]}/batches", gzip.compress(body, mtime=0), head)
            )
    return requests


def _make_request(path: str, body: bytes, headers: str) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def write_directly(server: Influxd, size: int, turn: int) -> InfluxResult:
    """InfluxDB alone."""
    bucket = f"direct-{size}-{turn}"
    server.make_bucket(bucket)
    prepared = [make_direct_requests(connection, size, bucket) for connection in range(CONNECTIONS)]
    assert server.process is not None
    first, rest = _split(prepared)
    connections.post(server.port, first, success=204)
    cpu = read_cpu_seconds(server.process.pid)
    seconds = connections.post(server.port, rest, success=204)
    cpu = read_cpu_seconds(server.process.pid) - cpu
    points = _count_points(server, bucket, prepared, size) * len(rest[0]) / len(prepared[0])
    return InfluxResult(points / seconds, cpu / points * 1e6)


def write_through_receiver(server: Influxd, size: int, turn: int) -> InfluxResult:
    """The receiver and InfluxDB behind it."""
    bucket, live = f"main-{size}-{turn}", f"live-{size}-{turn}"
    server.make_bucket(bucket)
    server.make_bucket(live)
    prepared = [make_our_requests(connection, size) for connection in range(CONNECTIONS)]
    settings = {
        "RECEIVER_STORE": "influxdb",
        "RECEIVER_LIVE_BUCKET": live,
        "INFLUXDB_V2_URL": server.url,
        "INFLUXDB_V2_ORG": ORG,
        "INFLUXDB_V2_TOKEN": ADMIN_TOKEN,
        "INFLUXDB_V2_BUCKET": bucket,
    }
    with tempfile.TemporaryDirectory() as name, run_receiver(Path(name), *SERIALS, **settings) as (port, child):
        assert server.process is not None
        first, rest = _split(prepared)
        connections.post(port, first)
        processes = (child.pid, server.process.pid)
        cpu = sum(map(read_cpu_seconds, processes))
        seconds = connections.post(port, rest)
        cpu = sum(map(read_cpu_seconds, processes)) - cpu
    points = _count_points(server, live, prepared, size) * len(rest[0]) / len(prepared[0])
    return InfluxResult(points / seconds, cpu / points * 1e6)


def _split(prepared: list[list[bytes]]) -> tuple[list[list[bytes]], list[list[bytes]]]:
    """The first request of each connection, which is not timed, and the others.

    With it InfluxDB makes the series, and the receiver asks once for each gateway which series it has.
    """
    return [requests[:1] for requests in prepared], [requests[1:] for requests in prepared]


def _count_points(server: Influxd, bucket: str, prepared: list[list[bytes]], size: int) -> int:
    """The number of points in the bucket."""
    form = urllib.parse.urlencode({"db": bucket, "q": "SELECT count(power) FROM meter"}).encode()
    request = urllib.request.Request(  # noqa: S310 (our own loopback address)
        f"{server.url}/query", form, {"Authorization": f"Token {ADMIN_TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 (as above)
        stored = int(json.load(answer)["results"][0]["series"][0]["values"][0][1])
    assert stored == POINTS[size] // CONNECTIONS * len(prepared), stored
    return stored


def _find_median(results: list[InfluxResult]) -> InfluxResult:
    return InfluxResult(*map(statistics.median, zip(*results, strict=True)))


def main() -> None:
    """Measure and print."""
    print(f"points/s, medians of {TURNS} turns, {CONNECTIONS} connections:")
    kept = True
    with tempfile.TemporaryDirectory() as name, run_influxd(Path(name) / "influxd") as server:
        for size, promise in PROMISES.items():
            direct, ours = [], []
            for turn in range(TURNS):
                direct.append(write_directly(server, size, turn))
                ours.append(write_through_receiver(server, size, turn))
            alone, behind = _find_median(direct), _find_median(ours)
            kept &= behind.rate >= promise * alone.rate
            print(
                f"batches of {size:5,}: InfluxDB directly {alone.rate:8,.0f}/s ({alone.cpu:.0f} us CPU), "
                f"receiver {behind.rate:8,.0f}/s ({behind.cpu:.0f} us CPU of both) = {behind.rate / alone.rate:.2f} "
                f"(promise: {promise:.2f})",
                flush=True,
            )
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
