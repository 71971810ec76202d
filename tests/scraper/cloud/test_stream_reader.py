"""Streams of datum, read into a real outbox: the worked example, and what lags."""

import pytest

from scraper.cloud.browse import describe_system, list_systems, list_values
from scraper.cloud.rules.streams import parse_stream
from scraper.cloud.stream_reader import make_stream_readers
from shared.units import DAY_S, HOUR_S
from tests.cloud_examples import read_example
from tests.scraper.cloud.pretend_cloud import BEGIN_S, SYSTEM, compute_truth, make_cloud, run_cloud_scraper

NOON_S = BEGIN_S + DAY_S + 12 * HOUR_S


class ExampleCloud:
    """Answers with example replies, by the end of the path."""

    clock_offset_s = None

    def __init__(self, **replies):
        self.replies = replies
        self.asked = []

    async def fetch(self, path, parameters=None, *, from_reserve=False):
        name = path.rpartition("/")[2]
        self.asked.append(name + "?" + "&".join(f"{key}={value}" for key, value in (parameters or {}).items()))
        return read_example(self.replies[name])


async def list_datum(scraper):
    """Source to time to name to value."""
    found: dict[str, dict[int, dict[str, float]]] = {}
    for row in await scraper.list_rows():
        if row.kind == "datum":
            (value,) = row.fields.values()
            at = found.setdefault(row.tags["source_id"], {}).setdefault(row.timestamp // 1000, {})
            assert row.tags["property"] not in at, "a datum was committed twice"
            at[row.tags["property"]] = value
    return found


def write_expected(*examples):
    """Of each datum the last word, and nothing that a later pass would change."""
    found: dict[str, dict[int, dict[str, float]]] = {}
    for example in examples:
        for source, datum in example["datum"].items():
            for one in datum:
                found.setdefault(source, {})[one["ts"]] = {**one["i"], **one["a"]}
    return found


@pytest.mark.parametrize("compatible", [True, False])
async def test_the_worked_example_is_committed_once_and_as_its_second_pass_has_it(tmp_path, compatible):
    config = parse_stream(read_example("solarnetwork-config"))
    first, second = read_example("solarnetwork-expected-1"), read_example("solarnetwork-expected-2")
    async with run_cloud_scraper(tmp_path, make_cloud(first["now"])) as scraper:
        names = ("/4711023/inv/sys", "/4711023/met/sys")
        start = dict.fromkeys(names, first["used"][0])
        await scraper.kept.keep(streams=type(scraper.kept.state.streams)(start))
        api = ExampleCloud(production_micro="production_micro", rgm_stats="rgm_stats")
        readers = make_stream_readers(api, scraper.kept, scraper.clock, config, compatible=compatible)
        assert len(readers) == (1 if compatible else 2)
        for reader in readers:
            await reader.read_new()
        assert api.asked == first["requests"]
        reached = [scraper.kept.state.streams.next_s[name] for name in names]
        assert reached == [first["next_start"], first["next_start"] if compatible else first["used"][1]]
        expected = write_expected(first)
        kept = {
            source: {end: values for end, values in datum.items() if end <= until}
            for (source, datum), until in zip(expected.items(), reached, strict=True)
        }
        assert await list_datum(scraper) == kept
        scraper.move_to(second["now"])
        api.replies["production_micro"] = "production_micro-revised"
        alone = config._replace(source_map={names[0]: "S1/INV"})  # the meter is left out
        (reader,) = make_stream_readers(api, scraper.kept, scraper.clock, alone, compatible=compatible)
        await reader.read_new()
        found = (await list_datum(scraper))["S1/INV"]
        assert found == write_expected(first, second)["S1/INV"]


def make_config(source_map, lag=None):
    fields = {"inv": "Wh", "met": "WhExp"}
    return parse_stream({
        "stream": {"serviceProperties": {"sourceIdMap": source_map, "deviceReportingMaximumLag": lag}},
        "properties": [
            {"valueReference": f"/{{systemId}}/{kind}/sys/{field}", "propertyName": "wh", "propertyType": "i"}
            for kind, field in fields.items()
        ],
        "expressions": [{"propertyName": "wattHours", "propertyType": "a"}],
    })  # fmt: skip


async def pass_with(scraper, config, until_s, *, compatible):
    readers = make_stream_readers(scraper.cloud, scraper.kept, scraper.clock, config, compatible=compatible)
    while scraper.clock.now_ms() / 1000 <= until_s:
        for reader in readers:
            await reader.read_new()
        scraper.clock.advance(1_800)
    return await list_datum(scraper)


@pytest.mark.parametrize("compatible", [True, False])
async def test_the_laggard_holds_back_everything_only_in_the_compatible_way(tmp_path, compatible):
    config = make_config(f"/{SYSTEM}/inv/sys=a, /{SYSTEM}/met/sys=b")
    async with run_cloud_scraper(tmp_path, make_cloud(NOON_S, delay_s={"met": 5 * HOUR_S})) as scraper:
        found = await pass_with(scraper, config, NOON_S + HOUR_S, compatible=compatible)
        assert max(found["b"]) < NOON_S - 3 * HOUR_S
        assert (max(found["a"]) > NOON_S) != compatible
        ends = sorted(found["a"])
        total = 0.0
        for end in ends:
            total += compute_truth(end, 300)
            assert found["a"][end] == {"wh": compute_truth(end, 300), "wattHours": total}
        assert ends == list(range(ends[0], ends[-1] + 1, 300))


async def test_devices_that_feed_one_source_move_together(tmp_path):
    config = make_config(f"/{SYSTEM}/inv/sys=a, /{SYSTEM}/met/sys=a")
    async with run_cloud_scraper(tmp_path, make_cloud(NOON_S)) as scraper:
        assert len(make_stream_readers(scraper.cloud, scraper.kept, scraper.clock, config, compatible=False)) == 1


async def test_only_mapped_devices_are_asked(tmp_path):
    async with run_cloud_scraper(tmp_path, make_cloud(NOON_S)) as scraper:
        await pass_with(scraper, make_config({f"/{SYSTEM}/met/sys": "b"}), NOON_S, compatible=False)
        assert {path for path, _ in scraper.cloud.asked} == {"rgm_stats"}


async def test_weeks_of_absence_are_read_in_windows_of_seven_days(tmp_path):
    config = make_config({f"/{SYSTEM}/met/sys": "b"})
    async with run_cloud_scraper(tmp_path, make_cloud(NOON_S)) as scraper:
        await pass_with(scraper, config, NOON_S, compatible=False)
        scraper.clock.advance(20 * DAY_S)
        before = len(scraper.cloud.asked)
        found = await pass_with(scraper, config, scraper.clock.now_ms() / 1000, compatible=False)
        assert len(scraper.cloud.asked) - before == 3
        ends = sorted(found["b"])
        assert ends == list(range(ends[0], ends[-1] + 1, 900))
        assert ends[-1] > NOON_S + 19 * DAY_S


async def test_browsing_shows_what_solarnetwork_shows():
    expected = read_example("solarnetwork-datavalues")
    api = ExampleCloud(systems="systems", devices="devices")
    (roof, *_) = await list_systems(api)
    assert [describe_system(roof)] == expected["systems"]
    assert await list_values(api, roof.system_id) == expected["devices of 4711023"]


@pytest.mark.parametrize("compatible", [True, False])
async def test_days_that_a_weeks_reply_lacks_are_asked_for_again(tmp_path, compatible):
    """Some systems answer with one day, whatever is asked."""
    config = make_config(f"/{SYSTEM}/inv/sys=a, /{SYSTEM}/met/sys=b")
    async with run_cloud_scraper(tmp_path, make_cloud(NOON_S)) as scraper:
        await pass_with(scraper, config, NOON_S, compatible=compatible)
        scraper.cloud.one_day = True
        scraper.clock.advance(5 * DAY_S)
        found = await pass_with(scraper, config, scraper.clock.now_ms() / 1000 + 4 * HOUR_S, compatible=compatible)
        for source, step in (("a", 300), ("b", 900)):
            ends = sorted(found[source])
            assert ends == list(range(ends[0], ends[-1] + 1, step))
            assert ends[-1] > scraper.clock.now_ms() / 1000 - HOUR_S
