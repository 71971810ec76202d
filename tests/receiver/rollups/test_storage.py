"""Roll-ups of a house whose battery no meter sees, and of hours in which a generator ran."""

import pytest

from receiver.rollups.compute import RawSeries, make_hour_rows, make_quarter_rows
from receiver.sites.model import NO_SITE
from receiver.stores.base import Point, SeriesPoints
from shared.readings import Series
from shared.units import HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.receiver.rollups.random_house import START
from tests.receiver.rollups.test_rows import make_counted, make_flat

STOP = START + QUARTER_MS


def make_series(kind, points):
    """A series without tags: time after the start of the quarter hour to fields."""
    return [SeriesPoints(Series.of(kind, {}), [Point(START + at, fields) for at, fields in sorted(points.items())])]


def make_storage(power=-3000.0, begin=-MINUTE_MS, end=QUARTER_MS + MINUTE_MS, **changes):
    """Batteries that are asked each minute."""
    fields = {"power": power, "batteries": 2.0, "measured": 2.0} | changes
    return make_series("storage", dict.fromkeys(range(begin, end + 1, MINUTE_MS), fields))


def make_ac_battery(serial, watts, times=range(-HOUR_MS, 2 * HOUR_MS, QUARTER_MS), jump_wh=0.0):
    """An AC Battery that charges, by what it counts: one point for each of its reports, seen by a poll soon after."""
    points = [
        Point(
            START + at + 20_000,
            {"discharged": 5e5, "charged": 6e5 + watts * at / HOUR_MS + (jump_wh if at >= 0 else 0.0)},
        )
        for at in times
    ]
    return SeriesPoints(Series.of("battery", {"battery": serial}), points)


def compute(storage=(), grid=(), generator=(), net=-1000.0, batteries=()):
    """The rows of the quarter hour of `battery-without-storage-ct`: sun 5 kW, export 1 kW, by power and counters."""
    raw = RawSeries(
        [make_flat("production", "a", 5000.0), make_flat("net-consumption", "a", net)],
        [
            make_counted("production", "a", 5000.0),
            make_counted("net-consumption", "a", max(net, 0.0), max(-net, 0.0)),
        ],
        [],
        [],
        storage,
        grid,
        generator,
        battery=batteries,
    )
    rows = make_quarter_rows(raw, NO_SITE, START, STOP)
    return {kind: [row.fields for row in rows if row.kind == kind] for kind in ("site_1m", "energy_15m")}


def test_the_battery_without_a_meter_takes_part_in_power_and_energy():
    found = compute(make_storage())
    assert len(found["site_1m"]) == 15
    assert all((row["load"], row["battery"], row["net"]) == (1000.0, -3000.0, -1000.0) for row in found["site_1m"])
    (energy,) = found["energy_15m"]
    assert energy["load"] == pytest.approx(250.0)
    assert (energy["charged"], energy["discharged"]) == (750.0, 0.0)
    assert energy["charged_coverage"] == energy["load_coverage"] == 1.0


def test_while_the_battery_is_not_known_neither_is_the_load_and_the_rest_stands():
    listed = {"batteries": 2.0, "measured": 0.0}
    found = compute(make_series("storage", {-HOUR_MS: listed}))
    assert all("load" not in row and row["net"] == -1000.0 for row in found["site_1m"])
    (energy,) = found["energy_15m"]
    assert "load" not in energy
    assert energy["production"] == pytest.approx(1250.0)
    assert energy["exported"] == pytest.approx(250.0)


def test_a_battery_of_which_the_capacity_alone_is_said_is_one_all_the_same():
    found = compute(make_series("storage", {-HOUR_MS: {"capacity": 10_000.0, "state_of_charge": 50.0}}))
    assert all("load" not in row and row["net"] == -1000.0 for row in found["site_1m"])
    assert "load" not in found["energy_15m"][0]


def test_energy_of_a_battery_that_is_known_for_a_part_is_of_that_part_and_so_is_the_load():
    found = compute(make_storage(end=5 * MINUTE_MS))
    (energy,) = found["energy_15m"]
    assert energy["charged_coverage"] == energy["load_coverage"] == pytest.approx(1 / 3)
    assert energy["charged"] == pytest.approx(250.0)
    assert energy["load"] == pytest.approx(1000.0 / 12)


def test_a_line_is_not_drawn_over_a_battery_that_fell_silent_in_between():
    both = make_storage()[0].points
    points = {time - START: fields for time, fields in both}
    points[5 * MINUTE_MS] = {"measured": 1.0, "batteries": 2.0}
    rows = compute(make_series("storage", points))["site_1m"]
    assert [index for index, row in enumerate(rows) if "load" not in row] == [4, 5]


def test_a_battery_that_was_not_listed_for_a_day_is_no_part_of_the_site():
    rows = compute(make_storage(begin=-25 * HOUR_MS, end=-25 * HOUR_MS))["site_1m"]
    assert {row["load"] for row in rows} == {4000.0}


@pytest.mark.parametrize(
    "states",
    [
        {"generator": make_series("generator", {-MINUTE_MS: {"running": 1.0}, QUARTER_MS: {"running": 0.0}})},
        {"generator": make_series("generator", {0: {"running": 0.0}, 3 * MINUTE_MS: {"running": 1.0}})},
        {"grid": make_series("grid", {0: {"mode": "generator"}, MINUTE_MS: {"mode": "connected"}})},
    ],
)
def test_a_quarter_hour_in_which_a_generator_ran_knows_neither_load_nor_trade(states):
    found = compute(make_storage(), **states)
    assert not any({"load", "net", "imported"} & row.keys() for row in found["site_1m"])
    assert all(row["production"] == 5000.0 for row in found["site_1m"])
    (energy,) = found["energy_15m"]
    assert not {"load", "imported", "exported"} & energy.keys()
    assert energy["production"] == pytest.approx(1250.0)


@pytest.mark.parametrize(
    "states",
    [
        {"generator": make_series("generator", {-HOUR_MS: {"running": 1.0}, -5 * MINUTE_MS: {"running": 0.0}})},
        {"grid": make_series("grid", {0: {"mode": "islanded"}})},
    ],
)
def test_a_generator_that_stopped_before_and_an_island_without_one_change_nothing(states):
    assert {row["load"] for row in compute(make_storage(), **states)["site_1m"]} == {1000.0}


@pytest.mark.parametrize(("net", "is_known"), [(2400.0, False), (150.0, True), (-800.0, True)])
def test_what_came_in_over_an_open_relay_was_no_purchase_whatever_is_said_of_a_generator(net, is_known):
    seen = make_series("grid", {-5 * MINUTE_MS: {"mode": "islanded"}, 4 * MINUTE_MS: {"mode": "islanded"}})
    found = compute(make_storage(), seen, net=net)
    assert all(("load" in row) is is_known for row in found["site_1m"])
    assert not any({"net", "imported", "exported"} & row.keys() for row in found["site_1m"])
    (energy,) = found["energy_15m"]
    assert energy.keys() >= {"production", "charged"}
    assert ("load" in energy) is is_known
    assert not {"imported", "exported", "self_consumption", "self_sufficiency"} & energy.keys()


def test_what_comes_in_when_the_relay_may_have_closed_again_is_bought():
    seen = make_series("grid", {-MINUTE_MS: {"mode": "islanded"}, MINUTE_MS: {"mode": "connected"}})
    assert compute(make_storage(), seen, net=2400.0)["energy_15m"][0]["imported"] == pytest.approx(600.0)


def test_of_an_hour_with_an_island_the_other_quarter_hours_know_what_was_bought():
    seen = make_series("grid", {-5 * MINUTE_MS: {"mode": "islanded"}, 4 * MINUTE_MS: {"mode": "islanded"}})
    raw = RawSeries(
        [make_flat("production", "a", 500.0), make_flat("net-consumption", "a", 150.0)],
        [],
        [],
        [],
        grid=seen,
    )
    (hour,) = (row.fields for row in make_hour_rows(raw, NO_SITE, START, START + HOUR_MS) if row.kind == "site_1h")
    assert (hour["imported"], hour["net"], hour["load"]) == (150.0, 150.0, 650.0)
    assert hour["coverage"] == pytest.approx(0.75)


def compute_ac(*batteries, count=2.0, end=STOP - START):
    """`energy_15m` of a house with AC Batteries, of which `count` are listed."""
    listed = {"batteries": count, "measured": 0.0}
    storage = make_series("storage", dict.fromkeys(range(-MINUTE_MS, end, MINUTE_MS), listed))
    (energy,) = compute(storage, batteries=batteries)["energy_15m"]
    return energy


def test_what_ac_batteries_gave_and_took_is_known_by_their_counters_and_the_load_is_not():
    energy = compute_ac(make_ac_battery("1", 200.0), make_ac_battery("2", 160.0))
    assert (energy["charged"], energy["discharged"]) == (pytest.approx(90.0), 0.0)
    assert energy["charged_coverage"] == energy["discharged_coverage"] == pytest.approx(1.0)
    assert "load" not in energy


def test_a_report_of_an_ac_battery_that_comes_late_is_counted_once():
    """It is seen half an hour later than usual, with the energy of both intervals in it."""
    late = make_ac_battery("1", 200.0, [-QUARTER_MS, QUARTER_MS, 2 * QUARTER_MS])
    energy = compute_ac(late, make_ac_battery("2", 160.0))
    assert energy["charged"] == pytest.approx(90.0)


def make_iq_battery(serial, watts, silent=(), begin=-MINUTE_MS, end=QUARTER_MS + MINUTE_MS):
    """An IQ Battery that is asked each minute: W now, and none at the times at which it is silent."""
    points = [
        Point(START + at, {"communicating": 0.0} if at in silent else {"communicating": 1.0, "power": watts})
        for at in range(begin, end + 1, MINUTE_MS)
    ]
    return SeriesPoints(Series.of("battery", {"battery": serial}), points)


def test_iq_batteries_beside_ac_batteries_are_known_by_their_power_and_these_by_their_counters():
    energy = compute_ac(
        make_ac_battery("1", 200.0), make_iq_battery("2", -1200.0), make_iq_battery("3", 400.0), count=3
    )
    assert (energy["charged"], energy["discharged"]) == (pytest.approx(50.0 + 300.0), pytest.approx(100.0))
    assert energy["charged_coverage"] == energy["discharged_coverage"] == pytest.approx(1.0)
    assert "load" not in energy  # AC Batteries say no power of this moment


def test_while_an_iq_battery_beside_an_ac_battery_is_silent_the_coverage_of_both_energies_says_so():
    silent = range(5 * MINUTE_MS, 10 * MINUTE_MS + 1, MINUTE_MS)
    energy = compute_ac(make_ac_battery("1", 200.0), make_iq_battery("2", -1200.0, silent))
    assert energy["charged_coverage"] == pytest.approx(8 / 15)
    assert energy["charged"] == pytest.approx(50.0 + 1200.0 * 8 / 60)


@pytest.mark.parametrize("beside", [[], [make_iq_battery("2", -1200.0, range(-MINUTE_MS, HOUR_MS))]])
def test_an_iq_battery_of_which_nothing_is_known_leaves_both_energies_unknown(beside):
    """A part is not the sum."""
    assert not {"charged", "discharged"} & compute_ac(make_ac_battery("1", 200.0), *beside).keys()


def test_a_counter_of_an_ac_battery_that_jumps_is_no_energy():
    energy = compute_ac(make_ac_battery("1", 200.0, jump_wh=498_200.0), count=1.0)
    assert energy["resets"] == 1.0
    assert energy["charged"] == pytest.approx(200.0 / 4 * 880 / 900)


def test_a_storage_meter_goes_before_the_counters_of_ac_batteries():
    raw = RawSeries(
        [make_flat("storage", "a", -300.0)],
        [make_counted("storage", "a", 0.0, 300.0)],
        [],
        [],
        make_series("storage", {-MINUTE_MS: {"batteries": 1.0, "measured": 0.0}}),
        battery=[make_ac_battery("1", 200.0)],
    )
    (energy,) = (row.fields for row in make_quarter_rows(raw, NO_SITE, START, STOP) if row.kind == "energy_15m")
    assert energy["charged"] == pytest.approx(75.0)
