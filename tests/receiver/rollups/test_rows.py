"""Minutes, hours and energies of meters and of the site."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from receiver.energy.totals import sum_windows as total_energy
from receiver.rollups.compute import RawSeries, make_hour_rows, make_quarter_rows
from receiver.rollups.energy import compute_quarter_energy, from_point, is_known, make_energy_fields
from receiver.rollups.energy_windows import make_energy_rows
from receiver.rollups.quarters import iterate_quarters
from receiver.sites import Site
from receiver.sites.load import parse
from receiver.stores.base import Point, SeriesPoints
from receiver.stores.kinds import DERIVED
from shared.readings import FieldValue, Reading, Series
from shared.units import HOUR_MS, QUARTER_MS
from tests.receiver.energy.reference import approximate, compute_exact_area, cut_exactly, draw_series
from tests.receiver.rollups.random_house import START, RandomHouse, load
from tests.receiver.rollups.test_chunks import seeds, sites

MINUTE = 60_000
NO_SITE = Site()


def make_meter(
    name: str, phase: str, points: dict[int, float], kind: str = "meter", field: str = "power"
) -> SeriesPoints:
    tags = (("meter", name), ("phase", phase))
    return SeriesPoints(Series(kind, tags), [Point(time, {field: value}) for time, value in sorted(points.items())])


def make_flat(name: str, phase: str, power: float, start: int = START, stop: int = START + HOUR_MS) -> SeriesPoints:
    return make_meter(name, phase, dict.fromkeys(range(start, stop + 1, MINUTE), power))


def make_counted(
    name: str, phase: str, delivered: float, received: float = 0.0, *, gap: range = range(0)
) -> SeriesPoints:
    """Counters that move by so many watts, read each minute but for a gap."""
    points = [
        Point(time, {"delivered": 1e6 + delivered * hours, "received": 1e5 + received * hours})
        for time in range(START - HOUR_MS, START + 2 * HOUR_MS, MINUTE)
        if time not in gap
        for hours in [(time - START) / HOUR_MS]
    ]
    return SeriesPoints(Series("meter_energy", (("meter", name), ("phase", phase))), points)


def select_kind(rows: list[Reading], kind: str) -> list[Reading]:
    return [row for row in rows if row.kind == kind]


def make_first(kind: str, raw: RawSeries, site: Site = NO_SITE, start: int = START) -> dict[str, FieldValue]:
    compute, length = (make_hour_rows, HOUR_MS) if kind.endswith("1h") else (make_quarter_rows, QUARTER_MS)
    return select_kind(compute(raw, site, start, start + length), kind)[0].fields


@settings(max_examples=15, deadline=None)
@given(seeds, sites)
def test_rows_keep_to_the_dictionary(seed, site):
    """Known kinds, tags and fields, the right types, whole windows, shares between 0 and 1, energy of at least 0."""
    raw = load(RandomHouse(seed, 1).readings, START, START + HOUR_MS)
    for row in [
        *make_quarter_rows(raw, site, START, START + HOUR_MS),
        *make_hour_rows(raw, site, START, START + HOUR_MS),
    ]:
        kind = DERIVED[row.kind]
        assert tuple(sorted(row.tags)) == tuple(sorted(kind.tags))
        assert all(isinstance(value, kind.fields[name].type) for name, value in row.fields.items())
        assert row.timestamp % {"1m": MINUTE, "5m": QUARTER_MS, "1h": HOUR_MS}[row.kind[-2:]] == 0
        for name, value in row.fields.items():
            if name.endswith("coverage") or name in {"self_sufficiency", "self_consumption", "dead"}:
                assert 0 <= float(value) <= 1 + 1e-9
            if row.kind == "energy_15m":
                assert float(value) >= 0


@given(draw_series(smallest=2))
def test_minutes_are_exact_means_over_what_is_known(points):
    start = points[0][0] // QUARTER_MS * QUARTER_MS
    raw = RawSeries([make_meter("production", "a", dict(points))], [], [], [])
    rows = select_kind(make_quarter_rows(raw, NO_SITE, start, start + QUARTER_MS), "meter_1m")
    known = {row.timestamp: row.fields for row in rows}
    for minute in range(start, start + QUARTER_MS, MINUTE):
        pieces = cut_exactly(points, minute, minute + MINUTE)
        if not pieces:
            assert minute not in known
            continue
        length = sum(b - a for a, b, _, _ in pieces)
        assert known[minute]["power"] == approximate(float(compute_exact_area(pieces) / length))
        assert known[minute]["power_max"] == approximate(float(max(max(va, vb) for _, _, va, vb in pieces)))
        assert known[minute]["coverage"] == approximate(float(length / MINUTE))


def test_a_minute_is_weighted_by_time_and_not_by_points():
    points = {START: 0.0, START + 59_000: 0.0} | {START + 59_000 + 10 * n: 1000.0 for n in range(1, 101)}
    fields = make_first("meter_1m", RawSeries([make_meter("storage", "b", points)], [], [], []))
    assert fields == {"coverage": 1.0, "power": pytest.approx(16.58, abs=0.01), "power_min": 0.0, "power_max": 1000.0}


def test_meters_are_as_measured_and_the_site_is_corrected():
    site = parse(
        b"1: {meters: {production: {reversed: [a]}, storage: {role: net-consumption}, net-consumption: {role: ignore}}}"
    )["1"]
    raw = RawSeries([make_flat("production", "a", -500.0), make_flat("storage", "a", 200.0)], [], [], [])
    rows = make_quarter_rows(raw, site, START, START + QUARTER_MS)
    assert [row.fields["power"] for row in select_kind(rows, "meter_1m")][::15] == [-500.0, 200.0]
    fields = make_first("site_1m", raw, site)
    assert (fields["production"], fields["net"], fields["load"]) == (500.0, 200.0, 700.0)


@pytest.mark.parametrize(("netting", "imported", "exported"), [("sum", 0.0, 500.0), ("phases", 500.0, 1000.0)])
@pytest.mark.parametrize("kind", ["site_1m", "site_1h"])
def test_import_and_export_are_netted_as_the_site_is_billed(kind, netting, imported, exported):
    net = {"a": -800.0, "b": 500.0, "c": -200.0}
    raw = RawSeries(
        [make_flat("production", "a", 3000.0), *(make_flat("net-consumption", p, w) for p, w in net.items())],
        [],
        [],
        [],
    )
    fields = make_first(kind, raw, Site(netting=netting))
    assert (fields["imported"], fields["exported"]) == (approximate(imported), approximate(exported))
    assert (fields["net"], fields["load"], fields["coverage"]) == (-500.0, 2500.0, 1.0)
    energy = make_first("energy_15m", raw, Site(netting=netting))
    assert (energy["imported"], energy["exported"]) == (approximate(imported / 4), approximate(exported / 4))


def test_what_needs_a_silent_meter_is_unknown_while_it_is_silent():
    """Its counters were read within a day, so the meter is there: load without the battery would be wrong."""
    battery = make_counted("storage", "a", 100.0, gap=range(START, START + 2 * HOUR_MS))
    raw = RawSeries([make_flat("production", "a", 900.0), make_flat("net-consumption", "a", 100.0)], [battery], [], [])
    fields = make_first("site_1m", raw)
    assert (fields["production"], "load" in fields) == (900.0, False)


def test_a_meter_that_was_taken_away_does_not_count_any_more():
    old = SeriesPoints(Series("meter_energy", (("meter", "storage"), ("phase", "a"))), [Point(START - 90_000_000, {})])
    raw = RawSeries([make_flat("production", "a", 900.0), make_flat("net-consumption", "a", 100.0)], [old], [], [])
    assert make_first("site_1m", raw)["load"] == 1000.0


def test_energy_comes_from_counters_and_a_gap_ends_where_it_ends():
    """From 10 to 40 minutes nothing was read: the first quarter hour knows 10 minutes, the third the last five."""
    gap = range(START + 11 * MINUTE, START + 40 * MINUTE)
    raw = RawSeries(
        [],
        [make_counted("production", "a", 600.0, gap=gap), make_counted("net-consumption", "a", 60.0, gap=gap)],
        [],
        [],
    )
    rows = select_kind(make_quarter_rows(raw, NO_SITE, START, START + HOUR_MS), "energy_15m")
    assert [row.fields.get("production") for row in rows] == [
        value if value is None else approximate(value) for value in (100.0, None, 50.0, 150.0)
    ]
    assert rows[1].fields.keys() == {"duration", "resets", "exported", "exported_coverage"}  # its counter did not move
    assert [rows[index].fields["production_coverage"] for index in (0, 2)] == [approximate(c / 15) for c in (10, 5)]
    assert [row.fields.get("production_unallocated") for row in rows] == [None, None, approximate(300.0), None]
    assert rows[2].fields["load_unallocated"] == approximate(330.0)
    assert rows[2].fields["unallocated_since"] == START + 10 * MINUTE
    third = make_quarter_rows(raw, NO_SITE, START + 2 * QUARTER_MS, START + 3 * QUARTER_MS)
    assert select_kind(third, "energy_15m") == [rows[2]]


@pytest.mark.parametrize("days", [-2, 2])
def test_where_counters_were_not_read_yet_or_any_more_power_is_integrated(days):
    """A reading two days away is all that there is of them."""
    elsewhere = make_meter("production", "a", {START + days * 24 * HOUR_MS: 1e6}, "meter_energy", "delivered")
    raw = RawSeries([make_flat("production", "a", 900.0)], [elsewhere], [], [])
    assert make_first("energy_15m", raw)["production"] == approximate(225.0)


def test_counters_that_were_read_before_and_after_account_for_a_window_however_long_that_takes():
    reads = {START - 48 * HOUR_MS: 1e6, START + 48 * HOUR_MS: 2e6}
    raw = RawSeries(
        [make_flat("production", "a", 900.0)],
        [make_meter("production", "a", reads, "meter_energy", "delivered")],
        [],
        [],
    )
    assert select_kind(make_quarter_rows(raw, NO_SITE, START, START + QUARTER_MS), "energy_15m") == []


def test_reversed_counters_are_each_other():
    site = parse(b"1: {meters: {net-consumption: {reversed: [a]}}}")["1"]
    fields = make_first("energy_15m", RawSeries([], [make_counted("net-consumption", "a", 400.0, 80.0)], [], []), site)
    assert (fields["imported"], fields["exported"]) == (approximate(20.0), approximate(100.0))


@settings(max_examples=15, deadline=None)
@given(seeds, sites)
def test_stored_energy_reads_back_as_it_was_computed(seed, site):
    """To the last bit, so that sums of stored rows are sums of what was computed."""
    raw = load(RandomHouse(seed, 2).readings, START, START + 2 * HOUR_MS)
    computed = [
        compute_quarter_energy(quarter, site) for quarter in iterate_quarters(raw, site, START, START + 2 * HOUR_MS)
    ]
    for energy in computed:
        assert from_point(Point(energy.start, make_energy_fields(energy))) == energy
    rows = select_kind(make_quarter_rows(raw, site, START, START + 2 * HOUR_MS), "energy_15m")
    stored = [Point(row.timestamp, row.fields) for row in rows]
    assert [from_point(point) for point in stored] == [energy for energy in computed if is_known(energy)]
    (both,) = make_energy_rows("energy_1d", stored, site, [START, START + 2 * HOUR_MS]) if stored else [None]
    if both is not None:
        assert from_point(Point(both.timestamp, both.fields)) == total_energy(computed, START, START + 2 * HOUR_MS)


def make_inverter(serial: str, power: float, start: int = START - HOUR_MS, stop: int = START + HOUR_MS) -> SeriesPoints:
    points = [Point(time, {"power": power}) for time in range(start, stop + 1, 5 * MINUTE)]
    return SeriesPoints(Series("inverter", (("inverter", serial),)), points)


def make_total(source: str, watts: float, start: int = START - HOUR_MS, stop: int = START + HOUR_MS) -> SeriesPoints:
    times = range(start, stop + 1, 5 * MINUTE)
    points = [Point(time, {"energy_lifetime": 1e6 + (time - start) / HOUR_MS * watts}) for time in times]
    return SeriesPoints(Series("production", (("source", source),)), points)


def test_inverters_stand_in_for_a_production_meter_and_a_dead_one_is_not_missed():
    inverters = [
        make_inverter("1", 200.0),
        make_inverter("2", 300.0),
        make_inverter("3", 250.0, stop=START - HOUR_MS // 2),
    ]
    raw = RawSeries([make_flat("net-consumption", "a", 100.0)], [], inverters, [])
    site, energy = make_first("site_1m", raw), make_first("energy_15m", raw)
    assert (site["production"], site["load"], energy["production"]) == (500.0, 600.0, approximate(125.0))
    metered = RawSeries([*raw.meter, make_flat("production", "a", 480.0)], [], inverters, [])
    assert make_first("site_1m", metered)["production"] == 480.0


@pytest.mark.parametrize(
    ("totals", "watts"),
    [
        ([], 500.0),
        ([make_total("api", 504.0)], 504.0),
        ([make_total("api", 504.0), make_total("inverters", 508.0)], 508.0),
        ([make_total("api", 504.0), make_total("inverters", 508.0), make_total("pdm", 512.0)], 512.0),
        ([make_total("api", 504.0), make_total("pdm", 512.0, stop=START - MINUTE)], 504.0),  # it is no more
        (
            [make_total("inverters", 508.0), make_total("pdm", 512.0, start=START + QUARTER_MS)],
            508.0,
        ),  # it is yet to come
    ],
)
def test_the_best_total_of_the_gateway_that_spans_the_window_is_the_production(totals, watts):
    raw = RawSeries([], [], [make_inverter("1", 500.0)], totals)
    assert make_first("energy_15m", raw)["production"] == approximate(watts / 4)


TARIFFS = parse(b"""
1:
  time_zone: Asia/Kathmandu
  tariffs:
    - {valid_from: 2026-03-02, rates: {6-22: 0.5, 22-6: 0.25}, feed_in: 0.125}
    - {valid_from: 2026-03-01, rates: 1}
""")["1"]


@pytest.mark.parametrize(
    ("local", "rate", "feed_in"),
    [
        ("2026-02-28T23:45", None, None),
        ("2026-03-01T00:00", 1.0, None),
        ("2026-03-01T23:45", 1.0, None),
        ("2026-03-02T00:00", 0.25, 0.125),
        ("2026-03-02T05:45", 0.25, 0.125),
        ("2026-03-02T06:00", 0.5, 0.125),
        ("2026-03-02T21:45", 0.5, 0.125),
        ("2026-03-02T22:00", 0.25, 0.125),
    ],
)
def test_a_quarter_hour_costs_what_the_local_hour_and_day_say(local, rate, feed_in):
    start = round(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Asia/Kathmandu")).timestamp() * 1000)
    stop = start + QUARTER_MS
    powers = [
        make_flat("production", "a", 4000.0, start, stop),
        make_flat("net-consumption", "a", -1000.0, start, stop),
    ]
    fields = make_first("energy_15m", RawSeries(powers, [], [], []), TARIFFS, start)
    assert fields.get("cost") == (None if rate is None else 0.0)
    assert fields.get("savings") == (None if rate is None else approximate(0.75 * rate))
    assert fields.get("feed_in") == (None if feed_in is None else approximate(0.25 * feed_in))
    bought = RawSeries([make_flat("net-consumption", "a", 2000.0, start, stop)], [], [], [])
    assert make_first("energy_15m", bought, TARIFFS, start).get("cost") == (
        None if rate is None else approximate(0.5 * rate)
    )


def test_what_was_used_at_home_has_the_shares_of_its_own_window():
    powers = [make_flat("production", "a", 4000.0), make_flat("net-consumption", "a", -1000.0)]
    fields = make_first("energy_15m", RawSeries(powers, [], [], []))
    assert (fields["self_consumption"], fields["self_sufficiency"]) == (0.75, 1.0)
