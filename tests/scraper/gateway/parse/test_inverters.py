"""The plain list of inverters."""

import math

import pytest

from scraper.errors import BadReplyError
from scraper.gateway.parse.inverters import parse_inverters
from scraper.gateway.parse.values import Notes
from shared.readings import Reading


def make_entry(serial="122012345601", date=1718213210, watts=143, most=296, **more):
    return {"serialNumber": serial, "lastReportDate": date, "lastReportWatts": watts, "maxReportWatts": most} | more


def test_one_reading_per_inverter_stamped_with_its_own_report():
    found = parse_inverters([make_entry(devType=1), make_entry("122012345602", 1718213100, 0, 290, devType=1)])
    assert found.readings == [
        Reading("inverter", {"inverter": "122012345601"}, 1718213210_000, {"power": 143.0, "max_power": 296.0}),
        Reading("inverter", {"inverter": "122012345602"}, 1718213100_000, {"power": 0.0, "max_power": 290.0}),
    ]
    assert found.ready
    assert (found.ghosts, found.batteries) == ([], [])


def test_a_missing_device_type_is_an_inverter():
    notes = Notes()
    assert len(parse_inverters([make_entry()], notes).readings) == 1
    assert not notes.missing


def test_what_never_reported_is_a_ghost():
    found = parse_inverters([make_entry(date=0, watts=18)])
    assert found.readings == []
    assert found.ghosts == ["122012345601"]


def test_batteries_and_relays_are_no_inverters():
    found = parse_inverters([make_entry(devType=11, watts=-250), make_entry("122012345602", devType=12)])
    assert found.readings == []
    assert found.batteries == ["122012345601"]


def test_a_new_type_of_device_is_kept_and_noted():
    notes = Notes()
    assert len(parse_inverters([make_entry(devType=14)], notes).readings) == 1
    assert notes.unknown == {"inverters.devType=14.0"}


def test_a_type_that_is_given_as_text_is_read_and_noted_once():
    notes = Notes()
    found = parse_inverters(
        [make_entry(devType="11", watts=-250), make_entry("122012345602", devType="1"), make_entry("3", devType="12")],
        notes,
    )
    assert (found.batteries, [one.tags["inverter"] for one in found.readings]) == (["122012345601"], ["122012345602"])
    assert (notes.odd, notes.unknown, notes.refused) == ({"inverters.devType is text"}, set(), {})


@pytest.mark.parametrize("kind", ["battery", [11], True, "9" * 400, "\u0661", ""])
def test_of_a_type_that_cannot_be_read_the_power_is_unknown(kind):
    """It may be a battery: what it gives must not count as made by the sun."""
    notes = Notes()
    (reading,) = parse_inverters([make_entry(devType=kind)], notes).readings
    assert "power" not in reading.fields
    assert notes.unknown == {"inverters.devType=None"}


def test_an_empty_list_means_not_ready():
    assert not parse_inverters([]).ready


def test_negative_power_is_a_value():
    assert parse_inverters([make_entry(watts=-3)]).readings[0].fields["power"] == -3.0


@pytest.mark.parametrize("bad", [None, "143", True, math.nan, math.inf, 2**64, [143]])
def test_a_bad_value_loses_only_itself(bad):
    notes = Notes()
    found = parse_inverters([make_entry(watts=bad), make_entry("122012345602")], notes)
    assert found.readings[0].fields == {"max_power": 296.0}
    assert found.readings[1].fields == {"power": 143.0, "max_power": 296.0}
    assert notes.refused == {"inverters.lastReportWatts": 1}


@pytest.mark.parametrize("serial", [None, 122012345601, "", "a b", "x" * 33, "é", "\ud800"])
def test_an_entry_without_a_usable_serial_is_refused(serial):
    notes = Notes()
    assert [r.tags["inverter"] for r in parse_inverters([make_entry(serial), make_entry("2")], notes).readings] == ["2"]
    assert notes.refused == {"inverters.serialNumber": 1}


@pytest.mark.parametrize("date", [None, "1718213210", -1, 2**32, math.nan])
def test_an_entry_without_a_usable_date_is_refused(date):
    notes = Notes()
    assert parse_inverters([make_entry(date=date)], notes).readings == []
    assert notes.refused == {"inverters.lastReportDate": 1}


def test_a_renamed_field_is_missing_and_not_zero():
    notes = Notes()
    renamed = make_entry()
    renamed["lastWatts"] = renamed.pop("lastReportWatts")
    assert parse_inverters([renamed], notes).readings[0].fields == {"max_power": 296.0}
    assert notes.missing == {"inverters.lastReportWatts"}
    assert notes.unknown == {"inverters.lastWatts"}


def test_a_serial_that_stands_twice_gives_its_newest_report_alone():
    found = parse_inverters(
        [make_entry(watts=1), make_entry(watts=2), make_entry(date=1718213510, watts=3), make_entry(watts=4)]
    )
    assert [(r.timestamp, r.fields["power"]) for r in found.readings] == [(1718213510_000, 3.0)]


def test_an_entry_without_any_value_is_no_reading():
    assert parse_inverters([make_entry(watts=None, most=None)]).readings == []


@pytest.mark.parametrize("data", [{}, {"error": "starting"}, None, "text", 7])
def test_anything_but_a_list_is_a_bad_reply(data):
    with pytest.raises(BadReplyError, match="inverters"):
        parse_inverters(data)
