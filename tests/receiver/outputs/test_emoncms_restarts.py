"""EmonCMS where times must not go back (`late: drop`), over the end of the receiver."""

import pytest

from receiver.sites.model import Site
from shared.units import MINUTE_MS
from tests.receiver.outputs.test_emoncms import run_bench, run_live
from tests.receiver.service import GATEWAY, make_inverter

PANELS = ("482300001111", "482300001112")


def list_reports(fake):
    return [(time * 1000, *values) for _, rows in fake.posts for time, node, values in rows if node == "panels"]


@pytest.mark.parametrize("is_killed", [False, True])
async def test_a_report_behind_one_that_was_sent_stays_out_after_the_end_of_the_receiver(tmp_path, is_killed):
    site = Site.model_validate({"outputs": {"emoncms": {"node": "Envoy-S", "panels": "panels", "late": "drop"}}})
    async with run_bench(tmp_path, site) as (bench, fake, _):
        await run_live(bench, 2000)
        now = bench.clock.now_ms()
        first = now - 5 * MINUTE_MS
        await bench.write(GATEWAY, [make_inverter(panel, first, power=1.0) for panel in PANELS])
        bench.clock.advance(60)  # it is kept once a minute
        await bench.catch_up()
        await (bench.crash() if is_killed else bench.restart())
        behind = [make_inverter(PANELS[0], now - minutes * MINUTE_MS, power=2.0) for minutes in (25, 10, 5)]
        await bench.write(GATEWAY, [*behind, make_inverter(PANELS[1], now - 4 * MINUTE_MS, power=3.0)])
        bench.clock.advance(60)
        await bench.catch_up()
        both = tuple(f"{panel}_wNow" for panel in PANELS)
        assert list_reports(fake) == [(first, *both), (now - 4 * MINUTE_MS, both[1])]
