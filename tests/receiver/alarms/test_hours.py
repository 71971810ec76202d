"""Quiet hours and the daily digest, by the clock of the site."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from receiver.alarms.hours import QuietHours, find_digest_day
from receiver.alarms.watcher import Habits
from receiver.sites.model import Site
from shared.readings import FieldValue, Reading
from tests.receiver.alarms.alarm_bench import AlarmBench
from tests.receiver.stores.store_factories import use_sqlite

BERLIN = ZoneInfo("Europe/Berlin")
QUIET = QuietHours(time(22), time(7))


def make_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp() * 1000)


@pytest.mark.parametrize(
    ("quiet", "now", "end"),
    [
        (QUIET, "2026-06-10T21:59", None),
        (QUIET, "2026-06-10T22:00", "2026-06-11T07:00"),
        (QUIET, "2026-06-11T06:59", "2026-06-11T07:00"),
        (QUIET, "2026-06-11T07:00", None),
        (QUIET, "2026-10-24T23:00", "2026-10-25T07:00"),
        (QuietHours(time(13), time(15)), "2026-06-10T14:00", "2026-06-10T15:00"),
        (QuietHours(time(13), time(15)), "2026-06-10T15:00", None),
        (QuietHours(time(0), time(0)), "2026-06-10T15:00", None),
    ],
)
def test_quiet_hours_end_by_the_clock_of_the_site(quiet, now, end):
    assert quiet.find_end(make_ms(now), BERLIN) == make_ms(end or now)


@pytest.mark.parametrize(
    ("now", "day"),
    [("2026-06-10T07:59", None), ("2026-06-10T08:00", "2026-06-10"), ("2026-06-10T09:59", "2026-06-10"), ("2026-06-10T10:00", None)],
)  # fmt: skip
def test_a_digest_is_due_for_two_hours(now, day):
    assert find_digest_day(time(8), make_ms(now), BERLIN) == day


@pytest.fixture
def make_sqlite_store(tmp_path):
    with use_sqlite(tmp_path, lambda: pytest.fail("no InfluxDB is needed")) as make:
        yield make


async def report(bench: AlarmBench, at_s: float, **fields: float) -> list[tuple[str, str, str]]:
    known: dict[str, FieldValue] = {
        "stream_connected": 1.0,
        "role": "owner",
        "lost_rows": 0.0,
        "certificate_changed": 0.0,
        **fields,
    }
    await bench.write("1", [Reading("gateway", {}, round(at_s * 1000), known)])
    await bench.restart()
    return await bench.look(at_s)


async def test_in_quiet_hours_only_critical_alarms_are_told_and_the_rest_afterwards(make_sqlite_store, tmp_path):
    habits, site = Habits(quiet=QUIET, disks={}), Site(time_zone="Europe/Berlin")
    async with AlarmBench(make_sqlite_store, tmp_path / "state", habits=habits, site=site) as bench:
        night = make_ms("2026-06-10T23:00") / 1000
        await report(bench, night - 600)
        assert await report(bench, night, lost_rows=5.0) == []
        assert await report(bench, night + 600, lost_rows=5.0, certificate_changed=1.0) == [
            ("began", "certificate-changed", "")
        ]
        assert await report(bench, night + 1200, lost_rows=5.0) == [("ended", "certificate-changed", "")]
        morning = make_ms("2026-06-11T07:00") / 1000
        assert await report(bench, morning, lost_rows=5.0) == [("began", "losses", "")]


async def test_what_begins_and_ends_in_quiet_hours_is_not_told(make_sqlite_store, tmp_path):
    habits, site = Habits(quiet=QUIET, disks={}), Site(time_zone="Europe/Berlin")
    async with AlarmBench(make_sqlite_store, tmp_path / "state", habits=habits, site=site) as bench:
        night, soon = make_ms("2026-06-10T23:00") / 1000, 86_400.0
        for minute in range(0, 20, 4):
            await report(bench, night + minute * 60, token_expires_in=soon)
        (state,) = (await bench.parts[4].load()).values()
        assert state.phase == "firing"
        await report(bench, night + 1200, token_expires_in=300 * soon)
        await report(bench, make_ms("2026-06-11T08:00") / 1000, token_expires_in=300 * soon)
    assert bench.sent == []


async def test_a_digest_comes_once_a_day_whatever_is_restarted(make_sqlite_store, tmp_path):
    habits, site = Habits(digest=time(8), disks={}), Site(time_zone="Europe/Berlin")
    async with AlarmBench(make_sqlite_store, tmp_path / "state", habits=habits, site=site) as bench:
        morning = make_ms("2026-06-10T07:30") / 1000
        await report(bench, morning, certificate_changed=1.0)
        for minutes in range(30, 160, 10):
            await report(bench, morning + minutes * 60, certificate_changed=1.0)
        await report(bench, morning + 86_400 + 1800)
        digests = [one for one in bench.sent if one.turn == "digest"]
    assert [one.title for one in digests] == ["1 alarm now (2026-06-10)", "No alarm now (2026-06-11)"]
    assert "certificate" in digests[0].text
    assert "Over since yesterday" in digests[1].text
