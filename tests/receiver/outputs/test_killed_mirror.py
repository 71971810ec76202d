"""A durable output whose process is killed at the worst moment: nothing that came late is lost, nor what came at all."""

import asyncio
import signal
import sys

import pytest

from receiver.outputs import progress
from receiver.outputs.base import OutputError
from shared.units import MINUTE_MS
from tests.clocks import NOW_MS, StoppedClock
from tests.receiver.outputs.killed_mirror import POINTS, load_content
from tests.receiver.outputs.mirror import BEGUN_MS, MirrorBench, assert_equal
from tests.receiver.service import GATEWAY, make_meter


@pytest.fixture
async def bench(tmp_path):
    async with MirrorBench(tmp_path, StoppedClock()) as running:
        yield running


@pytest.mark.parametrize("point", POINTS)
async def test_a_correction_outlives_sigkill(tmp_path, point):
    """SIGKILL between any two steps of a delivery: the target has the correction in the end, whatever it had then."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.receiver.outputs.killed_mirror", str(tmp_path), point
    )
    assert await child.wait() == -signal.SIGKILL
    bench = MirrorBench(tmp_path, StoppedClock())
    async with bench:
        had = load_content(tmp_path)
        bench.target.content = had
        series_of_it = {key[2]: fields["power"] for key, fields in had.items()}
        assert (series_of_it[NOW_MS + MINUTE_MS] == 2.0) == (point != "before the yes")
        bench.clock.advance(4 * 3600)
        await bench.catch_up()
        await assert_equal(bench)
        stored = await bench.read_stored(GATEWAY, BEGUN_MS, bench.clock.now_ms())
        assert {key[2]: fields["power"] for key, fields in stored.items()}[NOW_MS + MINUTE_MS] == 2.0


async def test_what_is_on_its_way_is_kept_before_the_roll_ups_forget_it(bench):
    """The target has not said yes when the journal forgets the quarter hour, and then the process is killed."""
    await bench.write(GATEWAY, [make_meter(NOW_MS)])
    await bench.driver.run_once()
    bench.clock.advance(2 * 3600)
    await bench.catch_up()
    await bench.settle()
    await bench.write(GATEWAY, [make_meter(NOW_MS + 1000, power=5.0)])
    deliver = bench.target.deliver

    async def settle_and_fail(part):
        if part.is_late:
            await bench.settle()
            raise OutputError("killed before the answer", "unreachable")
        return await deliver(part)

    bench.target.deliver = settle_and_fail
    await bench.driver.run_once()
    assert not (await bench.journal.load()).dirty
    await bench.crash()
    await bench.catch_up()
    await assert_equal(bench)


async def test_a_backlog_of_more_minutes_than_are_remembered_arrives_whole_beside_what_is_new(bench, monkeypatch):
    monkeypatch.setattr(progress, "MOST_LATE", 40)
    await bench.write(GATEWAY, [make_meter(NOW_MS)])
    await bench.driver.run_once()
    bench.clock.advance(10 * 3600)
    await bench.catch_up()
    await bench.write(GATEWAY, [make_meter(bench.clock.now_ms())])
    late = range(598, 0, -4)  # newest first, scattered
    await bench.write(GATEWAY, [make_meter(NOW_MS + minute * MINUTE_MS, power=float(minute)) for minute in late])
    bench.clock.advance(60)
    before = len(bench.target.slices)
    await bench.driver.run_once()
    fresh, first_late = bench.target.slices[before : before + 2]
    assert not fresh.is_late  # what is new does not wait behind half a day
    assert first_late.is_late
    await bench.driver.close()
    await bench.crash()
    await bench.catch_up()
    await assert_equal(bench)
