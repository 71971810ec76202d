"""Coarser energies are sums of finer ones."""

import pytest

from receiver.rollups.energy_windows import make_energy_rows, make_fingerprint
from receiver.sites import Site
from receiver.sites.load import parse
from receiver.stores.base import Point
from receiver.stores.kinds import DERIVED, ENERGY_KINDS
from tests.receiver.instants import to_ms

QUARTER = 900_000
HOUR = 4 * QUARTER
DAY = 24 * HOUR


def _make_quarter(time: int, **fields: float) -> Point:
    return Point(time, {"duration": 900.0, "resets": 0.0, **fields})


def test_a_day_is_the_sum_of_its_quarter_hours():
    site = Site(time_zone="Europe/Berlin", currency="EUR")
    start = to_ms("2026-11-16T00:00", "Europe/Berlin")
    finer = [
        _make_quarter(start, load=50.0, load_coverage=1.0, cost=0.25, production_unallocated=7.0, unallocated_since=float(start - 1)),
        _make_quarter(start + 4 * HOUR, load=30.0, load_coverage=1.0, cost=0.5, resets=1.0),
        _make_quarter(start + 5 * HOUR, load=1.0, load_coverage=0.5, production=9.0, production_coverage=1.0),
        _make_quarter(start + 6 * HOUR, load=10.0, load_coverage=1.0, production=11.0, production_coverage=1.0,
                 exported=5.0, exported_coverage=1.0, imported=0.0, imported_coverage=1.0),
        _make_quarter(start + DAY, load=1000.0, load_coverage=1.0),
    ]  # fmt: skip
    (row,) = make_energy_rows("energy_1d", finer, site, site.list_windows("energy_1d", start, start + DAY))
    assert (row.kind, row.tags, row.timestamp) == ("energy_1d", {}, start)
    assert row.fields == {
        "duration": 86_400.0,
        "resets": 1.0,
        "load": 91.0,
        "load_coverage": pytest.approx(3.5 / 96),
        "production": 20.0,
        "production_coverage": pytest.approx(2 / 96),
        "production_unallocated": 7.0,
        "unallocated_since": float(start - 1),
        "imported": 0.0,
        "imported_coverage": pytest.approx(1 / 96),
        "exported": 5.0,
        "exported_coverage": pytest.approx(1 / 96),
        "shared_production": 11.0,
        "shared_exported": 5.0,
        "shared_load": 10.0,
        "shared_imported": 0.0,
        "self_consumption": pytest.approx(6 / 11),  # the export is known in one of the two quarter hours
        "self_sufficiency": 1.0,
        "cost": 0.75,
        "base_load": 120.0,
        "week": "2026-W47",
        "weekday": "1 Mon",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
    }


@pytest.mark.parametrize(("name", "label"), [("Home", "Home (122300001234)"), (None, "122300001234")])
def test_days_that_are_stored_name_the_gateway(name, label):
    point = _make_quarter(0, load=50.0, load_coverage=1.0)
    (day,) = make_energy_rows("energy_1d", [point], Site(name=name), [0, DAY], gateway="122300001234")
    (hour,) = make_energy_rows("energy_1h", [point], Site(name=name), [0, HOUR], gateway="122300001234")
    assert day.fields["label"] == label
    assert "label" not in hour.fields


def test_an_outage_over_midnight_counts_in_the_month():
    """Its start is known: the day that it ends in leaves it unallocated, the month that holds it does not."""
    start = to_ms("2026-11-01T00:00")
    day = Point(start + DAY, {"duration": 86_400.0, "load": 5.0, "load_coverage": 0.5, "load_unallocated": 3.0,
                              "unallocated_since": float(start + DAY - 1)})  # fmt: skip
    (month,) = make_energy_rows("energy_1mo", [day], Site(), Site().list_windows("energy_1mo", start, start + 1))
    assert (month.fields["load"], month.fields["year"], month.fields["month"]) == (8.0, "2026", "11")
    assert not month.fields.keys() & {"load_unallocated", "unallocated_since"}
    (week,) = make_energy_rows(
        "energy_1w", [day], Site(), Site().list_windows("energy_1w", start + DAY, start + DAY + 1)
    )
    assert (week.fields["load"], week.fields["load_unallocated"]) == (5.0, 3.0)


def test_what_nothing_is_known_of_has_no_row():
    site = Site()
    assert make_energy_rows("energy_1d", [], site, site.list_windows("energy_1d", 0, 3 * DAY)) == []
    assert make_energy_rows("energy_1d", [_make_quarter(0)], site, [0, DAY]) == []


@pytest.mark.parametrize("kind", ENERGY_KINDS[1:])
def test_rows_hold_only_fields_of_their_kind(kind):
    point = _make_quarter(
        0, **dict.fromkeys(["load", "production", "imported", "exported"], 5.0), load_coverage=1.0, cost=1.0
    )
    (row,) = make_energy_rows(kind, [point], Site(), Site().list_windows(kind, 0, 1))
    described = DERIVED[kind].fields
    assert all(isinstance(value, described[name].type) for name, value in row.fields.items())


@pytest.mark.parametrize(
    ("changed", "matters"),
    [
        ("{time_zone: Europe/Rome}", True),
        ("{netting: phases}", True),
        ("{billing_day: 2}", True),
        ("{meters: {storage: {role: ignore}}}", True),
        ("{meters: {storage: {reversed: [a]}}}", True),
        ("{panels: {5: {}}}", True),
        ("{panels: {4: {name: East}}}", True),
        ("{panels: {4: {array: East}}}", True),
        ("{tariffs: [{valid_from: 2026-01-01, rates: 0.3}]}", True),
        ("{name: Home}", True),
        ("{currency: EUR}", True),
        ("{cloud: system-9}", True),
        ("{location: {latitude: 1, longitude: 2}}", False),
        ("{panels: {4: {tilt: 30, rated_watts: 400}}}", False),
    ],
)
def test_a_fingerprint_changes_with_what_matters(changed, matters):
    plain = parse(b"1: {panels: {4: {}}}")["1"]
    site = parse(f"1: {changed}".encode())["1"]
    site = site if site.panels else site.model_copy(update={"panels": plain.panels})
    assert (make_fingerprint(site) != make_fingerprint(plain)) is matters


def test_a_fingerprint_is_the_same_in_every_process():
    """Sets have no order of their own."""
    site = parse(b"1: {meters: {storage: {reversed: [c, a, b]}}}")["1"]
    assert make_fingerprint(site) == make_fingerprint(parse(b"1: {meters: {storage: {reversed: [b, c, a]}}}")["1"])
