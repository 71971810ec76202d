"""The running scraper against a simulated gateway and a real receiver, through what happens to gateways."""

import asyncio
import itertools
import json

import pytest

from receiver.auth import keys_file
from scraper.gateway.options import GatewayOptions
from scraper.gateway.trust import accept, propose
from scraper.outbox.thread import OutboxThread
from scraper.settings import UplinkSettings
from scraper.uplink.edge_key import EdgeKey
from scraper.uplink.sender import Sender
from shared.keys import parse as parse_key
from tests.scraper.running_scraper import make_secret, run_at_home, wait_until


@pytest.fixture
async def at_home(tmp_path, logs):
    async with run_at_home(tmp_path, logs) as running:
        yield running


async def test_everything_arrives_and_an_orderly_stop_leaves_nothing_behind(at_home):
    async with at_home.run_scraper():
        await at_home.wait_for_points("inverter", 10)
        await at_home.wait_for_points("meter", 10)
        await at_home.wait_for_points("meter_energy", 3)
        await at_home.wait_for_points("gateway", what=lambda point: point.fields["stream_connected"] == 1)
    (gap,) = await at_home.read_events("gap")
    assert gap.fields == {"reason": "the scraper was stopped"}
    newest = max(point.timestamp for point in await at_home.read_points("meter"))
    assert gap.timestamp == newest, "the held-back samples are the last thing stored, and the gap begins there"
    async with at_home.run_scraper():
        (closed,) = await at_home.wait_for_points("event", what=lambda point: "end" in point.fields, type="gap")
    assert closed.timestamp == gap.timestamp
    assert closed.fields["end"] in {float(point.timestamp) for point in await at_home.read_points("meter")}
    assert len(await at_home.read_events("start")) == 2


async def test_the_first_batch_says_how_the_scraper_is(at_home, monkeypatch):
    """Else the page says that the scraper is silent and was last heard of never, beside live values."""
    batches = []
    post = Sender.post

    async def post_and_keep(self, body, token):
        batches.append(body)
        return await post(self, body, token)

    monkeypatch.setattr(Sender, "post", post_and_keep)
    async with at_home.run_scraper():
        await at_home.wait_for_points("meter", 1)
    kinds = {row["reading"]["kind"] for row in json.loads(batches[0])["rows"]}
    assert "gateway" in kinds


async def test_the_scraper_passes_on_in_which_zone_the_gateway_stands(at_home):
    """Asked once, for the question takes the gateway long."""
    async with at_home.run_scraper():
        await at_home.wait_for_points("gateway", what=lambda point: "/" in str(point.fields.get("time_zone", "")))


async def test_a_stop_during_a_commit_begins_the_gap_at_what_was_committed(at_home, monkeypatch):
    append = OutboxThread.append
    committed = asyncio.Event()

    async def append_slowly(self, readings, **memory):
        await append(self, readings, **memory)
        if any(reading.kind == "meter" for reading in readings):
            committed.set()
            await asyncio.sleep(0.2)

    async with at_home.run_scraper():
        await at_home.wait_for_points("meter", 10)
        await at_home.wait_for_line("the meter stream delivers")
        monkeypatch.setattr(OutboxThread, "append", append_slowly)
        await committed.wait()
    (gap,) = await at_home.read_events("gap")
    assert gap.timestamp == max(point.timestamp for point in await at_home.read_points("meter"))


async def test_a_scraper_without_secret_and_key_makes_a_key_and_says_what_the_receiver_needs(at_home):
    """A container has to run before anybody can ask it for its key; readings wait until the receiver knows it."""
    key_file = at_home.state_dir / "key"
    delivery = UplinkSettings(url=at_home.receiver_url)
    async with at_home.run_scraper(receiver=delivery):
        await at_home.wait_for_line("signing with this scraper's own key")
    (line,) = at_home.list_lines("signing with this scraper's own key")
    command, _, key_line = line["command"].partition(" '")
    assert command == "keys add"
    assert parse_key(key_line.removesuffix("'")).key_id == EdgeKey.load(key_file).key_id
    keys_file.add(at_home.folder / "hosted" / "keys", key_line.removesuffix("'"), [])
    async with at_home.run_scraper(receiver=delivery):
        await at_home.wait_for_points("meter", 10)


async def test_stamps_of_a_series_strictly_increase_and_counters_come_once_a_minute(at_home):
    async with at_home.run_scraper():
        energies = await at_home.wait_for_points("meter_energy", 4, meter="production", phase="a")
    steps = [after.timestamp - before.timestamp for before, after in itertools.pairwise(energies)]
    assert all(step > 50_000 for step in steps), steps


async def test_the_battery_is_read_every_few_seconds_beside_the_stream(tmp_path, logs):
    async with run_at_home(tmp_path, logs, "battery") as running, running.run_scraper():
        await running.wait_for_points("meter", 20, meter="production")
        powers = await running.wait_for_points("meter", 6, meter="storage")
    steps = [after.timestamp - before.timestamp for before, after in itertools.pairwise(powers)]
    assert max(steps) <= 60_000 + 10_000, "never so long that the line between two values is unknown"
    assert running.list_lines("the meter stream delivers")


async def test_a_refusing_gateway_costs_a_gap_and_nothing_else(at_home):
    async with at_home.run_scraper():
        await at_home.wait_for_line("the meter stream delivers")
        at_home.sim.faults.switch_on("refuse")
        await at_home.wait_for_line("the gateway is lost")
        before = len(await at_home.read_points("gateway"))
        await at_home.wait_for_points("gateway", before + 2)  # the scraper goes on saying how it is
        at_home.sim.faults.switch_off("refuse")
        await at_home.wait_for_line("the gateway answers again")
        await at_home.wait_for_points("event", what=lambda point: "end" in point.fields, type="gap")
    assert not [line for line in at_home.logs if line["log_level"] in ("warning", "error")]


async def test_a_401_everywhere_stops_logins_and_the_rest_goes_on(at_home):
    async with at_home.run_scraper():
        await at_home.wait_for_points("inverter", 3)
        at_home.sim.faults.switch_on("unauthorised")
        at_home.sim.faults.switch_on("token-refused")
        await at_home.wait_for_line("somebody must act")
        asked = len(at_home.sim.ledger.list_kind("request"))
        await at_home.wait_for_points("gateway", what=lambda point: point.fields["login_blocked"] == 1)
        assert len(at_home.sim.ledger.list_kind("request")) - asked < 40, "no login loop"
        at_home.sim.faults.clear()
        await at_home.wait_for_points("event", what=lambda point: "end" in point.fields, type="gap")
    assert len(at_home.list_lines("somebody must act")) == 1


async def test_a_changed_certificate_stops_logins_until_it_is_trusted_and_the_outbox_drains(at_home):
    async with at_home.run_scraper():
        await at_home.wait_for_points("meter", 3)
        at_home.sim.faults.switch_on("new-certificate")
        await at_home.wait_for_points("event", type="certificate")
        await at_home.wait_for_points("gateway", what=lambda point: point.fields["certificate_changed"] == 1)
        options = GatewayOptions(
            host="127.0.0.1",
            serial=None,
            state_dir=at_home.state_dir,
            http_port=at_home.sim.http_port,
            https_port=at_home.sim.https_port,
        )
        accept(options, await propose(options, at_home.clock))
        await at_home.wait_for_points("event", what=lambda point: "end" in point.fields, type="gap")
        await at_home.wait_for_points("gateway", what=lambda point: point.fields["certificate_changed"] == 0)
    assert len(await at_home.read_events("certificate")) == 1


async def test_a_firmware_update_from_digest_to_token_is_survived_in_mid_run(tmp_path, logs):
    async with run_at_home(tmp_path, logs, "firmware-5") as at_home:
        token = at_home.sim.make_token("installer")
        async with at_home.run_scraper(token=make_secret(token)):
            await at_home.wait_for_line("the meter stream delivers")
            at_home.sim.faults.switch_on("firmware", to="firmware-8", outage_s=1.0)
            await at_home.wait_for_points(
                "gateway", what=lambda point: point.fields.get("firmware", "").startswith("D8")
            )
            await at_home.wait_for_points("event", what=lambda point: "end" in point.fields, type="gap")


async def test_a_stalled_stream_opens_a_gap_and_polls_take_over(at_home):
    async with at_home.run_scraper():
        await at_home.wait_for_line("the meter stream delivers")
        at_home.sim.faults.switch_on("stream-stall")
        await at_home.wait_for_line("the meter stream ended")
        (closed,) = await at_home.wait_for_points("event", what=lambda point: "end" in point.fields, type="gap")
        # Whoever notices first: the stream is given half a minute of real time, and the house lives twenty times as fast.
        assert closed.fields["reason"] in ("the meter stream ended", "no sample came")
        at_home.sim.faults.switch_off("stream-stall")
        await at_home.wait_for_line("the meter stream delivers", 2)


async def test_an_owner_token_reads_no_stream_which_is_said_once_and_polls_serve(at_home):
    async with at_home.run_scraper(token=make_secret(at_home.sim.make_token("owner"))):
        await at_home.wait_for_points("meter", 10)
        await at_home.wait_for_points("gateway", 2)
    (line,) = at_home.list_lines("no meter stream")
    assert "an owner token may not read the meter stream" in line["reason"]
    assert not at_home.list_lines("the meter stream ended")
    asked = [entry for entry in at_home.sim.ledger.list_kind("request") if entry.values["path"] == "/stream/meter"]
    assert len(asked) <= 4, "asked again after 1, 5 and 15 minutes"


async def test_frozen_report_dates_give_no_new_reading(at_home):
    async with at_home.run_scraper():
        await at_home.wait_for_points("inverter", 10)
        at_home.sim.faults.switch_on("frozen-dates")
        await at_home.wait_for_points("gateway", 3)
        before = await at_home.read_points("inverter")
        polls = len(at_home.sim.ledger.list_kind("inverters"))

        async def has_polled() -> bool:
            return len(at_home.sim.ledger.list_kind("inverters")) >= polls + 3

        await wait_until(has_polled, lambda: "three polls")
        assert await at_home.read_points("inverter") == before


async def test_a_gateway_whose_clock_is_a_year_ahead_is_corrected_and_flagged(tmp_path, logs):
    async with run_at_home(tmp_path, logs) as at_home:
        at_home.sim.faults.switch_on("clock-off", by=365 * 86_400.0)
        async with at_home.run_scraper(token=make_secret(at_home.sim.make_token("installer", 2 * 365 * 86_400))):
            reports = await at_home.wait_for_points("inverter", 10)
            (step,) = await at_home.wait_for_points("event", type="clock_step")
        now = at_home.clock.now_ms()
        assert all(now - 86_400_000 < report.timestamp <= now + 60_000 for report in reports)
        assert "ahead" in step.fields["reason"]


async def test_one_ailing_endpoint_neither_stops_the_others_nor_is_hammered(at_home):
    async with at_home.run_scraper():
        await at_home.wait_for_points("meter", 3)
        at_home.sim.faults.switch_on("starting", path="/ivp/meters/readings")
        await at_home.wait_for_line("not read")
        asked, since = len(at_home.sim.ledger.list_kind("request")), at_home.clock.monotonic()
        reports = len(await at_home.read_points("inverter"))
        await at_home.wait_for_points("gateway", 4)
        await at_home.wait_for_points("inverter", reports + 1)
        asked, minutes = len(at_home.sim.ledger.list_kind("request")) - asked, (at_home.clock.monotonic() - since) / 60
        assert asked < 12 * (minutes + 1), (asked, minutes)
    (gap,) = await at_home.read_events("gap")
    assert gap.fields["reason"] == "the scraper was stopped"


async def test_a_gateway_without_meters_has_gaps_too(tmp_path, logs):
    async with run_at_home(tmp_path, logs, "no-ct") as at_home, at_home.run_scraper():
        await at_home.wait_for_points("inverter", 10)
        await at_home.wait_for_points("production")
        at_home.sim.faults.switch_on("refuse")
        (opened,) = await at_home.wait_for_points("event", type="gap")
        assert at_home.clock.now_ms() - opened.timestamp < 240_000
        at_home.sim.faults.switch_off("refuse")
        await at_home.wait_for_points("event", what=lambda point: "end" in point.fields, type="gap")


async def test_an_unexpected_error_ends_the_process_in_good_order(at_home, monkeypatch):
    """The supervisor starts it again; what was held back is stored, and the gap says so."""

    async def break_down(*_: object) -> bool:
        raise ZeroDivisionError

    async def fail() -> None:
        async with at_home.run_scraper() as task:
            await at_home.wait_for_line("the meter stream delivers")
            monkeypatch.setattr("scraper.collect.samples.Samples.record_burst", break_down)
            await asyncio.wait({task}, timeout=60)
            assert task.done()

    with pytest.raises(ExceptionGroup) as caught:
        await fail()
    assert caught.group_contains(ZeroDivisionError)
    (gap,) = await at_home.read_events("gap")
    assert gap.fields["reason"] == "the scraper failed"
