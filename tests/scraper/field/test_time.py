"""Time, whatever the gateway does with it: each case over real sockets, from the gateway to the store."""

import itertools
from statistics import fmean, median

import pytest

from tests.scraper.field.field_home import open_field_home


async def test_a_stream_that_holds_events_back_loses_none_and_opens_no_gap(tmp_path):
    async with open_field_home("stream-held-back", tmp_path, speed=5.0, dead_band=0.0) as home:
        async with home.run_scraper():
            await home.wait_for_points("meter", 100, meter="production", phase="a")
            assert not await home.read_points("event", type="gap")
            points = await home.read_points("meter", meter="production", phase="a")
        times = [point.timestamp for point in points if "power" in point.fields]
        pauses = [after - before for before, after in itertools.pairwise(times)]
        # Held-back events lie where they were measured: a second apart, in the silence before they came. Stamped as
        # they came, a quarter of the pauses would be a few milliseconds, and each of the five silences would remain.
        # A busy machine shifts single events, at five times the speed.
        assert fmean(pauses) == pytest.approx(1000, rel=0.15)
        assert median(pauses) == pytest.approx(1000, rel=0.05)
        assert sum(pause < 400 for pause in pauses) <= len(pauses) / 20
        assert sum(pause > 2500 for pause in pauses) <= 1


async def test_meters_that_are_refused_after_a_boot_are_asked_for_again(tmp_path, logs):
    """A power cut: gateway and scraper start together, and the gateway refuses its meters for half a minute."""
    async with open_field_home("boot-meters-404", tmp_path) as home:
        said = [finding.text for finding in await home.check() if finding.step == "meters"]
        assert "although the gateway says that it has some" in said[0]
        async with home.run_scraper():
            await home.wait_for_points("inverter", 8)
            await home.clock.sleep(30)
            assert not await home.read_points("meter")
            home.case.put_right()
            began = home.clock.now_ms()
            (first, *_) = await home.wait_for_points("meter", meter="production")
            assert first.timestamp - began < 120_000
    assert [line for line in logs if "says that it has meters, but lists none" in line["event"]]


async def test_an_empty_list_of_meters_lets_the_inverters_tell_of_gaps(tmp_path):
    """The meters answered before; when they say nothing any more, inverters are what there is, and the gap closes."""
    async with open_field_home("meters-empty-body-200", tmp_path) as home, home.run_scraper():
        await home.wait_for_points("inverter", 9)
        await home.clock.sleep(240)
        assert not [gap for gap in await home.read_points("event", type="gap") if "end" not in gap.fields]


async def test_a_clock_that_is_put_right_is_followed_within_a_minute(tmp_path):
    """After a power cut the gateway serves with an old clock, until NTP sets it right without an interruption."""
    async with open_field_home("gateway-clock-put-right", tmp_path) as home:
        age = next(finding.text for finding in await home.check() if finding.step == "inverters")
        assert " old" in age
        async with home.run_scraper():
            first = await home.wait_for_points("inverter", 4)
            now_ms = home.clock.now_ms()
            assert all(0 < now_ms - report.timestamp < 300_000 for report in first), "corrected by two hours"
            home.case.put_right()
            began = home.clock.now_ms()
            await home.wait_for_points("inverter", 8)
            assert home.clock.now_ms() - began < 180_000
            await home.clock.sleep(180)
            reports = await home.read_points("inverter")
            assert {report.fields["power"] for report in reports} == {100.0, 200.0}
            assert all(-60_000 < home.clock.now_ms() - report.timestamp < 900_000 for report in reports)
            behind, right = [step.fields["reason"] for step in await home.read_points("event", type="clock_step")]
            assert " minutes behind" in behind or " hours behind" in behind
            assert "right again" in right
