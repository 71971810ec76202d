"""Mirrors by line protocol, against real databases: equal content after an outage, and refusals that say what to do."""

import contextlib
import gzip

import pytest

from receiver.cli.outputs import describe_outputs
from receiver.outputs.base import OutputError, Slice
from receiver.outputs.lines.dialects import DIALECTS
from receiver.outputs.lines.target import LinesTarget
from receiver.outputs.progress_file import FILE
from receiver.settings import LinesSettings
from receiver.sites.model import Site
from receiver.stores.kinds import STORED
from shared.readings import Reading
from shared.units import MINUTE_MS
from tests.clocks import NOW_MS, StoppedClock
from tests.fake_http import CannedReply, run_server
from tests.influxd.server import ADMIN_TOKEN, ORG, run_influxd
from tests.influxd1.server import PASSWORD, USERNAME, run_influxd1
from tests.receiver.outputs.mirror import MirrorBench
from tests.receiver.outputs.victoria_metrics import run_victoria_metrics
from tests.receiver.service import GATEWAY, make_inverter, make_meter

MINUTES = 40


def make_target(store, url, dialect, site=None, **settings):
    chosen = LinesSettings(url=url, dialect=dialect, **settings)
    return LinesTarget(url, DIALECTS[dialect], chosen, store, lambda _: site or Site())


def list_readings(minute):
    at = NOW_MS + minute * MINUTE_MS
    return [
        make_meter(at, power=100.5 + minute, voltage=230.1),
        make_meter(at + 1, phase="b", power=-7.0),
        make_inverter("482300001111", at + 2, power=float(minute), max_power=300.0),
        Reading("event", {"type": "gap"}, at + 3, {"reason": 'a "quoted", odd = text\\', "end": float(at)}),
    ]


@contextlib.asynccontextmanager
async def play_outage(folder, server, make):
    """Forty minutes, in the middle of which the database is away, and whose first half comes after the second."""
    async with MirrorBench(folder, StoppedClock(), make) as bench:
        await bench.write(GATEWAY, list_readings(0))
        await bench.driver.run_once()
        bench.clock.advance(60 * MINUTES)
        for minute in range(MINUTES // 2, MINUTES):
            await bench.write(GATEWAY, list_readings(minute))
        server.kill()
        assert await bench.driver.run_once() > 0
        for minute in range(MINUTES // 2):
            await bench.write(GATEWAY, list_readings(minute))
        server.start()
        bench.clock.advance(400)
        await bench.catch_up()
        yield await bench.read_stored(GATEWAY, NOW_MS, bench.clock.now_ms())


def select(stored, kind, field):
    """The values of a field by series and time."""
    return {
        (dict(series.tags).get("phase") or dict(series.tags).get("inverter"), at): fields[field]
        for (_, series, at), fields in stored.items()
        if series.kind == kind and field in fields
    }


async def test_influxdb_1_has_what_the_store_has_after_an_outage(tmp_path):
    with run_influxd1(tmp_path / "influx") as server:
        server.query("CREATE DATABASE envoy")

        def make(store):
            return make_target(store, server.url, "influxdb1", username=USERNAME, password=PASSWORD)

        async with play_outage(tmp_path, server, make) as stored:
            for kind, field, tag in (("meter", "power", "phase"), ("inverter", "power", "inverter")):
                rows = server.read_field(kind, field, tag)
                found = {(one["tags"][tag], at): value for one in rows for at, value in one["values"]}
                assert found == select(stored, kind, field)
            for kind in ("meter", "inverter"):
                (counted,) = server.query(f'SELECT count("power") FROM "{kind}"', "envoy")  # noqa: S608 (a name of ours)
                assert counted["values"][0][1] == len(select(stored, kind, "power"))
            (counted,) = server.query('SELECT count("reason") FROM "event"', "envoy")
            assert counted["values"][0][1] == MINUTES
            (text,) = server.query('SELECT last("reason") FROM "event"', "envoy")
            assert text["values"][0][1] == 'a "quoted", odd = text\\'


async def test_influxdb_2_has_what_the_store_has_after_an_outage(tmp_path):
    with run_influxd(tmp_path / "influx") as server:
        server.make_bucket("mirror")

        def make(store):
            return make_target(store, server.url, "influxdb2", org=ORG, database="mirror", token=ADMIN_TOKEN)

        async with play_outage(tmp_path, server, make) as stored:
            query = 'from(bucket: "mirror") |> range(start: 0) |> filter(fn: (r) => r._field == "power") |> group()'
            answer = server.call("POST", "/api/v2/query", {"query": query}, org=ORG)
            lines = [line for line in answer.text.split("\r\n")[1:] if line]
            assert len(lines) == len(select(stored, "meter", "power")) + len(select(stored, "inverter", "power"))


async def test_victoriametrics_has_what_the_store_has_after_an_outage_and_no_text(tmp_path):
    with run_victoria_metrics(tmp_path / "vm") as server:

        def make(store):
            return make_target(store, server.url, "victoriametrics")

        async with play_outage(tmp_path, server, make) as stored:
            for kind, field, tag in (("meter", "power", "phase"), ("inverter", "power", "inverter")):
                expected = select(stored, kind, field)
                found = {
                    (one["metric"][tag], at): value
                    for one in server.wait_for(f'{{__name__="{kind}_{field}",db="envoy"}}', len(expected))
                    for at, value in zip(one["timestamps"], one["values"], strict=True)
                }
                assert found == expected
            ends = server.wait_for('{__name__="event_end"}', MINUTES)  # a series may come in several pieces
            assert len({at for piece in ends for at in piece["timestamps"]}) == MINUTES
            assert not server.export('{__name__="event_reason"}')


async def test_influxdb_1_names_a_wrong_password_and_an_unknown_database(tmp_path):
    with run_influxd1(tmp_path / "influx") as server:
        for settings, reason, words in (
            ({"password": "wrong"}, "login", "RECEIVER_LINES_PASSWORD"),
            ({"password": PASSWORD}, "refused", "no database envoy"),
        ):
            with pytest.raises(OutputError, match=words) as caught:
                await deliver_one(tmp_path, server.url, "influxdb1", username=USERNAME, **settings)
            assert caught.value.reason == reason


async def test_check_says_what_influxdb_1_would_do_and_writes_nothing(tmp_path):
    with run_influxd1(tmp_path / "influx") as server:
        server.query("CREATE DATABASE envoy")
        for settings, words in (
            ({"password": PASSWORD}, None),
            ({"password": PASSWORD, "database": "nope"}, "no database nope at RECEIVER_LINES_URL"),
            ({"password": "wrong"}, "RECEIVER_LINES_PASSWORD"),
        ):
            target = make_target(None, server.url, "influxdb1", username=USERNAME, **settings)
            try:
                if words is None:
                    assert "the login is accepted" in await target.check([GATEWAY])
                    continue
                with pytest.raises(OutputError, match=words):
                    await target.check([GATEWAY])
            finally:
                await target.close()
        assert not server.query("SHOW MEASUREMENTS", "envoy")


async def test_influxdb_1_puts_aside_what_contradicts_its_types_and_takes_the_rest(tmp_path):
    with run_influxd1(tmp_path / "influx") as server:
        server.query("CREATE DATABASE envoy")
        server.write(f'meter,gateway={GATEWAY},meter=production,phase=a voltage="text" {NOW_MS}', "envoy")
        taken = await deliver_one(tmp_path, server.url, "influxdb1", username=USERNAME, password=PASSWORD)
        assert (taken.sent, taken.put_aside) == (3, 1)


async def deliver_one(folder, url, dialect, site=None, **settings):
    async with MirrorBench(folder, StoppedClock()) as bench:
        await bench.write(GATEWAY, list_readings(0))
        target = make_target(bench.store, url, dialect, site, **settings)
        try:
            return await target.deliver(Slice(GATEWAY, NOW_MS, NOW_MS + 1000, None, is_late=False))
        finally:
            await target.close()


@pytest.mark.parametrize(
    ("dialect", "path", "login"),
    [
        ("influxdb3", "/api/v3/write_lp?db=envoy&precision=millisecond", "Bearer T"),
        ("questdb", "/write?precision=ms", "Bearer T"),
        ("telegraf", "/write?db=envoy&precision=ms", "Token T"),
    ],
)
async def test_databases_that_are_not_to_be_had_are_spoken_to_as_they_document_it(tmp_path, dialect, path, login):
    async with run_server(lambda _: CannedReply(204)) as server:
        taken = await deliver_one(tmp_path, f"http://127.0.0.1:{server.port}", dialect, token="T")
    assert taken.sent == 4
    assert {one.path for one in server.requests} == {path}
    assert {one.headers["authorization"] for one in server.requests} == {login}


async def test_a_busy_database_says_for_how_long_and_a_redirect_is_not_followed(tmp_path):
    replies = [CannedReply(503, headers=(("Retry-After", "77"),)), CannedReply(307, headers=(("Location", "/x"),))]
    async with run_server(lambda _: replies.pop(0)) as server:
        url = f"http://127.0.0.1:{server.port}"
        with pytest.raises(OutputError) as caught:
            await deliver_one(tmp_path, url, "influxdb2", token="T")
        assert (caught.value.reason, caught.value.retry_after_s) == ("busy", 77.0)
        with pytest.raises(OutputError) as caught:
            await deliver_one(tmp_path, url, "influxdb2", token="T")
        assert caught.value.reason == "refused"
        assert len(server.requests) == 2


async def test_meters_are_mirrored_as_the_owner_corrects_them(tmp_path):
    seen = []

    def answer(request):
        seen.append(gzip.decompress(request.body).decode())
        return CannedReply(204)

    site = Site.model_validate({"meters": {"production": {"reversed": ["a"]}, "net-consumption": {"role": "ignore"}}})
    async with run_server(answer) as server:
        await deliver_one(tmp_path, f"http://127.0.0.1:{server.port}", "influxdb2", site, token="T")
    (line,) = [line for text in seen for line in text.splitlines() if "phase=a" in line]
    assert line == f"meter,gateway={GATEWAY},meter=production,phase=a power=-100.5,voltage=230.1 {NOW_MS}"


async def test_what_is_counted_as_sent_are_the_lines_each_time_that_they_go(tmp_path):
    """A line has all fields of a time; one that is refused is counted apart, and one that goes twice counts twice."""
    lines = []

    def answer(request):
        found = gzip.decompress(request.body).decode().splitlines()
        if any(line.startswith("inverter") for line in found):
            return CannedReply(400, b'{"error": "no inverters here"}')
        lines.extend(found)
        return CannedReply(204)

    async with run_server(answer) as server:
        url = f"http://127.0.0.1:{server.port}"
        async with MirrorBench(tmp_path, StoppedClock(), lambda store: make_target(store, url, "influxdb1")) as bench:
            await bench.write(GATEWAY, list_readings(0))
            bench.clock.advance(120)
            await bench.catch_up()
            counted = bench.driver._metrics
            assert counted.output_sent.labels("lines")._value.get() == len(lines) == 3
            await bench.write(GATEWAY, list_readings(0))
            await bench.catch_up()
            assert counted.output_sent.labels("lines")._value.get() == len(lines) == 6
            assert counted.output_put_aside.labels("lines")._value.get() == 2
            await bench.driver.close()
            (said,) = describe_outputs(tmp_path / FILE, bench.clock.now_ms())
            assert said.endswith("put aside 2 rows")


def test_no_field_has_the_name_of_a_tag_of_its_kind():
    """InfluxDB 3 refuses a name that is both."""
    for kind in STORED.values():
        assert not {*kind.tags, "gateway"} & kind.fields.keys()
