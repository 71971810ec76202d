"""The energy of a time beside that of an earlier one."""

from collections.abc import Iterator

import pytest

from shared.readings import Reading
from tests.receiver.api.constant_household import HOUR, fill, to_ms, write_sites_file
from tests.receiver.service import GATEWAY, Service
from tests.receiver.stores.store_factories import STORES

PATH = f"/api/v1/gateways/{GATEWAY}/energy"
MINUTE = 60_000


@pytest.fixture(params=STORES)
async def service_with_sites(request, start_over, tmp_path):
    async with start_over(request.param, sites_file=write_sites_file(tmp_path)) as running:
        yield running


def make_sunshine(start: int, stop: int, watts: float, *, base: float = 0.0) -> Iterator[Reading]:
    """The counter of a production of so many watts."""
    for time in range(start, stop + 1, 2 * MINUTE):
        fields: dict[str, float | str] = {"delivered": base + watts * (time - start) / HOUR, "received": 0.0}
        yield Reading("meter_energy", {"meter": "production", "phase": "a"}, time, fields)


async def compare(service: Service, query: str):
    answer = await service.get(f"{PATH}?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_day_beside_the_day_before_of_another_length(service_with_sites: Service):
    """The 30th of March has 23 hours: the same power gives less energy then, and is no change."""
    begin, end = to_ms("2025-03-30"), to_ms("2025-04-01")
    await fill(service_with_sites, make_sunshine(begin, end, 1000.0), now=end + HOUR)
    answer = await compare(service_with_sites, "every=1d&start=2025-03-31&stop=2025-04&compare=before")
    earlier = answer["compared"]
    assert (answer["total"]["production_wh"], earlier["total"]["production_wh"]) == pytest.approx((24_000, 23_000))
    assert (earlier["which"], earlier["compared_windows"]) == ("before", 1)
    assert earlier["changes"]["production"] == pytest.approx(0.0, abs=1e-3)
    assert earlier["changes"]["imported"] is None, "there is no such meter"
    assert [window["start"] for window in earlier["windows"]] == [begin]


async def test_hours_that_go_on_are_compared_as_far_as_they_are_over(service_with_sites: Service):
    begin = to_ms("2025-05-01T06:00")
    middle, now = begin + 3 * HOUR, begin + 5 * HOUR + 30 * MINUTE
    morning = list(make_sunshine(begin, middle, 1000.0))
    await fill(service_with_sites, [*morning, *list(make_sunshine(middle, now, 1500.0, base=3000.0))[1:]], now=now)
    asked = f"every=1h&start={middle}&stop={middle + 3 * HOUR}"
    answer = await compare(service_with_sites, f"{asked}&compare=before")
    earlier = answer["compared"]
    assert [window["in_progress"] for window in answer["windows"]] == [False, False, True]
    assert earlier["compared_windows"] == 2
    assert earlier["changes"]["production"] == pytest.approx(0.5, abs=1e-2)
    assert earlier["total"]["production_wh"] == pytest.approx(3000.0)


async def test_a_time_without_readings_is_unknown_and_no_change(service_with_sites: Service):
    begin, end = to_ms("2025-05-01"), to_ms("2025-05-01T03:00")
    await fill(service_with_sites, make_sunshine(begin, end, 1000.0), now=end)
    earlier = (await compare(service_with_sites, f"every=1h&start={begin}&stop={end}&compare=year"))["compared"]
    assert [window["local_start"][:13] for window in earlier["windows"]] == [f"2024-05-01T0{hour}" for hour in range(3)]
    assert earlier["total"]["production_coverage"] == 0.0
    assert earlier["total"]["production_wh"] is None
    assert set(earlier["changes"].values()) == {None}


async def test_what_cannot_be_compared_says_so(service_with_sites: Service):
    await fill(
        service_with_sites, make_sunshine(to_ms("2025-05-01"), to_ms("2025-05-01T01:00"), 1.0), now=to_ms("2025-05-02")
    )
    for query, words in {
        "compare=week": "compare must be 'before' or 'year'",
        "compare=year&format=csv": "compare needs JSON",
        "compare=year&every=1y&start=1970-06": "start is too early for a comparison",
        "compare=before&start=2030&stop=2031": "start is in the future",
    }.items():
        answer = await service_with_sites.get(f"{PATH}?{query}")
        assert answer.status_code == 422, query
        assert answer.json()["detail"].startswith(words), answer.text
