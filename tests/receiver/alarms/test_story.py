"""Each alarm fires and ends, on the data of a simulated house, with restarts in between.

`tests/grafana/test_both_fire.py` tells the same story over InfluxDB, where Grafana's rules look on.
"""

import pytest

from receiver.alarms.watcher import Habits
from tests.receiver.alarms import simulated_house as house
from tests.receiver.alarms.alarm_bench import AlarmBench
from tests.receiver.alarms.story import (
    EVERY_S,
    assert_everything_was_told_once,
    check_the_disk,
    check_what_takes_days,
    play,
)
from tests.receiver.stores.store_factories import use_sqlite


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_day_of_troubles_is_told_once_each(tmp_path, monkeypatch):
    with use_sqlite(tmp_path, lambda: pytest.fail("no InfluxDB is needed")) as make_store:
        async with AlarmBench(make_store, tmp_path / "state", habits=Habits(disks={"readings": tmp_path})) as bench:
            assert_everything_was_told_once(await play(bench))
            await check_what_takes_days(bench)
            await check_the_disk(bench, monkeypatch)


async def test_the_same_house_without_troubles_raises_no_alarm(make_store, tmp_path):
    """The hour before the troubles, told again until the troubles would begin."""
    async with AlarmBench(make_store, tmp_path / "state") as bench:
        readings = [one for one in house.make_story() if one.timestamp < house.TROUBLE_S * 1000]
        await bench.write(house.GATEWAY, readings)
        bench.clock.ms = house.TROUBLE_S * 1000
        await bench.roll_up()
        for at in range(house.TROUBLE_S - 30 * house.MINUTE, house.TROUBLE_S, EVERY_S):
            assert await bench.look(at) == []
        assert not await bench.parts[4].load()
