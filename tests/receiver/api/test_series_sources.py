"""Where answers come from makes no difference: roll-ups or readings, one store or the other, a meter set up wrongly."""

import math
import random

import pytest

from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver.api.conftest import StartOver
from tests.receiver.api.series_requests import (
    HOUR,
    MINUTE,
    START,
    ask,
    ask_refused,
    group_by_tags,
    list_points,
    make_counter,
    make_power,
)
from tests.receiver.service import GATEWAY, Service, make_inverter

SITES = f"""
"{GATEWAY}":
  time_zone: Europe/Berlin
  meters:
    production: {{role: net-consumption, reversed: [a]}}
    net-consumption: {{role: production, reversed: [a]}}
    storage: {{role: ignore}}
"""


def make_readings(seed: int = 1) -> list[list[Reading]]:
    """Two hours of three meters, with points where something happens, a gap of ten minutes, counters and panels."""
    dice = random.Random(seed)
    sent = []
    for meter in ("production", "net-consumption", "storage"):
        for phase in "ab":
            time = START + dice.randrange(3000)
            while time < START + 2 * HOUR:
                value = round(dice.uniform(-3000, 3000), 3)
                sent.append(make_power(time, value, meter=meter, phase=phase, voltage=round(dice.uniform(225, 240), 2)))
                in_gap = START + 40 * MINUTE < time < START + 50 * MINUTE
                time += 10 * MINUTE if in_gap else dice.randrange(1000, 90_000)
    for phase in "ab":
        sent += [
            make_counter(START + minute * MINUTE, 1000 + minute * 7.25, minute * 0.5, phase=phase)
            for minute in range(120)
            if minute % 50
        ]
    for panel in "123":
        sent += [
            make_inverter(panel, START + minute * MINUTE + int(panel) * 7000, power=dice.uniform(0, 300))
            for minute in range(5, 120, 5)
        ]
    return [sent[first : first + 400] for first in range(0, len(sent), 400)]


async def fill(service: Service) -> None:
    for number, readings in enumerate(make_readings()):
        await service.send(*readings, batch=f"b{number}")


QUERIES = [
    *(f"kind=meter&field=power&every={every}&aggregate={aggregate}&start={START}&stop={START + 3 * HOUR}&fill=null"
      for every in ("1m", "15m", "1h", "1d", "7m") for aggregate in ("mean", "min", "max", "integral", "last")),
    f"kind=meter&field=power&every=5m&group_by=meter&start={START}",
    f"kind=meter&field=voltage&every=1h&start={START}",
    f"kind=meter_energy&field=delivered&every=15m&group_by=&start={START}",
    f"kind=meter_energy&field=received&every=1h&start={START}",
    f"kind=inverter&field=power&every=15m&group_by=&start={START}&fill=linear",
    f"kind=inverter&field=power&every=1m&inverter=2&start={START}&fill=previous",
    f"kind=meter&field=power&start={START}&limit=200",
    f"kind=site_1m&field=load&start={START}",
    f"kind=energy_15m&field=production&start={START}",
    f"kind=meter_1h&field=power_max&start={START}",
    f"kind=meter&field=power&start={START}&limit=200&format=csv",
]  # fmt: skip


async def test_both_stores_answer_alike_to_the_last_digit(start_over: StartOver):
    """Byte by byte, from readings and from roll-ups."""
    async with start_over("sqlite") as one, start_over("influxdb") as other:
        for service in (one, other):
            await fill(service)
        for is_rolled_up in (False, True):
            for query in QUERIES:
                assert (await ask(one, query)).text == (await ask(other, query)).text, (query, is_rolled_up)
            for service in (one, other):
                service.clock.advance(7200)
                await service.receiver.rollups.catch_up()


async def test_stored_hours_say_what_their_readings_say(service_on_each_store: Service):
    """Min, max and coverage are the very same; mean and integral up to the rounding of the last digits."""
    await fill(service_on_each_store)
    queries = [query for query in QUERIES[:25] if "last" not in query and "7m" not in query]
    before = {query: group_by_tags((await ask(service_on_each_store, query)).json()) for query in queries}
    service_on_each_store.clock.advance(7200)
    await service_on_each_store.receiver.rollups.catch_up()
    unsettled = service_on_each_store.receiver.rollups.store.list_unsettled
    assert unsettled(GATEWAY, START, START + 2 * HOUR) == []
    for query, wanted in before.items():
        found = group_by_tags((await ask(service_on_each_store, query)).json())
        assert found.keys() == wanted.keys()
        for series, windows in wanted.items():
            for (start, value, coverage), (at, got, share) in zip(windows, found[series], strict=True):
                assert (start, coverage) == (at, pytest.approx(share, abs=1e-12))
                assert got == value or math.isclose(got, value, rel_tol=1e-9, abs_tol=1e-9)
                assert got == value or not ("min" in query or "max" in query)


async def test_hours_are_not_taken_where_a_reading_is_new(service: Service):
    """A late reading counts at once, not only when the roll-ups have seen it."""
    await fill(service)
    service.clock.advance(7200)
    await service.receiver.rollups.catch_up()
    query = f"kind=meter&field=power&every=1h&aggregate=max&meter=production&phase=a&start={START}&stop={START + HOUR}"
    await service.send(make_power(START + 30 * MINUTE + 17, 9999.0))
    assert group_by_tags((await ask(service, query)).json())["production a"][0][1] == 9999.0


async def test_a_history_that_is_being_rolled_up_is_answered_from_readings(service: Service):
    """Nothing is settled before the roll-ups have met a gateway, or where they have not come yet."""
    marking = service.receiver.rollups.store
    assert marking.list_unsettled("122399999999", 0, HOUR) == [(0, HOUR)]
    await fill(service)
    assert marking.list_unsettled(GATEWAY, START, START + HOUR) == [(START, START + HOUR)]
    await service.receiver.rollups.catch_up()
    gateway = marking.get_marks(GATEWAY)
    assert gateway.state is not None
    service.clock.advance(7200)
    await service.receiver.rollups.catch_up()
    gateway.state = gateway.state._replace(backfill_until=START + HOUR)
    assert marking.list_unsettled(GATEWAY, START - HOUR, START + 2 * HOUR) == [(START - HOUR, START + HOUR)]
    gateway.fresh = {START + HOUR + 30 * MINUTE}
    assert marking.list_unsettled(GATEWAY, START, START + 3 * HOUR) == [
        (START, START + HOUR), (START + HOUR + 15 * MINUTE, START + 2 * HOUR)
    ]  # fmt: skip


@pytest.mark.parametrize("rolled_up", [False, True])
async def test_meters_are_shown_as_the_sites_file_corrects_them(start_over: StartOver, tmp_path, rolled_up):
    """Roles swapped, phase a reversed: the sign turns, min and max change places, delivered is received."""
    sites = tmp_path / "sites.yaml"
    sites.write_text(SITES)
    async with start_over("sqlite", sites_file=sites) as service:
        for meter, watts in (("production", 100.0), ("storage", 1.0)):
            for phase in "ab":
                await service.send(
                    *(make_power(START + 30_000 * half, watts + half, meter=meter, phase=phase) for half in range(11))
                )
        await service.send(make_counter(START, 100.0, 7.0), make_counter(START + MINUTE, 110.0, 8.0))
        if rolled_up:
            service.clock.advance(7200)
            await service.receiver.rollups.catch_up()
        base = f"kind=meter&field=power&start={START}&stop={START + 5 * MINUTE}"
        for aggregate, value in (("mean", 105.0), ("min", 100.0), ("max", 110.0)):
            found = group_by_tags((await ask(service, f"{base}&every=5m&aggregate={aggregate}")).json())
            turned = {"mean": -105.0, "min": -110.0, "max": -100.0}[aggregate]
            assert found == {"net-consumption a": [(0, turned, 1.0)], "net-consumption b": [(0, value, 1.0)]}
        answer = (await ask(service, f"{base}&meter=net-consumption&phase=a&limit=1")).json()
        assert list_points(answer) == [(START, "net-consumption a", -100.0)]
        assert (await ask(service, f"{base}&meter=storage")).json()["series"] == []
        assert (await ask(service, f"{base}&meter=production")).json()["series"] == []
        energy = f"kind=meter_energy&start={START}&stop={START + 5 * MINUTE}&every=5m&meter=production"
        for field, wh in (("delivered", 1.0), ("received", 10.0)):
            assert group_by_tags((await ask(service, f"{energy}&field={field}")).json()) == {
                "production a": [(0, wh, 0.2)]
            }
        assert (await ask(service, base)).json()["time_zone"] == "Europe/Berlin"


async def test_what_hours_can_answer_may_be_asked_of_years(service: Service):
    """The same question of every reading is too much, and says so."""
    await service.send(
        *(make_power(NOW_MS - second * 1000, 5.0, phase=phase) for second in range(60) for phase in "abc")
    )
    service.clock.advance(7200)
    await service.receiver.rollups.catch_up()
    query = "kind=meter&field=power&every=1mo&start=-10y&time_zone=Europe/Berlin"
    assert len((await ask(service, query)).json()["series"]) == 3
    assert "too far back" in await ask_refused(service, f"{query}&aggregate=last")
    of_sums = await ask_refused(service, f"{query}&group_by=meter")
    assert "too far back" in of_sums
    assert "meter_1h" not in of_sums, "its hours are of single phases"
    future = "kind=inverter&field=power&every=1d&stop=2100-01-01&fill=null"
    await service.send(make_inverter("1"))
    assert len((await ask(service, future)).json()["series"][0]["windows"]) == 27_113
