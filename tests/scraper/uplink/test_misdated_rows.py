"""Rows that are refused for their time wait for a right clock, and for none longer than needed."""

import random
from typing import Any

from scraper.delta.host_clock import StepRecord
from scraper.uplink.uplink import Uplink
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.scraper.uplink.uplink_bench import make_problem, make_verdict

YEAR_MS = 365 * 86_400_000


def make_meter(at_ms: int) -> Reading:
    return Reading("meter", {"meter": "production", "phase": "a"}, at_ms, {"power": 1.0})


def refuse(*seqs: int, code: str = "in-the-future"):
    return lambda batch: make_verdict(batch, {seq: code for seq in batch.seqs if seq in seqs})


async def test_readings_that_only_the_receiver_takes_for_future_ones_wait_and_older_ones_go_on(bench):
    """One of the two clocks is wrong; neither makes dead letters of them."""
    await bench.add(1200)
    bench.clock.advance(1200)
    early = range(1101, 1201)
    bench.reply = refuse(*early)
    async with bench.run_uplink():
        assert 60 <= await bench.clock.end_next_sleep() <= 66
        assert await bench.count_waiting() == len(early)
        assert "clocks of this host and of the receiver disagree" in (bench.uplink.state.problem or "")
        assert bench.uplink.state.person_needed
        bench.reply = make_verdict
        await bench.clock.await_sleep()
    assert (await bench.count_waiting(), await bench.count_dead()) == (0, 0)
    assert bench.uplink.state.problem is None


async def test_a_reading_of_the_future_by_both_clocks_is_a_dead_letter(bench):
    await bench.outbox.append([make_meter(NOW_MS + YEAR_MS), make_meter(NOW_MS)])
    bench.reply = refuse(1)
    async with bench.run_uplink():
        await bench.clock.end_next_sleep()
    assert (await bench.count_waiting(), await bench.count_dead()) == (0, 1)


async def test_nothing_is_posted_while_the_clock_stands_in_1970(bench):
    await bench.add(3)
    bench.clock.ms = 1000
    async with bench.run_uplink():
        await bench.clock.end_next_sleep()
        assert "clock of this host is not set" in (bench.uplink.state.problem or "")
        assert bench.batches == []
        bench.clock.ms = NOW_MS
        await bench.clock.await_sleep()
    assert await bench.count_waiting() == 0


async def test_a_token_refused_by_a_receiver_of_another_year_is_a_matter_of_clocks_and_not_of_keys(bench):
    await bench.add(1)
    bench.reply = lambda _: make_problem("unauthorised", 401, ("Date", "Wed, 21 Oct 2015 07:28:00 GMT"))
    async with bench.run_uplink():
        await bench.clock.end_next_sleep()
    assert "clocks of this host and of the receiver disagree" in (bench.uplink.state.problem or "")


async def test_once_the_receiver_has_refused_one_all_readings_of_the_wrong_clock_get_the_right_time(bench):
    """Also what it has not seen yet; in one event."""
    step = StepRecord(601, -YEAR_MS)

    async def list_steps():
        return (step,)

    bench.uplink = Uplink(
        bench.outbox, bench.uplink._sender, bench.uplink._signer, bench.clock,
        interval_s=10, rng=random.Random(1), known_steps=list_steps,
    )  # fmt: skip
    await bench.outbox.append([make_meter(NOW_MS + YEAR_MS - i * 1000) for i in range(600)])
    await bench.outbox.append([make_meter(NOW_MS + 1000)])
    stored: list[dict[str, Any]] = []

    def judge(batch):
        meters = [row for row in batch.body["rows"] if row["reading"]["kind"] == "meter"]
        wrong = {row["seq"] for row in meters if row["reading"]["timestamp"] > NOW_MS + 600_000}
        stored.extend(row["reading"] for row in batch.body["rows"] if row["seq"] not in wrong)
        return make_verdict(batch, dict.fromkeys(wrong, "in-the-future"))

    bench.reply = judge
    await bench.uplink.drain()
    assert (await bench.count_waiting(), await bench.count_dead()) == (0, 0)
    events = [reading for reading in stored if reading["kind"] == "event"]
    assert [(event["tags"], event["fields"]["rows"]) for event in events] == [({"type": "restamp"}, 600)]
    stamps = sorted(reading["timestamp"] for reading in stored if reading["kind"] == "meter")
    assert stamps == sorted([NOW_MS + 1000, *(NOW_MS - i * 1000 for i in range(600))])
    assert bench.uplink.state.refused == 0
