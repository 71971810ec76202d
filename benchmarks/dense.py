"""What one reader's questions cost everybody else, over data that is far too dense and a site of 980 panels.

    python -m benchmarks.dense [sqlite|influxdb]

A house has 1,080,000 readings in its last three minutes: six phases with a value each millisecond, put into the store
directly, for a receiver takes no such readings. Another house has 980 inverters. One reader sends bursts of questions,
all at once; another reader asks for the power of the first house all the time, and the scraper of a third house posts.
Their waits during each burst are printed, and the resident memory of the receiver at most, and a minute later.
"""

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import jwt

from benchmarks.processes import SECRET, compute_percentile, read_resident_mib, run_receiver
from receiver.stores.base import GatewayReading, Store
from receiver.stores.influxdb import InfluxStore
from receiver.stores.sqlite import SqliteStore
from shared import wire
from shared.readings import Reading
from tests.influxd.server import ADMIN_TOKEN, ORG, run_influxd

DENSE, PANELS, OTHER = "122300001234", "122300005678", "122300009012"
PHASES = [(meter, phase) for meter in ("production", "net-consumption") for phase in "abc"]
DENSE_MS = 180_000
INVERTERS = 980
WRITE_ROWS = 20_000
AFTER_S = 60.0
ROLL_UP_S = 62.0
READERS_S, POSTS_S, MEMORY_MIB = 1.0, 0.1, 512
"""What is promised: p99 of another reader, p99 of posts (seconds), resident memory at most."""


class QuestionBurst(NamedTuple):
    """Questions that one reader asks all at once.

    Attributes:
        name: What is printed.
        gateway: About whom.
        paths: One each, `times` times.
        times: How often.
    """

    name: str
    gateway: str
    paths: tuple[str, ...]
    times: int


BURSTS = (
    QuestionBurst("20 times /series, /power, /meters, /gateways/{serial}", DENSE, (
        "/series?kind=meter&field=power&start=-1h", "/power", "/meters", "",
    ), 20),
    QuestionBurst("20 times /series in windows", DENSE, ("/series?kind=meter&field=power&start=-1h&every=1m",), 20),
    QuestionBurst("100 times /inverters", PANELS, ("/inverters",), 100),
)  # fmt: skip


class Waits:
    """How long others waited, by what they did, until they are taken."""

    def __init__(self) -> None:
        self.reads: list[float] = []
        self.posts: list[float] = []


def make_dense_rows(now: int) -> Iterator[GatewayReading]:
    """The last three minutes of the first house; the inverters of the second."""
    for offset in range(DENSE_MS):
        for meter, phase in PHASES:
            tags = {"meter": meter, "phase": phase}
            yield GatewayReading(DENSE, Reading("meter", tags, now - DENSE_MS + offset, {"power": float(offset % 997)}))
    for number in range(INVERTERS):
        tags = {"inverter": f"48210000{number:04}"}
        for report in range(12):
            fields = {"power": float(number % 300), "max_power": 300.0}
            yield GatewayReading(PANELS, Reading("inverter", tags, now - report * 300_000, dict(fields)))
    yield GatewayReading(OTHER, Reading("meter", {"meter": "production", "phase": "a"}, now, {"power": 1.0}))


async def fill(store: Store, now: int) -> int:
    """Write it; the number of readings."""
    await store.open()
    total, rows = 0, []
    for row in make_dense_rows(now):
        rows.append(row)
        if len(rows) == WRITE_ROWS:
            await store.write(rows)
            total, rows = total + len(rows), []
    await store.write(rows)
    await store.close()
    return total + len(rows)


async def read_on(client: httpx.AsyncClient, token: str, waits: Waits) -> None:
    """Another reader, ten times a second."""
    while True:
        began = time.perf_counter()
        answer = await client.get(f"/api/v1/gateways/{DENSE}/power", headers={"Authorization": f"Bearer {token}"})
        answer.raise_for_status()
        waits.reads.append(time.perf_counter() - began)
        await asyncio.sleep(0.1)


async def post_on(client: httpx.AsyncClient, waits: Waits) -> None:
    """A scraper, ten times a second."""
    number = 0
    while True:
        number += 1
        now = time.time_ns() // 1_000_000
        claims = {
            "iss": "envoy-scraper", "aud": "envoy-receiver", "sub": OTHER, "scope": "ingest",
            "iat": now // 1000, "exp": now // 1000 + 600,
        }  # fmt: skip
        token = jwt.encode(claims, SECRET, algorithm="HS256", headers={"kid": "secret"})
        reading = Reading("meter", {"meter": "production", "phase": "a"}, now, {"power": float(number)})
        body = wire.encode_batch(batch=f"{number:x}", outbox="bb", rows=[(number, wire.encode_reading(reading))])
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        began = time.perf_counter()
        answer = await client.post(f"/api/v1/gateways/{OTHER}/batches", content=body, headers=headers)
        answer.raise_for_status()
        waits.posts.append(time.perf_counter() - began)
        await asyncio.sleep(0.1)


async def begin(port: int) -> None:
    """Let the roll-ups learn the gateway that posts, so that they do not look for others, and compute the dense one."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await post_on(client, Waits())
    await asyncio.sleep(ROLL_UP_S)


def make_token(folder: Path) -> str:
    """A read token for every gateway."""
    settings = {"RECEIVER_STATE_DIR": str(folder / "receiver"), "RECEIVER_SECRET": SECRET, "RECEIVER_GATEWAYS": OTHER}
    command = [sys.executable, "-m", "receiver", "token", "create", "--gateway", "*", "--days", "1"]
    output = subprocess.run(command, env=os.environ | settings, capture_output=True, check=True, text=True).stdout
    return next(word for word in output.split() if word.startswith("eyJ"))


async def ask_at_once(base: str, token: str, burst: QuestionBurst) -> dict[int, int]:
    """Every question of a burst; how many had which status."""
    headers = {"Authorization": f"Bearer {token}"}
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=300, limits=limits) as client:
        asked = [f"/api/v1/gateways/{burst.gateway}{path}" for path in burst.paths for _ in range(burst.times)]
        found = [answer.status_code for answer in await asyncio.gather(*map(client.get, asked))]
    return {status: found.count(status) for status in sorted(set(found))}


async def abandon(base: str, token: str) -> None:
    """Sixty long questions whose asker leaves after a moment."""
    path = f"/api/v1/gateways/{DENSE}/series?kind=meter&field=power&start=-1h&every=1s&aggregate=max"
    async with httpx.AsyncClient(base_url=base, timeout=0.5, limits=httpx.Limits(max_connections=None)) as client:
        asked = [client.get(path, headers={"Authorization": f"Bearer {token}"}) for _ in range(60)]
        await asyncio.gather(*asked, return_exceptions=True)


async def measure(base: str, pid: int, attacker: str, reader: str) -> bool:
    """Every burst with others beside it; whether all is as promised."""
    waits, memory = Waits(), Memory(pid)
    kept = True
    async with httpx.AsyncClient(base_url=base, timeout=300) as client:
        others = [asyncio.create_task(read_on(client, reader, waits)), asyncio.create_task(post_on(client, waits))]
        await asyncio.sleep(3)
        kept &= report("nothing else", waits, {}, 3)
        for burst in BURSTS:
            began = time.perf_counter()
            statuses = await ask_at_once(base, attacker, burst)
            kept &= report(burst.name, waits, statuses, time.perf_counter() - began)
        before = read_cpu(pid)
        await abandon(base, attacker)
        await asyncio.sleep(10)
        kept &= report("60 abandoned questions, and 10 s after", waits, {}, 10.5)
        print(f"    CPU of the receiver in that time: {read_cpu(pid) - before:.1f} s")
        await asyncio.sleep(AFTER_S)
        for task in others:
            task.cancel()
    memory.stop()
    after = read_resident_mib(pid)
    print(f"resident memory: {memory.first:.0f} MiB before, at most {memory.most:.0f} (promise: {MEMORY_MIB}), "
          f"{after:.0f} a minute after")  # fmt: skip
    return kept and memory.most <= MEMORY_MIB


class Memory:
    """The resident memory of a process, looked at ten times a second."""

    def __init__(self, pid: int) -> None:
        self.first = self.most = read_resident_mib(pid)
        self._pid = pid
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._stopped.wait(0.1):
            self.most = max(self.most, read_resident_mib(self._pid))

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._thread.join()


def read_cpu(pid: int) -> float:
    """CPU seconds of a process and of its threads that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def report(name: str, waits: Waits, statuses: dict[int, int], took: float) -> bool:
    """Print how others fared since the last report; whether that is as promised."""
    reads, posts = waits.reads[:], waits.posts[:]
    waits.reads.clear()
    waits.posts.clear()
    if not reads or not posts:
        print(f"{name}: {took:.1f} s, answers {statuses}; others were not answered at all")
        return False
    read, post = compute_percentile(reads, 0.99), compute_percentile(posts, 0.99)
    print(f"{name}: {took:.1f} s, answers {statuses}; another reader's p99 {read * 1000:.0f} ms "
          f"(promise: {READERS_S * 1000:.0f}), posts' p99 {post * 1000:.0f} ms (promise: {POSTS_S * 1000:.0f}), "
          f"{len(reads)} and {len(posts)} of them")  # fmt: skip
    return read <= READERS_S and post <= POSTS_S


@contextlib.contextmanager
def run_filled_receiver(folder: Path, kind: str) -> Iterator[tuple[int, int]]:
    """A receiver over such a store, which has no roll-ups to make; its port and process id."""
    settings: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        if kind == "influxdb":
            server = stack.enter_context(run_influxd(folder / "influxd"))
            for name in ("envoy", "envoy_live"):
                server.make_bucket(name)
            settings = {
                "RECEIVER_STORE": "influxdb", "INFLUXDB_V2_URL": server.url, "INFLUXDB_V2_ORG": ORG,
                "INFLUXDB_V2_TOKEN": ADMIN_TOKEN, "INFLUXDB_V2_BUCKET": "envoy",
            }  # fmt: skip
            store: Store = InfluxStore(server.url, ORG, ADMIN_TOKEN, "envoy", "envoy_live")
        else:
            store = SqliteStore(folder / "receiver" / "readings.sqlite")
        with run_receiver(folder, DENSE, PANELS, OTHER, **settings) as (port, child):
            asyncio.run(begin(port))
            now = time.time_ns() // 1_000_000
            began = time.perf_counter()
            total = asyncio.run(fill(store, now))
            print(f"{kind}: {total:,} readings written in {time.perf_counter() - began:.0f} s")
            yield port, child.pid


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("store", nargs="?", choices=("sqlite", "influxdb"), default="sqlite")
    kind: str = parser.parse_args().store
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with run_filled_receiver(folder, kind) as (port, pid):
            attacker, reader = (make_token(folder) for _ in range(2))
            kept = asyncio.run(measure(f"http://127.0.0.1:{port}", pid, attacker, reader))
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
