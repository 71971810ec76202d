"""Meters that cannot be right are told of, with the remedy."""

from collections.abc import Sequence

import pytest

from receiver.queries.doubts import read_doubts
from receiver.sites.model import NO_SITE, MeterCorrection, Site
from receiver.stores.base import GatewayReading
from shared.readings import Reading
from shared.units import HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.receiver.service import GATEWAY, start

NOON = 1_760_000_400_000 // HOUR_MS * HOUR_MS


async def find_doubts(
    tmp_path, measured: float, reported: float, site: Site = NO_SITE, more: Sequence[Reading] = ()
) -> list[str]:
    async with start(tmp_path) as service:
        minutes = [
            Reading("meter_1m", {"meter": "production", "phase": "a"}, time, {"power": measured, "coverage": 1.0})
            for time in range(NOON - HOUR_MS, NOON, MINUTE_MS)
        ]
        quarters = [
            Reading("panel_15m", {"inverter": one, "panel": one, "array": "-"}, time, {"power": reported / 2})
            for one in ("1", "2")
            for time in range(NOON - HOUR_MS, NOON, QUARTER_MS)
        ]
        store = service.receiver.rollups.store
        await store.write([GatewayReading(GATEWAY, reading) for reading in [*minutes, *quarters, *more]])
        found = await read_doubts(service.receiver.store, GATEWAY, site, NOON + MINUTE_MS)
        return [str(doubt) for doubt in found]


@pytest.mark.parametrize(("measured", "reported"), [(-1.0, 3010.0), (1400.0, 3010.0), (3000.0, 1000.0)])
async def test_a_meter_that_differs_by_half_for_an_hour_is_named_with_the_remedy(tmp_path, measured, reported):
    (doubt,) = await find_doubts(tmp_path, measured, reported)
    assert f"{measured:.0f} W and the inverters together {reported:.0f} W" in doubt
    assert "role: ignore" in doubt


@pytest.mark.parametrize(("measured", "reported"), [(2900.0, 3010.0), (1600.0, 3010.0), (-5.0, 20.0)])
async def test_a_meter_that_agrees_is_not(tmp_path, measured, reported):
    assert await find_doubts(tmp_path, measured, reported) == []


async def test_an_ignored_meter_is_not_doubted(tmp_path):
    site = Site(meters={"production": MeterCorrection(role="ignore")})
    assert await find_doubts(tmp_path, -1.0, 3010.0, site) == []


async def test_a_part_of_a_meter_or_of_the_inverters_is_no_sum_to_doubt_a_meter_by(tmp_path):
    """A phase of which no power is known; and inverters that are silent, which may make the rest."""
    hour = range(NOON - HOUR_MS, NOON, MINUTE_MS)
    dropped = [
        Reading("meter_1m", {"meter": "production", "phase": "b"}, time, {"frequency": 50.0, "coverage": 0.0})
        for time in hour
    ]
    assert await find_doubts(tmp_path / "phase", 1400.0, 3010.0, more=dropped) == []
    silent = [
        Reading("panel_15m", {"inverter": "3", "panel": "3", "array": "-"}, time, {"coverage": 0.0, "dead": 1.0})
        for time in hour[::15]
    ]
    assert await find_doubts(tmp_path / "silent", 3000.0, 1000.0, more=silent) == []
    assert await find_doubts(tmp_path / "more", -1.0, 3010.0, more=silent)
