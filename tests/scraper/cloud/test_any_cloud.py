"""Whatever the cloud does, readers see the truth in the end, and no identity has two values."""

import tempfile
from pathlib import Path
from typing import NamedTuple

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shared.units import DAY_S, HOUR_S
from tests.scraper.cloud.pretend_cloud import BEGIN_S, make_cloud, run_cloud_scraper

NOON_S = BEGIN_S + DAY_S + 12 * HOUR_S


class CloudWeather(NamedTuple):
    """What the cloud does for some hours.

    Attributes:
        hours: How long.
        late_s: How late its data are.
        lagging, missing, revised: Intervals before now, counted back from it.
        is_killed: Whether the scraper starts again afterwards.
    """

    hours: int
    late_s: int
    lagging: set[int]
    missing: set[int]
    revised: set[int]
    is_killed: bool


RECENT = st.sets(st.integers(0, 120), max_size=12)
WEATHER = st.builds(CloudWeather, st.integers(1, 9), st.integers(0, 5 * HOUR_S), RECENT, RECENT, RECENT, st.booleans())


@settings(max_examples=6, phases=(Phase.reuse, Phase.generate))  # each example is days of reading; no shrinking
@given(st.lists(WEATHER, min_size=1, max_size=5))
async def test_in_the_end_readers_see_the_truth(weathers):
    cloud = make_cloud(NOON_S)
    with tempfile.TemporaryDirectory() as folder:
        left = list(weathers)
        while left:
            async with run_cloud_scraper(Path(folder), cloud, ["inv"]) as scraper:
                while left:
                    weather = left.pop(0)
                    await live_through(scraper, weather)
                    if weather.is_killed:
                        break
        cloud.delay_s.clear()
        cloud.lagging.clear()
        cloud.holes.clear()
        async with run_cloud_scraper(Path(folder), cloud, ["inv"]) as scraper:
            await scraper.pass_until(cloud.clock.now_ms() // 1000 + 2 * DAY_S)
            rows = [row for row in await scraper.list_rows() if row.kind == "interval"]
            assert len({(row.series, row.timestamp) for row in rows}) == len(rows)
            first = min(start for start, _ in scraper.readers[0].ledger.covered)
            ends = range(first + 300, scraper.readers[0].ledger.watermark_s + 1, 300)
            truth = {end: float(cloud.tell("inv", end)) for end in ends}
            seen = await scraper.list_seen("inv")
            assert seen.items() <= truth.items()
            # of many holes the newest eight are looked into again: each of the others has its event
            assert truth.keys() - seen.keys() <= set(list_ends_of_gaps(await scraper.list_rows()))


def list_ends_of_gaps(rows):
    """Ends of the intervals that events say are missing (epoch seconds)."""
    for row in rows:
        if row.kind == "event" and row.tags["type"] == "gap":
            yield from range(row.timestamp // 1000 // 300 * 300 + 300, int(row.fields["end"]) // 1000 + 1, 300)


async def live_through(scraper, weather):
    cloud = scraper.cloud
    now_s = cloud.clock.now_ms() // 1000
    last = now_s - now_s % 300
    cloud.delay_s["inv"] = weather.late_s
    cloud.lagging = {last - 300 * number for number in weather.lagging}
    cloud.holes["inv"] = {last - 300 * number for number in weather.missing}
    for number in weather.revised:
        cloud.revised["inv", last - 300 * number] = 1000 + number
    await scraper.pass_until(now_s + weather.hours * HOUR_S)
