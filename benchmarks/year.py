"""The time the receiver takes to answer over a year of one house, in the embedded store and in InfluxDB.

    python -m benchmarks.year

The house has 24 inverters and meters of three phases; DAYS days of it are stored (default 365), the last DENSE_DAYS
(default 14) with raw meter readings and minutes (see `benchmarks.year_history`). When InfluxDB has compacted what
it was given in such a hurry, a receiver process of its own before each store is asked over HTTP with a reader's token,
one request after the other. Printed are the median and the slowest of the turns; it exits with 1 if a median breaks its
promise, or if the stores answer differently.
"""

import asyncio
import contextlib
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import jwt

from benchmarks.disk import COMPACT_SOON, measure_settled
from benchmarks.processes import run_receiver
from benchmarks.year_history import Year, YearStore
from receiver.sites.load import parse
from receiver.stores.influxdb import InfluxStore
from receiver.stores.influxdb.setup.management import choose_shard_s
from receiver.stores.sqlite import SqliteStore
from shared.units import DAY_MS
from tests.influxd.server import ADMIN_TOKEN, ORG, Influxd, run_influxd

DAYS = int(os.environ.get("DAYS", "365"))
DENSE_DAYS = int(os.environ.get("DENSE_DAYS", "14"))
TURNS = 21
READY_S = 1.5
"""Of a receiver over the year, promised at most."""
BUCKET, LIVE_BUCKET = "envoy", "envoy_live"
READ_SECRET = secrets.token_hex(32)


class TimedQuestion(NamedTuple):
    """Requests, and how many milliseconds they may take together."""

    what: str
    promise_ms: float
    requests: tuple[tuple[str, Mapping[str, str]], ...]
    same: str | None = None
    """The part of the answer that must be the same in every store."""


def list_questions(year: Year) -> list[TimedQuestion]:
    """The timed questions, each with its promised time."""
    of = f"/api/v1/gateways/{year.gateway}"
    today = {"start": "today", "time_zone": year.site.time_zone or "UTC"}
    page = (
        ("/api/v1/gateways", {}),
        (of, {}),
        (f"{of}/meters", {}),
        (f"{of}/inverters", {}),
        (f"{of}/energy", {"every": "1d", **today}),
        *((f"{of}/series", {"kind": "site_1m", "field": field, **today}) for field in ("production", "load", "net")),
    )
    panel = {"kind": "inverter", "field": "power", "inverter": sorted(year.site.panels)[7], "limit": "50000"}
    month = panel | {"start": str(year.midnight - 30 * DAY_MS), "stop": str(year.midnight + DAY_MS)}
    months = {"every": "1mo", "start": "-1y"}
    return [
        TimedQuestion("today's page", 100, page),
        TimedQuestion("a year's energy by month", 200, ((f"{of}/energy", months),), same="windows"),
        TimedQuestion("one panel's raw month", 500, ((f"{of}/series", month),), same="series"),
    ]


def make_token() -> str:
    """Of a reader of every gateway."""
    now = int(time.time())
    claims = {"iss": "envoy-receiver", "aud": "envoy-receiver", "scope": "read", "gateways": "*", "jti": "bench"}
    return jwt.encode(claims | {"iat": now, "exp": now + 3600}, READ_SECRET, algorithm="HS256", headers={"kid": "read"})


def ask(client: httpx.Client, question: TimedQuestion) -> tuple[float, list[bytes]]:
    """Milliseconds, and the answers."""
    began = time.perf_counter()
    answers = [client.get(path, params=dict(parameters)) for path, parameters in question.requests]
    took = (time.perf_counter() - began) * 1000
    return took, [answer.raise_for_status().content for answer in answers]


def measure(name: str, client: httpx.Client, year: Year, earlier: dict[str, object]) -> bool:
    """Print a line for each question. True if all promises are kept and every answer equals the `earlier` one."""
    kept = True
    for question in list_questions(year):
        turns = [ask(client, question) for _ in range(TURNS)]
        times, (_, answers) = [took for took, _ in turns], turns[0]
        middle = statistics.median(times)
        kept &= middle <= question.promise_ms
        if question.same is not None:
            answer = json.loads(answers[0])[question.same]
            kept &= bool(answer) and earlier.setdefault(question.what, answer) == answer
        print(
            f"{name:10}{question.what:26}{middle:7.1f} ms, slowest {max(times):7.1f} (promise: "
            f"{question.promise_ms:.0f}); {len(answers)} requests, {sum(map(len, answers)):,} bytes",
            flush=True,
        )
    return kept


def make_state_dir(folder: Path, name: str) -> Path:
    """The state directory that `benchmarks.processes.run_receiver` gives the receiver of this store."""
    path = folder / name / "receiver"
    path.mkdir(parents=True, mode=0o700)
    return path


async def fill(folder: Path, server: Influxd, year: Year) -> None:
    """The same into both stores."""
    sqlite = SqliteStore(folder / "readings.sqlite")
    influxdb = InfluxStore(server.url, ORG, ADMIN_TOKEN, BUCKET, LIVE_BUCKET)
    for store in (sqlite, influxdb):
        await store.open()
    try:
        await year.fill(
            YearStore(sqlite, make_state_dir(folder, "SQLite")), YearStore(influxdb, make_state_dir(folder, "InfluxDB"))
        )
    finally:
        for store in (sqlite, influxdb):
            await store.close()


def make_bucket(server: Influxd, name: str, kept_s: int) -> None:
    """As `envoy-receiver setup` makes it: how much time a shard holds tells in the answers."""
    rule = {"type": "expire", "everySeconds": kept_s, "shardGroupDurationSeconds": choose_shard_s(kept_s)}
    server.call(
        "POST", "/api/v2/buckets", {"orgID": server.find_organisation(), "name": name, "retentionRules": [rule]}
    )


def make_settings(folder: Path, server: Influxd) -> dict[str, dict[str, str]]:
    """Of the receiver of each store."""
    influxdb = {
        "RECEIVER_STORE": "influxdb",
        "RECEIVER_LIVE_BUCKET": LIVE_BUCKET,
        "INFLUXDB_V2_URL": server.url,
        "INFLUXDB_V2_ORG": ORG,
        "INFLUXDB_V2_TOKEN": ADMIN_TOKEN,
        "INFLUXDB_V2_BUCKET": BUCKET,
    }
    return {"SQLite": {"RECEIVER_STORE": f"sqlite:///{folder / 'readings.sqlite'}"}, "InfluxDB": influxdb}


@contextmanager
def run_receivers(year: Year) -> Iterator[Iterator[tuple[str, int]]]:
    """The year in both stores; one after the other the name of a store, and the port of a receiver that runs over it.

    A folder that KEEP names is filled once and used again: only good for a while, for then its today is yesterday.
    """
    keep = os.environ.get("KEEP")
    with contextlib.ExitStack() as stack:
        folder = Path(keep or stack.enter_context(tempfile.TemporaryDirectory()))
        sites, is_new = folder / "sites.yaml", not (folder / "sites.yaml").exists()
        server = stack.enter_context(run_influxd(folder / "influxd", *COMPACT_SOON, onboarded=is_new))
        if is_new:
            for bucket, kept_s in ((BUCKET, 0), (LIVE_BUCKET, 90 * 86_400)):
                make_bucket(server, bucket, kept_s)
            began = time.perf_counter()
            asyncio.run(fill(folder, server, year))
            print(f"{year.written:,} rows written to two stores in {time.perf_counter() - began:.0f} s", flush=True)
            measure_settled(folder / "influxd" / "engine")
            sites.write_text(year.sites, encoding="utf-8")
        else:
            year.site = parse(sites.read_bytes())[year.gateway]
        yield _run_each(folder, year, make_settings(folder, server))


def _run_each(folder: Path, year: Year, settings: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, int]]:
    common = {"RECEIVER_SITES_FILE": str(folder / "sites.yaml"), "RECEIVER_READ_SECRET": READ_SECRET}
    for store, own in settings.items():
        began = time.perf_counter()
        with run_receiver(folder / store, year.gateway, **common, **own) as (port, _):
            print(
                f"{store:10}ready {time.perf_counter() - began:.2f} s after its start (promise: {READY_S})", flush=True
            )
            yield store, port


def main() -> int:
    """Fill, measure; 1 if a promise is broken."""
    kept, earlier, year = True, dict[str, object](), Year(days=DAYS, dense_days=DENSE_DAYS)
    with run_receivers(year) as receivers:
        for store, port in receivers:
            headers = {"authorization": f"Bearer {make_token()}"}
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
                kept &= measure(store, client, year, earlier)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
