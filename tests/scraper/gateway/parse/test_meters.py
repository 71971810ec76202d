"""Which meters the gateway has."""

import pytest

from scraper.errors import BadReplyError
from scraper.gateway.parse.meters import ConfiguredMeter, parse_meters
from scraper.gateway.parse.values import Notes

ENTRY = {
    "eid": 704643328, "state": "enabled", "measurementType": "production", "phaseMode": "split", "phaseCount": 2,
    "meteringStatus": "normal", "statusFlags": ["negative-production"],
}  # fmt: skip


def test_a_meter():
    notes = Notes()
    assert parse_meters([ENTRY], notes) == [
        ConfiguredMeter(704643328, "production", True, 2, "split", ("negative-production",))
    ]
    assert (notes.refused, notes.missing, notes.unknown) == ({}, set(), set())


def test_meters_of_any_kind_and_state_are_listed():
    combiner = ("net-consumption", "total-consumption", "storage", "backfeed", "load", "evse", "pv3p")
    data = [ENTRY | {"eid": n, "measurementType": name, "state": "disabled"} for n, name in enumerate(combiner)]
    assert [(m.measurement, m.enabled) for m in parse_meters(data)] == [(name, False) for name in combiner]


@pytest.mark.parametrize("data", [[], {}, {"error": "not metered"}])
def test_gateways_without_meters_have_an_empty_list(data):
    assert parse_meters(data) == []


def test_old_firmware_has_no_flags():
    notes = Notes()
    old = {key: value for key, value in ENTRY.items() if key not in {"statusFlags", "meteringStatus"}}
    assert parse_meters([old], notes)[0].status_flags == ()
    assert not notes.missing


@pytest.mark.parametrize("count", [None, 0, 4, 1.5, -1, "2", True])
def test_a_strange_phase_count_is_unknown(count):
    notes = Notes()
    assert parse_meters([ENTRY | {"phaseCount": count}], notes)[0].phase_count == 0
    assert notes.refused == {"meters.phaseCount": 1}


def test_a_phase_count_that_went_is_missing():
    notes = Notes()
    without = {key: value for key, value in ENTRY.items() if key != "phaseCount"}
    assert parse_meters([without], notes)[0].phase_count == 0
    assert notes.missing == {"meters.phaseCount"}


@pytest.mark.parametrize("change", [{"eid": None}, {"eid": "1"}, {"measurementType": None}, {"measurementType": "A b"}])
def test_a_meter_without_identity_is_refused(change):
    notes = Notes()
    assert parse_meters([ENTRY | change, ENTRY], notes) == parse_meters([ENTRY])
    assert notes.refused.total() == 1


def test_two_meters_of_one_measurement_cannot_share_a_series():
    second = ENTRY | {"eid": 5}
    assert [meter.eid for meter in parse_meters([ENTRY, second])] == [704643328]


@pytest.mark.parametrize("data", [None, "text", 7])
def test_anything_else_is_a_bad_reply(data):
    with pytest.raises(BadReplyError, match="meters"):
        parse_meters(data)
