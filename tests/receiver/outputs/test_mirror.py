"""A durable output: whatever comes when, and however it ends, the target has in the end what the store has."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.outputs.progress_file import FILE, OutputWish, leave_wish
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.clocks import NOW_MS, StoppedClock
from tests.receiver.outputs.mirror import BEGUN_MS, MirrorBench, assert_equal
from tests.receiver.service import GATEWAY, OTHER, make_inverter, make_meter


@pytest.fixture
async def bench(tmp_path):
    async with MirrorBench(tmp_path, StoppedClock()) as running:
        yield running


async def test_what_is_stored_is_delivered_once_its_time_has_passed(bench):
    await bench.write(GATEWAY, [make_meter(NOW_MS, power=1.0)])
    await bench.catch_up()
    assert not bench.target.content  # its neighbours may still be on their way
    bench.clock.advance(31)
    await bench.catch_up()
    assert list(bench.target.content.values()) == [{"power": 1.0}]
    sent = len(bench.target.slices)
    await bench.catch_up()
    assert len(bench.target.slices) == sent


async def test_a_backlog_that_comes_newest_first_arrives_whole(bench):
    await bench.write(GATEWAY, [make_meter(NOW_MS)])
    await bench.driver.run_once()
    bench.clock.advance(2 * 3600)
    minutes = [NOW_MS + minute * MINUTE_MS for minute in range(120)]
    for minute in (119, *range(118)):  # the newest never waits behind what is older
        await bench.write(
            GATEWAY, [make_meter(minutes[minute], power=float(minute)), make_inverter("1", minutes[minute])]
        )
        await bench.catch_up()
    bench.clock.advance(120)
    await bench.catch_up()
    await assert_equal(bench)


async def test_only_the_kinds_of_late_readings_are_sent_again(bench):
    await bench.write(GATEWAY, [make_meter(NOW_MS), make_inverter("1", NOW_MS)])
    await bench.driver.run_once()
    bench.clock.advance(600)
    await bench.catch_up()
    before = len(bench.target.slices)
    await bench.write(GATEWAY, [make_inverter("2", NOW_MS + 1000)])
    await bench.catch_up()
    assert [part.kinds for part in bench.target.slices[before:] if part.is_late] == [{"inverter"}]
    await assert_equal(bench)


async def test_what_is_stored_while_its_slice_is_delivered_is_late(bench):
    await bench.write(GATEWAY, [make_meter(NOW_MS)])
    bench.clock.advance(60)
    read_points, written = bench.store.read_points, set[bool]()

    async def read(*args, **kwargs):
        found = await read_points(*args, **kwargs)
        if not written:
            written.add(True)
            await bench.write(GATEWAY, [make_meter(NOW_MS + 1, phase="b")])
        return found

    bench.store.read_points = read
    await bench.catch_up()
    bench.clock.advance(60)
    await bench.catch_up()
    await assert_equal(bench)


async def test_a_target_that_is_away_gets_everything_when_it_is_back(bench):
    await bench.write(GATEWAY, [make_meter(NOW_MS)])
    await bench.driver.run_once()
    bench.target.refuses = True
    for _ in range(10):
        bench.clock.advance(600)
        await bench.write(
            GATEWAY, [make_meter(bench.clock.now_ms()), make_inverter("1", bench.clock.now_ms() - HOUR_MS)]
        )
        assert await bench.driver.run_once() > 0
    (state,) = bench.driver.list_states(bench.clock.now_ms())
    assert state.problem == "the mirror is away"
    assert state.behind_ms > HOUR_MS
    bench.target.refuses = False
    bench.clock.advance(400)  # longer than any pause after a failure
    await bench.catch_up()
    await assert_equal(bench)
    (state,) = bench.driver.list_states(bench.clock.now_ms())
    assert (state.problem, state.behind_ms) == (None, 0)


async def test_while_a_target_is_away_one_gateway_after_the_other_tries_it(bench):
    for gateway in (GATEWAY, OTHER):
        await bench.write(gateway, [make_meter(NOW_MS)])
    bench.clock.advance(60)
    bench.target.refuses = True
    tried = []
    for _ in range(4):
        delay_s = await bench.driver.run_once()
        tried += [part.gateway for part in bench.target.slices]
        bench.target.slices.clear()
        bench.clock.advance(delay_s + 1)
    assert tried == [GATEWAY, OTHER, GATEWAY, OTHER]
    assert {one.problem for one in bench.driver.list_states(bench.clock.now_ms())} == {"the mirror is away"}
    assert bench.driver._get_backoff("*").ceiling_s > 30
    bench.target.refuses = False
    await bench.catch_up()
    await assert_equal(bench, GATEWAY, OTHER)
    assert not [one for one in bench.driver.list_states(bench.clock.now_ms()) if one.problem]


async def test_gateways_that_the_owner_leaves_out_stay_out(bench):
    await bench.write("leftout", [make_meter(NOW_MS)])
    await bench.write(OTHER, [make_meter(NOW_MS)])
    bench.clock.advance(60)
    await bench.catch_up()
    assert {key[0] for key in bench.target.content} == {OTHER}


async def test_history_is_sent_when_somebody_asks(bench):
    old = NOW_MS - 3 * DAY_MS
    await bench.write(GATEWAY, [make_meter(old), make_meter(NOW_MS)])
    bench.clock.advance(60)
    await bench.catch_up()
    assert min(key[2] for key in bench.target.content) == NOW_MS
    leave_wish(bench.folder / FILE, OutputWish("mirror", GATEWAY, old))
    await bench.catch_up()
    await assert_equal(bench, since=old)


async def test_a_crash_after_a_wish_was_seen_does_not_lose_it(bench):
    old = NOW_MS - 3 * DAY_MS
    await bench.write(GATEWAY, [make_meter(old), make_meter(NOW_MS)])
    bench.clock.advance(60)
    await bench.catch_up()
    leave_wish(bench.folder / FILE, OutputWish("mirror", GATEWAY, old))
    bench.target.refuses = True
    await bench.driver.run_once()
    await bench.crash()
    bench.target.refuses = False
    bench.target.content.clear()
    bench.clock.advance(400)
    await bench.catch_up()
    await assert_equal(bench, since=old)


async def test_an_orderly_restart_repeats_nothing(bench):
    await bench.write(GATEWAY, [make_meter(NOW_MS)])
    await bench.driver.run_once()
    for minute in range(1, 21):
        bench.clock.advance(60)
        await bench.write(GATEWAY, [make_meter(NOW_MS + minute * MINUTE_MS)])
        await bench.driver.run_once()
    sent_until = bench.target.slices[-1].stop
    await bench.restart()
    bench.clock.advance(60)
    await bench.catch_up()
    assert {part.is_late for part in bench.target.slices} == {False}
    assert bench.target.slices[0].start == sent_until
    await assert_equal(bench)


async def test_what_was_late_at_an_orderly_end_goes_afterwards(bench):
    await bench.write(GATEWAY, [make_meter(NOW_MS)])
    await bench.driver.run_once()
    bench.clock.advance(600)
    await bench.catch_up()
    await bench.write(GATEWAY, [make_meter(NOW_MS + 1000)])
    await bench.restart()
    await bench.catch_up()
    assert [part.start for part in bench.target.slices if part.is_late] == [NOW_MS // MINUTE_MS * MINUTE_MS]
    await assert_equal(bench)


async def test_a_damaged_memory_costs_a_repetition_of_a_day(bench):
    await bench.write(GATEWAY, [make_meter(NOW_MS - HOUR_MS)])
    bench.clock.advance(60)
    await bench.catch_up()
    await bench.outputs.stop()
    await bench.let_go()
    (bench.folder / FILE).write_bytes(b"no database at all, but long enough to be looked at" * 100)
    await bench.begin()
    await bench.catch_up()
    await assert_equal(bench, since=NOW_MS - DAY_MS)
    assert (bench.folder / f"{FILE}.damaged").exists()


async def test_late_minutes_of_one_gateway_do_not_wait_for_the_others(bench):
    for gateway in (GATEWAY, OTHER):
        await bench.write(gateway, [make_meter(NOW_MS)])
    await bench.driver.run_once()
    bench.clock.advance(3000)
    await bench.driver.run_once()
    await bench.write(GATEWAY, [make_meter(NOW_MS + 1_000_000), make_meter(NOW_MS + 2_400_000)])
    await bench.catch_up()
    await assert_equal(bench, GATEWAY, OTHER)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from((GATEWAY, OTHER)), st.integers(0, 5 * 3600)),
        st.tuples(st.just("wait"), st.integers(1, 3000)),
        st.tuples(st.sampled_from(("round", "settle", "restart", "crash", "away", "back"))),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_any_order_of_writes_outages_restarts_and_crashes_ends_in_equality(steps):
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder), steps))


async def play(folder, steps):
    async with MirrorBench(folder, StoppedClock()) as bench:
        for gateway in (GATEWAY, OTHER):
            await bench.write(gateway, [make_meter(NOW_MS)])
        await bench.driver.run_once()
        number = 0.0
        for step in steps:
            if step[0] == "write":
                number += 1.0
                at = max(BEGUN_MS, bench.clock.now_ms() - step[2] * 1000)
                await bench.write(step[1], [make_meter(at, power=number), make_inverter("1", at, power=number)])
            elif step[0] == "wait":
                bench.clock.advance(step[1])
            elif step[0] == "round":
                await bench.driver.run_once()
            elif step[0] == "settle":
                await bench.settle()
            elif step[0] == "restart":
                await bench.restart()
            elif step[0] == "crash":
                await bench.crash()
            else:
                bench.target.refuses = step[0] == "away"
        bench.target.refuses = False
        bench.clock.advance(400)
        await bench.catch_up()
        await assert_equal(bench, GATEWAY, OTHER)


async def test_a_gateway_that_goes_there_no_longer_is_not_behind(bench):
    """The owner took it out of the sites file: no alarm for what nobody wants."""
    await bench.write(GATEWAY, [make_meter(NOW_MS)])
    await bench.catch_up()
    bench.clock.advance(2 * 3600)
    assert bench.driver.list_states(bench.clock.now_ms())
    bench.target.is_wanted = lambda _: False
    await bench.catch_up()
    assert bench.driver.list_states(bench.clock.now_ms()) == []
