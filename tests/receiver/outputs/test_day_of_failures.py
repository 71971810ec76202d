"""A whole receiver with real roll-ups and a day of failures: in the end EmonCMS and PVOutput have what the store says."""

import random

from receiver.outputs.emoncms.slots import make_slots
from receiver.service.build import build
from receiver.settings import EmonCmsSettings, OutputSettings, PvOutputSettings
from receiver.stores.base import GatewayReading
from shared.fields import MAX_GAP_MS
from shared.readings import FieldValue, Reading
from shared.units import HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.clocks import SetClock
from tests.fake_http import CannedReply, FakeRequest, run_server
from tests.receiver.outputs.emoncms_fake import WRITE_KEY, FakeEmonCms
from tests.receiver.outputs.pvoutput_fake import KEY, FakePvOutput
from tests.receiver.outputs.test_pvoutput import BEGIN_MS, BERLIN
from tests.receiver.service import GATEWAY, make_settings

SITES = f"""
"{GATEWAY}":
  time_zone: Europe/Berlin
  outputs: {{emoncms: {{interval: 30}}, pvoutput: {{system: 12345}}}}
"""
STEP_MS = 10_000
HOURS = 4
METERS = ("production", "net-consumption")


def list_house(rng):
    """Four hours of readings, of which 20 minutes were never made."""
    energy = dict.fromkeys(METERS, 1_000_000.0)
    found = []
    for at in range(BEGIN_MS, BEGIN_MS + HOURS * HOUR_MS, STEP_MS):
        powers = {"production": rng.uniform(500, 3000), "net-consumption": rng.uniform(100, 900)}
        for meter, power in powers.items():
            energy[meter] += power * STEP_MS / HOUR_MS
        if 2 * HOUR_MS <= at - BEGIN_MS < 2 * HOUR_MS + 20 * MINUTE_MS:
            continue
        rows = []
        for meter, power in powers.items():
            tags = {"meter": meter, "phase": "a"}
            rows.append(Reading("meter", tags, at, {"power": power, "voltage": 230.0}))
            if at % MINUTE_MS == 0:
                counted: dict[str, FieldValue] = {"delivered": round(energy[meter], 1), "received": 0.0}
                rows.append(Reading("meter_energy", tags, at, counted))
        if at % MINUTE_MS == 0:
            rows.append(Reading("gateway", {}, at, {"outbox_rows": 20.0}))
        found.append((at, rows))
    return found


async def test_in_the_end_they_have_what_the_store_says(tmp_path):
    rng = random.Random(7)
    clock = SetClock(BEGIN_MS)
    emoncms, pvoutput = FakeEmonCms(), FakePvOutput(clock, BERLIN)
    (tmp_path / "sites.yaml").write_text(SITES)
    settings = make_settings(tmp_path / "state", sites_file=tmp_path / "sites.yaml")
    async with run_server(emoncms.answer) as emon_server, run_server(pvoutput.answer) as pv_server:
        chosen = OutputSettings(
            emoncms=EmonCmsSettings(url=f"http://127.0.0.1:{emon_server.port}/emoncms", api_key=WRITE_KEY),
            pvoutput=PvOutputSettings(url=f"http://127.0.0.1:{pv_server.port}", api_key=KEY),
        )
        receiver = build(settings, clock=clock, outputs=chosen)
        await receiver.store.open()
        await receiver.sites.load()
        try:
            waiting: list[Reading] = []
            for at, rows in list_house(rng):
                clock.ms = at + STEP_MS
                since = at - BEGIN_MS
                if HOUR_MS <= since < HOUR_MS + 40 * MINUTE_MS:  # the line of the scraper is cut
                    waiting += rows
                else:
                    await write(receiver, rows)
                    late, waiting = waiting[-500:], waiting[:-500]  # newest first
                    await write(receiver, late)
                is_away = 3 * HOUR_MS <= since < 3 * HOUR_MS + 30 * MINUTE_MS
                emon_server.handler = refuse if is_away else emoncms.answer
                pv_server.handler = refuse if is_away else pvoutput.answer
                await play_round(receiver, at)
            for _ in range(100):
                clock.advance(60)
                await play_round(receiver, clock.now_ms() // MINUTE_MS * MINUTE_MS)
            await assert_emoncms_equal(receiver, emoncms)
            await assert_pvoutput_equal(receiver, pvoutput)
        finally:
            await receiver.outputs.stop()
            await receiver.commit.close()
            await receiver.rollups.close()
            await receiver.store.close()


def refuse(_: FakeRequest) -> CannedReply:
    return CannedReply(500)


async def write(receiver, rows):
    if rows:
        assert not await receiver.commit.write([GatewayReading(GATEWAY, one) for one in rows])


async def play_round(receiver, at):
    if at % MINUTE_MS == 0:
        await receiver.rollups.run_once()
    for output in receiver.outputs._durable:
        if output.name == "emoncms" or at % MINUTE_MS == 0:
            await output.run_once()


async def assert_emoncms_equal(receiver, emoncms):
    stop = BEGIN_MS + HOURS * HOUR_MS - MINUTE_MS
    boundaries = range(BEGIN_MS, stop + 1, 30_000)
    series = await receiver.store.read_points(GATEWAY, "meter", start=BEGIN_MS - MAX_GAP_MS, stop=stop + MAX_GAP_MS)
    slots = make_slots(series, boundaries, phases={(meter, "a") for meter in METERS})
    wanted = {start // 1000: values for start, values in zip(boundaries, slots, strict=False) if values}
    found: dict[int, dict[str, float]] = {}
    for (node, name), feed in emoncms.feeds.items():
        assert node == "envoy"
        for time, value in feed.items():
            if time < stop / 1000:
                found.setdefault(time, {})[name] = value
    assert found == wanted
    assert len(wanted) == (HOURS * 60 - 1 - 20) * 2


async def assert_pvoutput_equal(receiver, pvoutput):
    (energy,) = await receiver.store.read_points(
        GATEWAY, "energy_15m", start=BEGIN_MS, stop=BEGIN_MS + HOURS * HOUR_MS - QUARTER_MS
    )
    total = 0.0
    for start, fields in energy.points:
        if not fields.keys() & {"production", "production_unallocated"}:
            continue  # in the middle of a gap
        total += fields.get("production", 0.0) + fields.get("production_unallocated", 0.0)
        minutes = (start + QUARTER_MS - BEGIN_MS) // MINUTE_MS
        clock = f"{10 + minutes // 60:02}:{minutes % 60:02}"
        assert abs(int(pvoutput.statuses["20260610", clock][0]) - total) <= 2
    assert len(energy.points) == HOURS * 4 - 1
    assert not pvoutput.refused_over_limit
