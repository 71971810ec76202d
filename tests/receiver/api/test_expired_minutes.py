"""Where minutes have expired, hours answer and the answer says so, over both stores."""

from typing import Any

import pytest

from receiver.rollups.expired_minutes import count_expired_days
from receiver.stores.kinds import HOURS_OF
from tests.receiver.api.conftest import StartOver
from tests.receiver.api.series_requests import HOUR, MINUTE, START, ask, group_by_tags, list_points, make_power
from tests.receiver.service import GATEWAY, Service
from tests.receiver.stores.store_factories import STORES

DAY = 24 * HOUR
RANGE = f"start={START}&stop={START + HOUR}"


async def fill(service: Service) -> None:
    """An hour of 600 W, and what the roll-ups make of it."""
    await service.send(*(make_power(START + minute * MINUTE, 600.0) for minute in range(61)))
    service.clock.advance(7200)
    await service.receiver.rollups.catch_up()


async def read_stored(service: Service, kind: str) -> list[int]:
    found = await service.receiver.store.read_points(GATEWAY, kind, start=0, stop=START + 99 * DAY)
    return [point.timestamp for series in found for point in series.points]


@pytest.mark.parametrize("store", STORES)
async def test_hours_stand_in_for_expired_minutes(start_over: StartOver, store: str) -> None:
    async with start_over(store, minute_days=2, meter_days=0) as service:
        await fill(service)
        before = (await ask(service, f"kind=site_1m&field=production&{RANGE}")).json()
        assert (before["kind"], before["note"], len(list_points(before))) == ("site_1m", None, 60)
        service.clock.advance(4 * 86_400)
        await service.receiver.rollups.run_once()
        for kind, hours in HOURS_OF.items():
            assert await read_stored(service, kind) == []
            answer = (await ask(service, f"kind={kind}&field=coverage&{RANGE}")).json()
            assert (answer["kind"], answer["next"]) == (hours, None)
            assert answer["note"] == f"Minutes of that time have expired: these are hours ({hours})."
            assert [(time, value) for time, _, value in list_points(answer)] == [(START, 1.0)]
        table = await ask(service, f"kind=site_1m&field=production&{RANGE}&format=csv")
        assert table.headers["x-note"] == "Minutes of that time have expired: these are hours (site_1h)."
        assert table.text.splitlines()[1].endswith(",600.0")


@pytest.mark.parametrize("store", STORES)
async def test_short_windows_of_a_time_without_readings_become_hours(start_over: StartOver, store: str) -> None:
    """As long as readings are kept, they answer what minutes did."""
    query = f"kind=meter&field=power&every=15m&{RANGE}"
    async with start_over(store, minute_days=2, meter_days=0) as service:
        await fill(service)
        service.clock.advance(4 * 86_400)
        await service.receiver.rollups.run_once()
        answer = (await ask(service, query)).json()
        assert (answer["every"], answer["note"]) == ("15m", None)
        assert group_by_tags(answer) == {"production a": [(start, 600.0, 1.0) for start in (0, 15, 30, 45)]}
    async with start_over(store, minute_days=2, meter_days=3) as service:
        await fill(service)
        service.clock.advance(4 * 86_400)
        await service.send(make_power(service.clock.now_ms(), 600.0))
        await service.receiver.rollups.catch_up()
        answer = (await ask(service, query)).json()
        assert (answer["every"], answer["note"]) == (
            "1h",
            "Minutes and readings of that time have expired: these are hours.",
        )
        assert group_by_tags(answer) == {"production a": [(0, 600.0, 1.0)]}


@pytest.mark.parametrize("store", STORES)
async def test_late_readings_make_no_minutes_that_have_expired(start_over: StartOver, store: str) -> None:
    """What came late of a time whose minutes are gone counts in hours and energies alone."""
    async with start_over(store, minute_days=2, meter_days=0) as service:
        service.clock.advance(5 * 86_400)
        await service.send(*(make_power(START + minute * MINUTE, 600.0) for minute in range(61)))
        await service.receiver.rollups.catch_up()
        assert [await read_stored(service, kind) for kind in HOURS_OF] == [[], []]
        assert await read_stored(service, "site_1h") == [START]


async def test_what_waits_to_be_deleted_is_counted(start_over: StartOver) -> None:
    """For the log and for `check`: an upgrade finds years of minutes."""
    async with start_over("sqlite", minute_days=0, meter_days=0) as service:
        await fill(service)
        now_ms = START + 100 * DAY
        store: Any = service.receiver.store
        assert await count_expired_days(store, [GATEWAY], now_ms) == 0
    async with start_over("sqlite", minute_days=60, meter_days=0) as service:
        store = service.receiver.store
        assert await count_expired_days(store, [GATEWAY], now_ms) == 40
        assert await count_expired_days(store, [GATEWAY], START + 60 * DAY) == 0
