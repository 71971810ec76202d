"""Any field over time: the same answers over every store."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver.api.series_requests import (
    HOUR,
    MINUTE,
    START,
    ask,
    ask_refused,
    ask_windows,
    group_by_tags,
    make_counter,
    make_power,
)
from tests.receiver.service import GATEWAY, Service, make_inverter


def make_ramp(*, phase: str = "a", factor: float = 1.0) -> list[Reading]:
    """From 0 W to 600 W in ten minutes, a point each minute, then silence."""
    return [make_power(START + minute * MINUTE, 60.0 * minute * factor, phase=phase) for minute in range(11)]


async def test_means_are_weighted_by_time_and_say_what_they_know(service_on_each_store: Service):
    """A line from 0 to 600 W over ten minutes of an hour: its mean is 300 W, known for a sixth of the hour."""
    await service_on_each_store.send(*make_ramp())
    assert await ask_windows(service_on_each_store, "every=1h") == {"production a": [(0, 300.0, 1 / 6)]}
    assert await ask_windows(service_on_each_store, "every=5m") == {"production a": [(0, 150.0, 1.0), (5, 450.0, 1.0)]}
    answer = (
        await ask(
            service_on_each_store, f"kind=meter&field=power&every=1h&start={START + MINUTE}&stop={START + 2 * MINUTE}"
        )
    ).json()
    assert {name: answer[name] for name in answer if name != "series"} == {
        "gateway": GATEWAY, "kind": "meter", "field": "power", "unit": "W", "time_zone": "UTC", "every": "1h",
        "aggregate": "mean", "start": START + MINUTE, "stop": START + 2 * MINUTE, "note": None, "next": None,
    }  # fmt: skip


async def test_a_range_is_widened_to_whole_windows(service_on_each_store: Service):
    await service_on_each_store.send(*make_ramp())
    query = f"kind=meter&field=power&every=5m&start={START + MINUTE}&stop={START + 6 * MINUTE}"
    assert group_by_tags((await ask(service_on_each_store, query)).json()) == {
        "production a": [(0, 150.0, 1.0), (5, 450.0, 1.0)]
    }


@pytest.mark.parametrize(
    ("aggregate", "value"), [("mean", 300.0), ("min", 0.0), ("max", 600.0), ("last", 600.0), ("integral", 50.0)]
)
async def test_every_aggregate_of_a_line(service_on_each_store: Service, aggregate: str, value: float):
    """300 W for ten minutes are 50 Wh."""
    await service_on_each_store.send(*make_ramp())
    answer = (
        await ask(service_on_each_store, f"kind=meter&field=power&every=1h&start={START}&aggregate={aggregate}")
    ).json()
    assert answer["unit"] == ("Wh" if aggregate == "integral" else "W")
    assert group_by_tags(answer) == {"production a": [(0, value, 1 / 6)]}


async def test_sums_are_known_where_all_phases_are(service_on_each_store: Service):
    """Phase b is silent in the second half, so nobody knows the sum of it."""
    await service_on_each_store.send(*make_ramp(), *make_ramp(phase="b", factor=2.0)[:6])
    assert await ask_windows(service_on_each_store, "every=5m&group_by=meter") == {"production": [(0, 450.0, 1.0)]}
    assert await ask_windows(service_on_each_store, "every=5m&group_by=") == {"": [(0, 450.0, 1.0)]}
    assert await ask_windows(service_on_each_store, "every=5m&group_by=meter,phase") == {
        "production a": [(0, 150.0, 1.0), (5, 450.0, 1.0)],
        "production b": [(0, 300.0, 1.0)],
    }
    assert await ask_windows(service_on_each_store, "every=5m&group_by=meter&phase=a") == {
        "production": [(0, 150.0, 1.0), (5, 450.0, 1.0)]
    }


async def test_a_dead_panel_does_not_hide_the_others(service_on_each_store: Service):
    """A sum of inverters is of those that say something in the window."""
    for minute in (5, 10, 15):
        await service_on_each_store.send(
            make_inverter("1", START + minute * MINUTE, power=100.0, interval=300.0),
            *([make_inverter("2", START + minute * MINUTE, power=50.0, interval=300.0)] if minute < 15 else []),
        )
    query = f"kind=inverter&field=power&every=5m&start={START}&stop={START + 15 * MINUTE}&group_by="
    assert group_by_tags((await ask(service_on_each_store, query)).json()) == {
        "": [(0, 150.0, 1.0), (5, 150.0, 1.0), (10, 100.0, 1.0)]
    }


async def test_reports_are_means_of_the_time_before_them(service_on_each_store: Service):
    """A report of 200 W over the last ten minutes is known in those, and in no other."""
    await service_on_each_store.send(make_inverter("1", START + 15 * MINUTE, power=200.0, interval=600.0))
    query = f"kind=inverter&field=power&every=5m&start={START}&stop={START + 20 * MINUTE}"
    assert group_by_tags((await ask(service_on_each_store, query)).json()) == {"1": [(5, 200.0, 1.0), (10, 200.0, 1.0)]}


async def test_counters_tell_their_increase_and_never_guess_when(service_on_each_store: Service):
    """60 Wh in two minutes; then 100 Wh somewhere in a gap over two boundaries, which is unallocated where it ends."""
    await service_on_each_store.send(
        make_counter(START, 1000.0), make_counter(START + 2 * MINUTE, 1060.0), make_counter(START + 12 * MINUTE, 1160.0)
    )
    query = f"kind=meter_energy&field=delivered&start={START}&stop={START + 15 * MINUTE}"
    answer = (await ask(service_on_each_store, f"{query}&every=5m")).json()
    assert (answer["aggregate"], answer["unit"]) == ("integral", "Wh")
    (entry,) = answer["series"]
    assert entry["windows"] == [
        {"start": START, "stop": START + 5 * MINUTE, "value": 60.0, "coverage": 0.4, "unallocated": 0.0},
        {
            "start": START + 10 * MINUTE,
            "stop": START + 15 * MINUTE,
            "value": None,
            "coverage": 0.0,
            "unallocated": 100.0,
        },
    ]
    (entry,) = (await ask(service_on_each_store, f"{query}&every=15m")).json()["series"]
    assert [window["value"] for window in entry["windows"]] == [160.0]
    (entry,) = (await ask(service_on_each_store, f"{query}&every=5m&aggregate=last")).json()["series"]
    assert [window["value"] for window in entry["windows"]] == [1060.0, 1160.0]


async def test_states_hold_until_the_next_one_and_not_beyond_now(service_on_each_store: Service):
    """Numbers and texts alike."""
    hour = START + 2 * HOUR
    for time, firmware, rows in ((hour, "D7", 4.0), (hour + 30 * MINUTE, "D8", 8.0)):
        await service_on_each_store.send(Reading("gateway", {}, time, {"firmware": firmware, "outbox_rows": rows}))
    now = (NOW_MS - hour) / MINUTE
    query = f"kind=gateway&start={START}&stop={START + 9 * HOUR}&every=1h"
    assert group_by_tags((await ask(service_on_each_store, f"{query}&field=firmware")).json()) == {
        "": [(120, "D8", pytest.approx(now / 60))]
    }
    answer = (await ask(service_on_each_store, f"{query}&field=outbox_rows&aggregate=mean")).json()
    assert group_by_tags(answer)[""] == [(120, pytest.approx((4 * 30 + 8 * (now - 30)) / now), pytest.approx(now / 60))]
    assert "aggregate must be one of last" in await ask_refused(
        service_on_each_store, f"{query}&field=firmware&aggregate=mean"
    )


async def test_days_in_which_the_clock_changes_have_23_and_25_hours(service_on_each_store: Service):
    """In Berlin: a panel that gives 100 W through such a day makes 2.3 or 2.5 kWh."""
    service_on_each_store.clock.ms = 1_761_600_000_000  # two days after the autumn change
    for day, hours in (
        (datetime(2025, 3, 30, tzinfo=ZoneInfo("Europe/Berlin")), 23),
        (datetime(2025, 10, 26, tzinfo=ZoneInfo("Europe/Berlin")), 25),
    ):
        first = round(day.timestamp() * 1000)
        await service_on_each_store.send(
            *(make_inverter("1", first + quarter * 15 * MINUTE, power=100.0) for quarter in range(hours * 4 + 1))
        )
        following = (day + timedelta(days=1)).date()
        query = f"kind=inverter&field=power&time_zone=Europe/Berlin&start={day.date()}&stop={following}"
        (entry,) = (await ask(service_on_each_store, f"{query}&every=1h")).json()["series"]
        assert [window["value"] for window in entry["windows"]] == [100.0] * hours
        assert [window["stop"] - window["start"] for window in entry["windows"]] == [HOUR] * hours
        (entry,) = (await ask(service_on_each_store, f"{query}&every=1d&aggregate=integral")).json()["series"]
        assert [(window["value"], window["coverage"]) for window in entry["windows"]] == [(100.0 * hours, 1.0)]
