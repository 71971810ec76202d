"""A day of failures over real processes: a receiver that is killed, targets that are away, backlogs newest first.

In the end a real InfluxDB 1.8 and EmonCMS hold what the receiver's store holds, value by value.
"""

import asyncio
import random
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from receiver.outputs.emoncms.slots import make_slots
from receiver.outputs.progress_file import FILE, OutputWish, leave_wish
from receiver.stores.sqlite.store import SqliteStore
from scraper.uplink.signer import HouseholdSecret, Signer
from shared.fields import KINDS, MAX_GAP_MS
from shared.readings import FieldValue, Reading
from shared.units import DAY_MS, HOUR_MS, QUARTER_MS
from tests.end_to_end.processes import Process, find_free_port, wait_until
from tests.fake_http import CannedReply, run_server
from tests.influxd1.server import PASSWORD, USERNAME, Influxd1, run_influxd1
from tests.receiver.outputs.emoncms_fake import FEED_S, WRITE_KEY, FakeEmonCms
from tests.receiver.service import GATEWAY, make_batch

SECRET = "the secret of one household that is killed"
METERS = ("production", "net-consumption")
PANELS = ("482300001111", "482300001112")
STEP_MS = 30_000
SLOT_MS = 60_000
HOURS = 22
BATCH_ROWS = 400
SITES = f'"{GATEWAY}": {{time_zone: Europe/Berlin, outputs: {{emoncms: {{interval: {SLOT_MS // 1000}}}}}}}'


class KilledReceiver:
    """A receiver process with its two targets, and the scraper's part: what has no answer is posted again."""

    def __init__(self, folder, emoncms_port: int, influx: Influxd1) -> None:
        self.state = folder / "state"
        self.state.mkdir(mode=0o700)
        (folder / "sites.yaml").write_text(SITES)
        self.url = f"http://127.0.0.1:{(port := find_free_port())}"
        settings = {
            "RECEIVER_STORE": f"sqlite:///{self.state / 'readings.sqlite'}",
            "RECEIVER_STATE_DIR": str(self.state),
            "RECEIVER_SITES_FILE": str(folder / "sites.yaml"),
            "RECEIVER_SECRET": SECRET,
            "RECEIVER_GATEWAYS": GATEWAY,
            "RECEIVER_PORT": str(port),
            "RECEIVER_STATUS_PORT": "0",
            "RECEIVER_GATEWAY_RATE": "1000000",
            "RECEIVER_ADDRESS_RATE": "1000000",
            "RECEIVER_EMONCMS_URL": f"http://127.0.0.1:{emoncms_port}/emoncms",
            "RECEIVER_EMONCMS_API_KEY": WRITE_KEY,
            "RECEIVER_LINES_URL": influx.url,
            "RECEIVER_LINES_DIALECT": "influxdb1",
            "RECEIVER_LINES_USERNAME": USERNAME,
            "RECEIVER_LINES_PASSWORD": PASSWORD,
            "PYTHONPATH": ":".join(sys.path),
        }
        self.process = Process("receiver", "run", directory=folder, settings=settings)
        self._token = Signer(HouseholdSecret(SECRET), GATEWAY).get_token(int(time.time()))
        self._seq = 0

    async def kill(self) -> None:
        """SIGKILL, and a new life."""
        self.process.kill()
        await self.process.wait_for_end()
        await self.process.start()

    async def post(self, client: httpx.AsyncClient, readings: list[Reading], *, kill_after: int | None = None) -> None:
        """Post readings, each until it is durable; kill the receiver while the batch of that number is under way."""
        for number, first in enumerate(range(0, len(readings), BATCH_ROWS)):
            rows = readings[first : first + BATCH_ROWS]
            body = make_batch(*rows, batch=f"{self._seq:x}", first=self._seq + 1)
            self._seq += len(rows)
            if number == kill_after:
                self.process.kill()
            while not await self._try(client, body):
                if not self.process.runs:
                    await self.process.start()
                await asyncio.sleep(0.2)

    async def _try(self, client: httpx.AsyncClient, body: bytes) -> bool:
        try:
            answer = await client.post(
                f"{self.url}/api/v1/gateways/{GATEWAY}/batches",
                content=body,
                headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
            )
        except httpx.TransportError:
            return False
        assert answer.status_code == 200, answer.text
        assert not answer.json().get("rejected")
        return True


def list_day(begin: int) -> Iterator[Reading]:
    """Readings of a day, of which half an hour was never made."""
    rng = random.Random(13)
    for at in range(begin, begin + HOURS * HOUR_MS, STEP_MS):
        if 20 * HOUR_MS <= at - begin < 20 * HOUR_MS + 2 * QUARTER_MS:
            continue
        for meter in METERS:
            power, voltage = round(rng.uniform(-900, 3000), 1), round(rng.uniform(225, 240), 1)
            yield Reading("meter", {"meter": meter, "phase": "a"}, at, {"power": power, "voltage": voltage})
        if at % QUARTER_MS == 0:
            for panel in PANELS:
                watts = float(rng.randrange(400))
                yield Reading("inverter", {"inverter": panel}, at + 7000, {"power": watts, "max_power": 390.0})


@pytest.mark.slow
async def test_after_a_day_of_kills_and_outages_targets_have_what_the_store_has(tmp_path):
    begin = (time.time_ns() // 1_000_000 - DAY_MS) // QUARTER_MS * QUARTER_MS
    day = list(list_day(begin))
    emoncms = FakeEmonCms()

    def select(start: int, stop: int) -> list[Reading]:
        return [one for one in day if start <= (one.timestamp - begin) / HOUR_MS < stop]

    with run_influxd1(tmp_path / "influx") as influx:
        influx.query("CREATE DATABASE envoy")
        async with run_server(emoncms.answer) as emon_server, httpx.AsyncClient(trust_env=False) as client:
            one = KilledReceiver(tmp_path, emon_server.port, influx)
            for output in ("lines", "emoncms"):
                leave_wish(one.state / FILE, OutputWish(output, GATEWAY, begin))
            async with one.process:
                await one.post(client, select(0, 5), kill_after=3)
                await wait_until(lambda: emoncms.posts, "something at EmonCMS")
                influx.kill()
                emon_server.handler = lambda _: CannedReply(500)
                await one.post(client, select(5, 10), kill_after=2)
                await emon_server.stop()
                await one.kill()
                await one.post(client, select(18, 20))  # the newest before the backlog
                influx.start()
                emon_server.handler = emoncms.answer
                await emon_server.start()
                for hour in range(17, 9, -1):
                    await one.post(client, select(hour, hour + 1), kill_after=0 if hour % 4 == 1 else None)
                await one.kill()
                await one.post(client, select(20, HOURS))
                said = time.time_ns() // 1_000_000 - 40_000  # that no more comes, so nobody waits for the hole
                await one.post(client, [Reading("gateway", {}, said, {"outbox_rows": 0.0})])
                wanted = await read_wanted(one.state / "readings.sqlite", begin)
                assert len(wanted[0]) == HOURS * 60 - 30 - 1 + HOURS * 4 - 2
                await wait_until(
                    lambda: read_emoncms(emoncms) == wanted[0] and read_influx(influx) == wanted[1],
                    "equal content",
                    patience_s=180,
                )
                assert await one.process.stop() == 0
    assert len(one.process.lives) >= 7
    assert wanted[1].keys() >= {
        (reading.kind, tuple(sorted(reading.tags.items())), reading.timestamp) for reading in day
    }


async def read_wanted(path, begin):
    """What the store says: slots and reports as EmonCMS has them, and every reading."""
    store = SqliteStore(path)
    await store.open()
    try:
        stop = begin + HOURS * HOUR_MS - SLOT_MS
        boundaries = range(begin, stop + 1, SLOT_MS)
        meters = await store.read_points(GATEWAY, "meter", start=begin - MAX_GAP_MS, stop=stop + MAX_GAP_MS)
        slots = make_slots(meters, boundaries, phases={(meter, "a") for meter in METERS})
        rows: dict[tuple[str, int], dict[str, FieldValue]] = {}
        rows |= {("envoy", at // 1000): {**values} for at, values in zip(boundaries, slots, strict=False) if values}
        for report in await store.read_points(GATEWAY, "inverter", start=begin, stop=begin + DAY_MS):
            for at, fields in report.points:
                row = rows.setdefault(("envoy-panels", at // 1000 // FEED_S * FEED_S), {})
                row[f"{report.series.get_tag('inverter')}_wNow"] = fields["power"]
                row[f"{report.series.get_tag('inverter')}_wMax"] = fields["max_power"]
        everything = {}
        for kind in KINDS:
            for series, points in await store.read_points(GATEWAY, kind, start=0, stop=begin + 2 * DAY_MS):
                for at, fields in points:
                    everything[kind, series.tags, at] = fields
        return rows, everything
    finally:
        await store.close()


def read_emoncms(fake):
    """What its feeds hold, by node and time."""
    found: dict[tuple[str, int], dict[str, float]] = {}
    for (node, name), feed in fake.feeds.items():
        for at, value in feed.items():
            found.setdefault((node, at), {})[name] = value
    return found


def read_influx(influx):
    """Every reading with its fields."""
    found = {}
    for kind in ("meter", "inverter", "gateway"):
        for series in influx.query(f'SELECT * FROM "{kind}" GROUP BY *', "envoy"):  # noqa: S608 (names of ours)
            tags = tuple(sorted((name, value) for name, value in series["tags"].items() if name != "gateway"))
            for row in series["values"]:
                fields = dict(zip(series["columns"][1:], row[1:], strict=True))
                found[kind, tags, row[0]] = {name: value for name, value in fields.items() if value is not None}
    return found
