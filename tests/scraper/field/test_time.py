"""Time, whatever the gateway does with it: each case over real sockets, from the gateway to the store."""

import itertools
from statistics import fmean, median

import pytest

from tests.scraper.field.field_home import live_with


async def test_a_stream_that_holds_events_back_loses_none_and_opens_no_gap(tmp_path):
    async with live_with("stream-held-back", tmp_path, speed=10.0, dead_band=0.0) as home:
        async with home.scraper():
            await home.stored("meter", 100, meter="production", phase="a")
            assert not await home.points("event", type="gap")
            points = await home.points("meter", meter="production", phase="a")
        times = [point.timestamp for point in points if "power" in point.fields]
        pauses = [after - before for before, after in itertools.pairwise(times)]
        # Held-back events lie where they were measured. A busy machine shifts some of them, at ten times the speed.
        assert fmean(pauses) == pytest.approx(1000, rel=0.1)
        assert median(pauses) == pytest.approx(1000, rel=0.2)
        assert sum(pause < 100 for pause in pauses) < len(pauses) / 10
