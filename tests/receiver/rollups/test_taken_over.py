"""The rules of imported energies, without a store."""

from receiver.rollups.taken_over import ImportedWindow, keep_taken_over, list_windows, make_rows, take_out
from receiver.sites.model import Site
from receiver.stores.base import Point, SeriesPoints
from shared.readings import FieldValue, Reading, Series
from shared.units import DAY_MS, HOUR_MS, QUARTER_MS

HOUR = 1_715_594_400_000
LAST = HOUR + HOUR_MS - QUARTER_MS
WINDOW = ImportedWindow(HOUR, HOUR + HOUR_MS, {"production": 112.0, "load": 212.0})


def make_series(*points: tuple[int, dict[str, FieldValue]]) -> list[SeriesPoints]:
    return [SeriesPoints(Series.of("imported_energy", {"source": "enlighten"}), [Point(*point) for point in points])]


def make_quarter(start: int, **fields: float) -> Reading:
    return Reading("energy_15m", {}, start, {**fields, "duration": 900.0, "resets": 0.0})


def to_points(rows: list[Reading]) -> list[Point]:
    return [Point(row.timestamp, dict(row.fields)) for row in rows]


def test_of_windows_that_overlap_the_first_counts_and_strange_ones_never():
    found = list_windows(
        make_series(
            (HOUR, {"production": 1.0, "duration": 3600.0}),
            (HOUR + QUARTER_MS, {"production": 2.0, "duration": 900.0}),
            (HOUR + HOUR_MS, {"production": 3.0, "duration": 900.0}),
            (HOUR + 2 * HOUR_MS + 1, {"production": 4.0, "duration": 900.0}),
            (HOUR + 3 * HOUR_MS, {"production": 5.0, "duration": 2 * DAY_MS / 1000}),
            (HOUR + 4 * HOUR_MS, {"production": -6.0, "duration": 900.0}),
            (HOUR + 5 * HOUR_MS, {"duration": 900.0}),
        )
    )
    assert [window.energies for window in found] == [{"production": 1.0}, {"production": 3.0}]


def test_a_recomputed_quarter_hour_keeps_what_was_imported_until_it_is_judged():
    stored = to_points(make_rows([WINDOW], [], [], Site()))
    assert [point.timestamp for point in stored] == [LAST]
    assert to_points(keep_taken_over([], stored, Site())) == stored
    computed = [make_quarter(LAST, production=100.0, production_coverage=1.0)]
    (kept,) = keep_taken_over(computed, stored, Site())
    assert kept.fields["production"] == 100.0
    assert "production_taken_over_unallocated" not in kept.fields
    assert kept.fields["load_taken_over_unallocated"] == 212.0


def test_what_was_measured_comes_out_as_it_went_in():
    measured = [
        make_quarter(HOUR, production=5.0, production_coverage=0.5),
        make_quarter(LAST, charged=1.0, charged_coverage=1.0),
    ]
    rows = make_rows([WINDOW], to_points(measured), [], Site())
    assert rows[0] == measured[0]
    assert rows[1].fields["load_taken_over_unallocated"] == 212.0
    assert "production_taken_over_unallocated" not in rows[1].fields, "some of that hour was measured"
    out = take_out(to_points(rows))
    assert out == take_out(to_points(measured))
    assert make_rows([], to_points(rows), [], Site()) == measured


def test_a_gap_whose_energy_is_known_takes_the_place_of_every_window_that_it_reaches_into():
    for gap in ((HOUR - DAY_MS, HOUR + 1), (HOUR + HOUR_MS - 1, HOUR + DAY_MS), (HOUR - DAY_MS, HOUR + DAY_MS)):
        assert make_rows([WINDOW], [], [gap], Site()) == []
    for gap in ((HOUR - DAY_MS, HOUR), (HOUR + HOUR_MS, HOUR + DAY_MS)):
        assert len(make_rows([WINDOW], [], [gap], Site())) == 1
