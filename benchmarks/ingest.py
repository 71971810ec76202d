"""Receiver to SQLite over HTTP, against the same store written directly, and against a plain endpoint.

    python -m benchmarks.ingest

All three take the same readings (a three-phase house: full meter snapshots) in batches of 100. Directly: one store,
batch after batch, durable. Over HTTP: the real receiver in its own process, eight connections, each its own gateway.
Plain: FastAPI with pydantic objects, one influxdb-client Point a reading, turned into line protocol and thrown away:
what it would cost to store them is not even counted.
"""

import asyncio
import gzip
import json
import math
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.processes import SECRET, free_port, process, receiver, wait_for
from receiver.stores.base import GatewayReading
from receiver.stores.sqlite import SqliteStore
from scraper.uplink.signer import HouseholdSecret, Signer
from shared import wire
from shared.readings import Reading

BATCH = 100
CONNECTIONS = 8
BATCHES_EACH = 250
START_MS = int(time.time() * 1000) - 86_400_000


def readings(connection: int, batch: int) -> list[Reading]:
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


async def directly(folder: Path) -> float:
    """Readings a second into the store itself."""
    store = SqliteStore(folder / "direct.sqlite")
    await store.open()
    batches = [
        [GatewayReading(_serial(connection), reading) for reading in readings(connection, batch)]
        for batch in range(BATCHES_EACH)
        for connection in range(CONNECTIONS)
    ]
    started = time.perf_counter()
    for batch in batches:
        await store.write(batch)
    seconds = time.perf_counter() - started
    await store.close()
    return len(batches) * BATCH / seconds


def over_http(port: int, path: str, *, token: bool) -> float:
    """Readings a second through requests that were all prepared beforehand."""
    prepared = [[_request(connection, batch, path, token=token) for batch in range(BATCHES_EACH)]
                for connection in range(CONNECTIONS)]  # fmt: skip
    go = threading.Barrier(CONNECTIONS + 1)
    threads = [threading.Thread(target=_post_all, args=(port, requests, go)) for requests in prepared]
    for thread in threads:
        thread.start()
    go.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return CONNECTIONS * BATCHES_EACH * BATCH / (time.perf_counter() - started)


def _post_all(port: int, requests: list[bytes], go: threading.Barrier) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        go.wait()
        for request in requests:
            connection.sendall(request)
            _expect_success(connection)


def _expect_success(connection: socket.socket) -> None:
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode(errors="replace"))
    length = int(
        next(line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    )
    while len(body) < length:
        body += connection.recv(65536)


def _request(connection: int, batch: int, path: str, *, token: bool) -> bytes:
    serial = _serial(connection)
    if token:
        rows = [
            (batch * BATCH + i + 1, wire.encode_reading(reading))
            for i, reading in enumerate(readings(connection, batch))
        ]
        body = gzip.compress(wire.encode_batch(batch=f"{batch:x}", outbox=f"{connection:032x}", rows=rows), mtime=0)
        extra = f"Content-Encoding: gzip\r\nAuthorization: Bearer {_signer(serial).token(int(time.time()))}\r\n"
    else:
        rows_json = [{"kind": r.kind, "tags": r.tags, "timestamp": r.timestamp, "fields": r.fields}
                     for r in readings(connection, batch)]  # fmt: skip
        body, extra = json.dumps({"gateway": serial, "readings": rows_json}).encode(), ""
    head = (
        f"POST {path.format(serial=serial)} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{extra}\r\n"
    )
    return head.encode() + body


def _serial(connection: int) -> str:
    return f"1220{connection:08d}"


def _signer(serial: str) -> Signer:
    return Signer(HouseholdSecret(SECRET), serial)


def main() -> None:
    """Measure and print."""
    serials = [_serial(connection) for connection in range(CONNECTIONS)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        direct = asyncio.run(directly(folder))
        with receiver(folder, *serials) as (port, _):
            ours = over_http(port, "/api/v1/gateways/{serial}/batches", token=True)
        plain_port = free_port()
        arguments = ["-m", "benchmarks.plain_endpoint", str(plain_port)]
        with process(arguments, log=folder / "plain.log"):
            wait_for(f"http://127.0.0.1:{plain_port}/healthz")
            plain = over_http(plain_port, "/readings", token=False)
    print(f"store directly:     {direct:10,.0f} readings/s")
    print(f"receiver over HTTP: {ours:10,.0f} readings/s = {ours / direct:.2f} of the store (promise: 0.60)")
    print(f"plain endpoint:     {plain:10,.0f} readings/s; ours is {ours / plain:.1f} times that (promise: 5)")
    sys.exit(0 if ours >= 0.6 * direct and ours >= 5 * plain else 1)


if __name__ == "__main__":
    main()
