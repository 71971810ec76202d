"""Each panel beside its peers: silent, dead, gone, weak, at its limit."""

import pytest

from receiver.rollups.panel_days import make_panel_day_rows
from receiver.rollups.panels import make_panel_rows
from receiver.sites.load import parse
from receiver.stores.base import Point, SeriesPoints
from receiver.stores.kinds import DERIVED
from shared.readings import FieldValue, Reading, Series
from tests.receiver.energy.reference import approximate

MINUTE = 60_000
QUARTER = 15 * MINUTE
HOUR = 4 * QUARTER
DAY = 24 * HOUR
NOON = 20_000 * DAY + 12 * HOUR
NO_SITE = parse(b"1:")["1"]


def make_inverter(serial: str, *reports: tuple[int, float], **fields: FieldValue) -> SeriesPoints:
    """Reports of (UTC ms, W)."""
    points = [Point(time, {"power": power, **fields}) for time, power in reports]
    return SeriesPoints(Series("inverter", (("inverter", serial),)), points)


def make_constant_inverter(
    serial: str, power: float, *, start: int = NOON - 2 * HOUR, stop: int = NOON + 2 * HOUR, **fields: FieldValue
):
    return make_inverter(serial, *((time, power) for time in range(start, stop + 1, QUARTER)), **fields)


def make_rows(inverters, site=NO_SITE, start=NOON, stop=NOON + QUARTER) -> dict[str, dict[str, FieldValue]]:
    found = make_panel_rows(inverters, site, range(start, stop + 1, QUARTER))
    assert all(row.fields.keys() <= DERIVED["panel_15m"].fields.keys() for row in found)
    return {row.tags["inverter"]: row.fields for row in found}


def test_a_report_is_a_mean_over_the_time_before_it():
    found = make_rows(
        [
            make_inverter(
                "1", (NOON - QUARTER, 80.0), (NOON, 100.0), (NOON + 10 * MINUTE, 160.0), (NOON + 20 * MINUTE, 100.0)
            )
        ]
    )
    assert found["1"] == {
        "coverage": 1.0,
        "dead": 0.0,
        "power": approximate((160 * 10 + 100 * 5) / 15),
        "energy": approximate((160 * 10 + 100 * 5) / 60),
    }


def test_a_report_speaks_of_its_interval_only():
    found = make_rows([make_inverter("1", (NOON, 100.0), (NOON + 10 * MINUTE, 160.0), interval=300.0)])
    assert (found["1"]["power"], found["1"]["coverage"]) == (160.0, approximate(1 / 3))


def test_energy_comes_from_the_lifetime_counter_where_there_is_one():
    points = [Point(NOON + n * QUARTER, {"power": 100.0, "energy_lifetime": 5e5 + 26.0 * n}) for n in range(-1, 3)]
    counted = SeriesPoints(Series("inverter", (("inverter", "1"),)), points)
    assert make_rows([counted])["1"]["energy"] == approximate(26.0)


def test_peers_are_the_others_of_the_array():
    site = parse(b"1: {panels: {1: {name: East 1, array: East}, 2: {array: East}, 3: {array: East}, 4: {name: Shed}}}")[
        "1"
    ]
    inverters = [make_constant_inverter(str(serial), 100.0 * serial) for serial in range(1, 6)]
    found = make_panel_rows(inverters, site, [NOON, NOON + QUARTER])
    assert [row.tags for row in found[:2]] == [
        {"inverter": "1", "panel": "East 1", "array": "East"},
        {"inverter": "2", "panel": "2", "array": "East"},
    ]
    assert found[3].tags == {"inverter": "4", "panel": "Shed", "array": "-"}
    assert [row.fields["peers"] for row in found] == [250.0, 200.0, 150.0, 500.0, 400.0]
    (alone,) = make_panel_rows(inverters[:1], site, [NOON, NOON + QUARTER])[:1]
    assert "peers" not in alone.fields


def test_a_silent_panel_is_dead_while_its_peers_produce():
    silent = make_constant_inverter("1", 100.0, stop=NOON - HOUR)
    found = make_rows([silent, make_constant_inverter("2", 90.0), make_constant_inverter("3", 110.0)])
    assert found["1"] == {"coverage": 0.0, "dead": 1.0, "peers": 100.0}
    assert (found["2"]["dead"], found["3"]["dead"]) == (0.0, 0.0)


def test_a_panel_that_reports_nothing_but_zero_is_dead():
    found = make_rows([make_constant_inverter("1", 0.0), make_constant_inverter("2", 90.0)])
    assert (found["1"]["dead"], found["1"]["power"]) == (1.0, 0.0)


def test_a_report_that_may_still_be_on_its_way_is_no_death():
    late = make_inverter("1", (NOON - 16 * MINUTE, 100.0), (NOON - MINUTE, 100.0))
    assert make_rows([late, make_constant_inverter("2", 90.0)])["1"] == {"coverage": 0.0, "dead": 0.0, "peers": 90.0}


def test_at_night_nobody_is_dead():
    assert (
        make_rows(
            [make_constant_inverter("1", 100.0), make_constant_inverter("2", 90.0)],
            start=NOON + 9 * HOUR,
            stop=NOON + 10 * HOUR,
        )
        == {}
    )
    dusk = [make_constant_inverter("1", 0.0), make_constant_inverter("2", 5.0), make_constant_inverter("3", 40.0)]
    assert [fields["dead"] for fields in make_rows(dusk).values()] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("days", "is_there"), [(29, True), (31, False)])
def test_after_thirty_days_a_silent_panel_is_gone(days, is_there):
    gone = make_inverter("1", (NOON - days * DAY, 7.0))
    assert ("1" in make_rows([gone, make_constant_inverter("2", 90.0)])) is is_there


def test_a_named_panel_that_never_reported_is_missed_and_one_that_is_yet_to_come_is_not():
    site = parse(b"1: {panels: {7: {name: New}}}")["1"]
    assert make_rows([make_constant_inverter("2", 90.0)], site)["7"]["dead"] == 1.0
    assert "7" not in make_rows([make_constant_inverter("2", 90.0), make_inverter("7", (NOON + DAY, 80.0))], site)


def make_quarters(found: list[Reading]) -> list[SeriesPoints]:
    """Rows of `panel_15m` as a store gives them."""
    series: dict[Series, list[Point]] = {}
    for row in found:
        series.setdefault(row.series, []).append(Point(row.timestamp, row.fields))
    return [SeriesPoints(key, series[key]) for key in sorted(series)]


def make_days(
    inverters, site=NO_SITE, start=NOON - 12 * HOUR, stop=NOON + 12 * HOUR
) -> dict[str, dict[str, FieldValue]]:
    stored = make_quarters(make_panel_rows(inverters, site, range(start, stop + 1, QUARTER)))
    found = make_panel_day_rows(stored, inverters, site, [start, stop])
    assert all(row.fields.keys() <= DERIVED["panel_1d"].fields.keys() for row in found)
    assert {row.timestamp for row in found} <= {start}
    return {row.tags["inverter"]: row.fields for row in found}


def test_a_day_of_a_panel_beside_its_peers():
    found = make_days(
        [
            make_constant_inverter("1", 50.0),
            make_constant_inverter("2", 100.0),
            make_constant_inverter("3", 300.0, stop=NOON),
        ]
    )
    assert found["1"] == {
        "coverage": approximate(4.25 / 24),
        "energy": approximate(212.5),
        "peak": 50.0,
        "peers": approximate((425 + 675) / 2),
        "ratio": approximate(212.5 / 550),
        "clipping_minutes": 0.0,
        "reports": 17.0,
        "last_report": float(NOON + 2 * HOUR),
    }


def test_the_counter_knows_what_a_panel_made_in_a_gap_of_the_day():
    times = [time for time in range(NOON - 2 * HOUR, NOON + 2 * HOUR + 1, QUARTER) if not NOON < time < NOON + HOUR]
    points = [Point(time, {"power": 100.0, "energy_lifetime": 5e5 + (time - NOON) / HOUR * 100}) for time in times]
    found = make_days([SeriesPoints(Series("inverter", (("inverter", "1"),)), points)])
    assert found["1"]["energy"] == approximate(400.0)
    assert found["1"]["coverage"] == approximate(3.5 / 24)


def test_what_a_panel_made_in_a_gap_over_midnight_is_in_neither_day_and_the_coverage_says_so():
    """README and rollup-fields.md tell of it: days of panels have no unallocated energy."""
    midnight = NOON + 12 * HOUR
    times = [time for time in range(NOON, midnight + 12 * HOUR + 1, QUARTER) if abs(time - midnight) >= 10 * HOUR]
    points = [
        Point(time, {"power": 100.0, "max_power": 290.0, "energy_lifetime": 5e5 + (time - NOON) / HOUR * 100})
        for time in times
    ]
    panel = [SeriesPoints(Series("inverter", (("inverter", "1"),)), points)]
    first, second = make_days(panel)["1"], make_days(panel, start=midnight, stop=midnight + 12 * HOUR)["1"]
    assert (first["energy"], second["energy"]) == (approximate(200.0), approximate(200.0))
    assert (first["coverage"], second["coverage"]) == (approximate(2.25 / 24), approximate(2.25 / 12))


def test_a_panel_silent_all_day_has_a_row_without_energy():
    found = make_days([make_inverter("1", (NOON - DAY, 100.0)), make_constant_inverter("2", 90.0)])
    assert found["1"] == {"coverage": 0.0, "peers": approximate(90 * 4.25), "clipping_minutes": 0.0, "reports": 0.0}


def test_a_limit_shared_by_three_inverters_is_clipping():
    def make_day(serial: str, *powers: float, limit: float) -> SeriesPoints:
        reports = [(NOON + n * QUARTER, power) for n, power in enumerate(powers)]
        return make_inverter(serial, *reports, max_power=limit, interval=900.0)

    found = make_days([
        make_day("1", 200.0, 294.0, 295.0, 295.0, 250.0, 295.0, 200.0, limit=295.0),  # three in a row, then one alone
        make_day("2", 200.0, 250.0, 200.0, 200.0, 200.0, 200.0, 200.0, limit=295.0),
        make_day("3", 200.0, 295.0, 295.0, 200.0, 200.0, 200.0, 200.0, limit=296.0),
        make_day("4", 240.0, 240.0, 240.0, 240.0, 240.0, 240.0, 240.0, limit=240.0),  # nobody else stops there
    ])  # fmt: skip
    assert [fields["clipping_minutes"] for fields in found.values()] == [45.0, 0.0, 30.0, 0.0]


def test_a_highest_power_that_differs_from_panel_to_panel_is_no_limit():
    found = make_days(
        [
            make_constant_inverter(serial, power, max_power=power)
            for serial, power in (("1", 250.0), ("2", 260.0), ("3", 270.0))
        ]
    )
    assert [fields["clipping_minutes"] for fields in found.values()] == [0.0, 0.0, 0.0]


def test_without_arrays_the_peers_of_a_day_face_the_same_way():
    """East and west roof until the early afternoon: the west has given less, and no panel of it is weak."""

    def make_roof(name: str, centre: int) -> list[SeriesPoints]:
        times = range(NOON - 6 * HOUR, NOON + 2 * HOUR, QUARTER)
        powers = [(time, max(0.0, 300.0 * (1 - ((time - centre) / (6 * HOUR)) ** 2))) for time in times]
        return [make_inverter(f"{name}{number}", *powers) for number in range(4)]

    found = make_days([*make_roof("1", NOON - 3 * HOUR), *make_roof("2", NOON + 3 * HOUR)])
    assert float(found["20"]["energy"]) < 0.7 * float(found["10"]["energy"])
    assert all(fields["ratio"] == approximate(1.0) for fields in found.values())
