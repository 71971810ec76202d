"""Meters that were set up wrongly are read as they should have been."""

import math

from receiver.sites import NO_SITE
from receiver.sites.corrections import correct_latest, correct_series
from receiver.sites.load import parse
from receiver.stores.base import Latest, Point, SeriesPoints
from shared.readings import FieldValue, Series


def make_latest(meter: str, phase: str = "a", **fields: FieldValue) -> Latest:
    return Latest({"meter": meter, "phase": phase}, 1, fields)


def test_nothing_said_nothing_changed():
    entries = [make_latest("production", power=1.0), make_latest("storage", power=2.0)]
    assert correct_latest(entries, NO_SITE) == entries


def test_a_reversed_phase_is_turned_and_the_others_are_not():
    site = parse(b"1: {meters: {production: {reversed: [b]}}}")["1"]
    fields = {"power": -5.0, "reactive_power": 2.0, "voltage": 230.0, "current": 3.0}
    entries = [
        make_latest("production", "a", **fields),
        make_latest("production", "b", **fields),
        make_latest("storage", "b", power=1.0),
    ]
    assert correct_latest(entries, site) == [
        entries[0],
        make_latest("production", "b", **{**fields, "power": 5.0, "reactive_power": -2.0}),
        entries[2],
    ]
    assert entries[1].fields["power"] == -5.0
    (zero,) = correct_latest([make_latest("production", "b", power=0.0)], site)
    assert math.copysign(1, float(zero.fields["power"])) == 1


def test_roles_are_exchanged_and_ignored_ones_are_left_out():
    site = parse(
        b"1: {meters: {production: {role: net-consumption}, net-consumption: {role: production}, storage: {role: ignore}}}"
    )["1"]
    entries = [
        make_latest("net-consumption", power=1.0),
        make_latest("production", power=2.0),
        make_latest("storage", power=3.0),
    ]
    assert correct_latest(entries, site) == [
        make_latest("net-consumption", power=2.0),
        make_latest("production", power=1.0),
    ]


def make_points(kind: str, meter: str, phase: str = "a", **fields: FieldValue) -> SeriesPoints:
    return SeriesPoints(Series(kind, (("meter", meter), ("phase", phase))), [Point(1, fields), Point(2, fields)])


def test_nothing_said_no_series_changed():
    series = [
        make_points("meter_energy", "production", delivered=1.0),
        make_points("meter_energy", "storage", received=2.0),
    ]
    assert correct_series(series, NO_SITE) == series


def test_the_counters_of_a_reversed_phase_are_each_other():
    site = parse(b"1: {meters: {production: {reversed: [b]}}}")["1"]
    series = [
        make_points("meter_energy", "production", "a", delivered=1.0, received=2.0),
        make_points("meter_energy", "production", "b", delivered=1.0, received=2.0),
        make_points("meter", "production", "b", power=-5.0, reactive_power=0.0, current=3.0),
    ]
    corrected = correct_series(series, site)
    assert corrected == [
        make_points("meter", "production", "b", power=5.0, reactive_power=0.0, current=3.0),
        series[0],
        make_points("meter_energy", "production", "b", delivered=2.0, received=1.0),
    ]
    assert series[1].points[0].fields == {"delivered": 1.0, "received": 2.0}


def test_series_exchange_their_roles_and_ignored_ones_are_left_out():
    site = parse(
        b"1: {meters: {production: {role: net-consumption}, net-consumption: {role: production}, storage: {role: ignore}}}"
    )["1"]
    series = [
        make_points("meter", name, power=value) for name, value in (("net-consumption", 1.0), ("production", 2.0))
    ]
    assert correct_series([*series, make_points("meter", "storage", power=3.0)], site) == [
        make_points("meter", "net-consumption", power=2.0),
        make_points("meter", "production", power=1.0),
    ]
