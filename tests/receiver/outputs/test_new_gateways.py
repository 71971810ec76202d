"""A gateway that is new to a durable output: the backlog that it brings goes there, too."""

from shared.units import HOUR_MS, MINUTE_MS
from tests.clocks import NOW_MS, StoppedClock
from tests.receiver.outputs.mirror import MirrorBench, assert_equal
from tests.receiver.service import GATEWAY, OTHER, make_meter


async def test_the_backlog_that_a_new_gateway_begins_with_goes_there(tmp_path):
    """Its scraper worked all day before the receiver took it; the newest comes first."""
    async with MirrorBench(tmp_path, StoppedClock()) as bench:
        await bench.write(GATEWAY, [make_meter(NOW_MS)])
        await bench.catch_up()
        for minutes in (1, 25, 40):
            await bench.write(OTHER, [make_meter(NOW_MS - minutes * MINUTE_MS, power=float(minutes))])
        await bench.catch_up()
        await bench.write(OTHER, [make_meter(NOW_MS - 9 * HOUR_MS, power=9.0)])
        bench.clock.advance(60)
        await bench.catch_up()
        await assert_equal(bench, GATEWAY, OTHER, since=NOW_MS - 10 * HOUR_MS)
        assert len(bench.target.content) == 5


async def test_of_a_gateway_that_was_stored_before_nothing_older_goes(tmp_path, monkeypatch):
    async with MirrorBench(tmp_path, StoppedClock()) as bench:
        monkeypatch.setattr(bench.driver._target, "is_wanted", lambda gateway: gateway != OTHER)
        await bench.driver.run_once()
        await bench.write(OTHER, [make_meter(NOW_MS - 2 * HOUR_MS)])
        await bench.driver.run_once()
        monkeypatch.setattr(bench.driver._target, "is_wanted", lambda _: True)
        await bench.write(OTHER, [make_meter(NOW_MS)])
        bench.clock.advance(60)
        await bench.catch_up()
        assert [timestamp for _, _, timestamp in bench.target.content] == [NOW_MS]
