"""Fields that only some points of a series have, and times of which no point has any."""

import pytest

from shared.readings import Reading
from tests.receiver.api.series_requests import HOUR, MINUTE, START, ask
from tests.receiver.service import GATEWAY, Service


async def test_a_point_without_the_field_is_no_point_of_the_answer(service_on_each_store: Service):
    """Corrections of meters need a second field, whose points came along and ended the question with an error."""
    tags = {"meter": "production", "phase": "a"}
    await service_on_each_store.send(
        Reading("meter_energy", tags, START, {"delivered": 1.0}),
        Reading("meter_energy", tags, START + 15 * MINUTE, {"delivered": 2.0, "received": 3.0}),
        Reading("meter_energy", tags, START + 30 * MINUTE, {"delivered": 4.0}),
    )
    answer = await ask(service_on_each_store, f"kind=meter_energy&field=received&start={START}")
    (series,) = answer.json()["series"]
    assert series["points"] == [{"timestamp": START + 15 * MINUTE, "value": 3.0}]


@pytest.mark.parametrize("length_s", [31, 90, 119])
async def test_a_short_gap_that_was_recorded_is_bridged_nowhere(service_on_each_store: Service, length_s: int):
    """100 W before and after; what was used meanwhile, nobody measured. The end of a gap may come late."""
    tags, gap = {"meter": "net-consumption", "phase": "a"}, START + 5 * MINUTE
    end = gap + length_s * 1000
    times = [*range(START, gap + 1, 5000), *range(end, START + 15 * MINUTE + 1, 5000)]
    service = service_on_each_store
    service.clock.ms = START + 20 * MINUTE
    await service.send(*(Reading("meter", tags, time, {"power": 100.0}) for time in times))
    await service.send(Reading("event", {"type": "gap"}, gap, {"reason": "no sample came"}), batch="ab", first=1000)
    await service.receiver.rollups.catch_up()
    await service.send(Reading("event", {"type": "gap"}, gap, {"end": float(end)}), batch="ac", first=1001)
    await service.receiver.rollups.catch_up()
    for every in ("15m", "900s"):
        asked = f"kind=meter&field=power&aggregate=integral&every={every}&start={START}&stop={START + 15 * MINUTE}"
        (series,) = (await ask(service, asked)).json()["series"]
        (window,) = series["windows"]
        assert window["coverage"] == pytest.approx(1 - length_s / 900, abs=1e-2)
        assert window["value"] == pytest.approx(100 * (900 - length_s) / 3600, rel=1e-2)
    answer = await service.get(f"/api/v1/gateways/{GATEWAY}/energy?every=15m&start={START}&stop={START + 15 * MINUTE}")
    (energy,) = answer.json()["windows"]
    assert energy["imported_coverage"] == pytest.approx(1 - length_s / 900, abs=1e-2)


async def test_a_recorded_gap_is_bridged_for_batteries_neither(service_on_each_store: Service):
    """100 W before and after 90 s of which nobody knows."""
    service, gap = service_on_each_store, START + 5 * MINUTE
    times = [*range(START, gap + 1, 5000), *range(gap + 90_000, START + 15 * MINUTE + 1, 5000)]
    service.clock.ms = START + 20 * MINUTE
    await service.send(*(Reading("storage", {}, time, {"power": 100.0, "state_of_charge": 50.0}) for time in times))
    ended: dict[str, float | str] = {"reason": "no sample came", "end": float(gap + 90_000)}
    await service.send(Reading("event", {"type": "gap"}, gap, ended), batch="ab", first=1000)
    asked = f"kind=storage&field=power&aggregate=integral&every=15m&start={START}&stop={START + 15 * MINUTE}"
    (series,) = (await ask(service, asked)).json()["series"]
    (window,) = series["windows"]
    assert window["coverage"] == pytest.approx(0.9, abs=1e-2)
    assert window["value"] == pytest.approx(22.5, rel=1e-2)


async def test_after_the_sum_of_a_meter_its_phases_are_summed_and_nothing_is_unknown_for_it(
    service_on_each_store: Service,
):
    """A gateway that refused its meters for half an hour, and gave their sums instead."""
    service, change = service_on_each_store, START + 30 * MINUTE
    service.clock.ms = START + 61 * MINUTE
    watts = {"eim": 900.0, "a": 400.0, "b": 300.0}
    spans = {"eim": range(START, change, MINUTE)} | dict.fromkeys("ab", range(change, START + 60 * MINUTE + 1, MINUTE))
    await service.send(
        *(
            Reading("meter", {"meter": "production", "phase": phase}, time, {"power": watts[phase]})
            for phase, times in spans.items()
            for time in times
        )
    )
    asked = f"kind=meter&field=power&group_by=meter&every=15m&start={START}&stop={START + 60 * MINUTE}"
    (series,) = (await ask(service, asked)).json()["series"]
    assert [window["value"] for window in series["windows"]] == [900.0, 900.0, 700.0, 700.0]


@pytest.mark.parametrize("length_s", [31, 119, 121, 400])
async def test_a_gap_whose_end_comes_late_is_bridged_by_no_counter_of_reports(
    service_on_each_store: Service, length_s: int
):
    """A gateway without meters: the total is asked each minute, and what lies in the gap is known in sum alone."""
    service, gap = service_on_each_store, START + 2 * MINUTE
    end = gap + length_s * 1000
    service.clock.ms = START + 20 * MINUTE
    times = [*range(START - 2 * MINUTE, gap + 1, MINUTE), *range(end, START + 16 * MINUTE, MINUTE)]
    totals = [
        Reading(
            "production", {"source": "api"}, time, {"power": 360.0, "energy_lifetime": 1e6 + (time - START) / 10_000}
        )
        for time in times
    ]
    await service.send(*totals)
    await service.receiver.rollups.catch_up()
    ended: dict[str, float | str] = {"reason": "no sample came", "end": float(end)}
    await service.send(Reading("event", {"type": "gap"}, gap, ended), batch="ab", first=1000)
    await service.receiver.rollups.catch_up()
    asked = f"every=15m&start={START}&stop={START + 15 * MINUTE}"
    (series,) = (await ask(service, f"kind=production&field=energy_lifetime&{asked}")).json()["series"]
    (window,) = series["windows"]
    answer = await service.get(f"/api/v1/gateways/{GATEWAY}/energy?{asked}")
    (energy,) = answer.json()["windows"]
    assert (window["value"], energy["production_wh"]) == (pytest.approx(90.0), pytest.approx(90.0))
    assert window["coverage"] == pytest.approx(1 - length_s / 900)
    assert energy["production_coverage"] == pytest.approx(1 - length_s / 900)


@pytest.mark.parametrize("length_s", [31, 90, 119, 121])
async def test_of_a_kettle_in_a_cut_the_counters_know_and_a_line_would_not(
    service_on_each_store: Service, length_s: int
):
    """200 W before and after, 1,628 W meanwhile. In 90 s that were 40.7 Wh; a line makes 5.0 of it, and says it knows."""
    service, gap = service_on_each_store, START + 5 * MINUTE
    end, stop = gap + length_s * 1000, START + 15 * MINUTE
    service.clock.ms = START + 20 * MINUTE

    def count(time: int) -> float:
        inside = min(max(time - gap, 0), end - gap)
        return 5e5 + (200 * (time - START - inside) + 1628 * inside) / HOUR

    tags = {"meter": "net-consumption", "phase": "a"}
    read = [time for time in range(START - MINUTE, stop + MINUTE, 5000) if not gap < time < end] + [end]
    counters = [time for time in range(START - MINUTE, stop + MINUTE + 1, MINUTE) if not gap < time < end] + [end]
    await service.send(
        *(Reading("meter", tags, time, {"power": 200.0}) for time in read),
        *(Reading("meter_energy", tags, time, {"delivered": count(time), "received": 3.0}) for time in counters),
        Reading("event", {"type": "gap"}, gap, {"reason": "no sample came", "end": float(end)}),
    )
    await service.receiver.rollups.catch_up()
    asked = f"every=15m&start={START}&stop={stop}"
    (energy,) = (await service.get(f"/api/v1/gateways/{GATEWAY}/energy?{asked}")).json()["windows"]
    (counted,) = (await ask(service, f"kind=meter_energy&field=delivered&{asked}")).json()["series"]
    (drawn,) = (await ask(service, f"kind=meter&field=power&aggregate=integral&{asked}")).json()["series"]
    around, cut = 200 * (900 - length_s) / 3600, 1628 * length_s / 3600
    assert cut == pytest.approx(40.7) or length_s != 90
    for value, coverage in (
        (energy["imported_wh"], energy["imported_coverage"]),
        (counted["windows"][0]["value"], counted["windows"][0]["coverage"]),
    ):
        assert value == pytest.approx(around + cut, abs=0.01)
        assert coverage == pytest.approx(1 - length_s / 900, abs=1e-3)
    assert drawn["windows"][0]["value"] == pytest.approx(around, abs=0.01)
    assert drawn["windows"][0]["coverage"] == pytest.approx(1 - length_s / 900, abs=1e-3)
