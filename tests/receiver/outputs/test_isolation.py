"""Outputs that hang, fail or break: posts are durable all the same, and another output has everything."""

import asyncio

from receiver.ingest.group_commit import GroupCommit
from receiver.metrics import Metrics
from receiver.outputs.base import Delivered, Slice
from receiver.outputs.driver import DurableOutput
from receiver.outputs.outputs import Outputs
from receiver.stores.base import GatewayReading, Store
from shared.units import MINUTE_MS
from tests.clocks import NOW_MS, StoppedClock
from tests.receiver.outputs.mirror import MirrorBench, MirrorTarget, assert_equal
from tests.receiver.service import GATEWAY, make_meter


class HangingTarget(MirrorTarget):
    """Its first answer never comes."""

    name = "hanging"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.asked = asyncio.Event()
        self.is_answered = False

    async def deliver(self, part: Slice) -> Delivered:
        self.asked.set()
        await asyncio.get_running_loop().create_future()
        self.is_answered = True
        return Delivered()


class BrokenTarget(MirrorTarget):
    """It has a mistake that nobody has thought of."""

    name = "broken"
    times = 0

    async def deliver(self, part: Slice) -> Delivered:
        self.times += 1
        raise ZeroDivisionError("a mistake of ours")


async def test_no_commit_waits_for_an_output_and_no_output_for_another(tmp_path):
    async with MirrorBench(tmp_path, StoppedClock()) as bench:
        hanging, broken, away = HangingTarget(bench.store), BrokenTarget(bench.store), MirrorTarget(bench.store)
        away.name, away.refuses = "away", True
        others = [
            DurableOutput(target, bench.file, bench.store, bench.clock, Metrics()) for target in (hanging, broken, away)
        ]
        bench.outputs = bench.marking.reader = Outputs([*others, bench.driver], bench.file, bench.clock)
        await bench.commit.close()
        bench.commit = GroupCommit(bench.marking, on_stored=bench.outputs.note)
        await bench.write(GATEWAY, [make_meter(NOW_MS)])
        for one in (*others, bench.driver):  # all of them have begun before the hour
            await one._begin(await one._load(), GATEWAY)
        bench.clock.advance(3600)
        bench.outputs.start()
        async with asyncio.timeout(60):
            await hanging.asked.wait()
            for minute in range(60):  # hanging, broken and away were asked, and have not answered
                at = NOW_MS + minute * MINUTE_MS
                await asyncio.gather(
                    bench.write(GATEWAY, [make_meter(at, power=float(minute))]),
                    bench.commit.write([GatewayReading(GATEWAY, make_meter(at, phase="b"))]),
                )
            bench.clock.advance(60)
            await bench.catch_up()
        assert (hanging.is_answered, broken.times, bool(away.slices)) == (False, 1, True)
        await assert_equal(bench)
        assert len(bench.target.content) == 120
        states = {one.output: one for one in bench.outputs.list_states()}
        assert states["away"].problem == "the mirror is away"
        assert all(states[name].behind_ms > 50 * MINUTE_MS for name in ("hanging", "broken", "away"))
        assert states["mirror"].behind_ms == 0
