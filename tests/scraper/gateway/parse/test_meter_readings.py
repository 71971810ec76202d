"""Polled meter readings."""

import math
from typing import Any

import pytest

from scraper.errors import BadReplyError
from scraper.gateway.parse.meter_readings import parse_readings
from scraper.gateway.parse.meters import ConfiguredMeter
from scraper.gateway.parse.phases import MeterValues
from scraper.gateway.parse.values import Notes

STAMP = 1718213330
CHANNEL = {
    "eid": 1778385169, "timestamp": STAMP, "actEnergyDlvd": 3183793.885, "actEnergyRcvd": 8851.704,
    "apparentEnergy": 3576167.385, "reactEnergyLagg": 591594.008, "reactEnergyLead": 0.021,
    "instantaneousDemand": 488.925, "activePower": 488.925, "apparentPower": 510.003, "reactivePower": 114.596,
    "pwrFactor": 0.957, "voltage": 235.236, "current": 2.169, "freq": 50.0,
}  # fmt: skip
VALUES = {
    "power": 488.925, "reactive_power": 114.596, "apparent_power": 510.003, "voltage": 235.236, "current": 2.169,
    "power_factor": 0.957, "frequency": 50.0,
}  # fmt: skip
COUNTERS = {"delivered": 3183793.885, "received": 8851.704}
GHOST = CHANNEL | {"activePower": -1.044, "voltage": 11.469}
UNUSED = dict.fromkeys(CHANNEL, 0.0) | {"eid": 3, "timestamp": STAMP}


def make_meter(eid=704643328, measurement="production", *, enabled=True, phases=1):
    return ConfiguredMeter(eid, measurement, enabled, phases, "three", ())


def make_entry(*channels, eid=704643328, **more) -> dict[str, Any]:
    return CHANNEL | {"eid": eid, "voltage": 705.0, "pwrFactor": 1.94, "channels": list(channels)} | more


def test_values_and_counters_of_a_phase():
    notes = Notes()
    readings = parse_readings([make_entry(CHANNEL, GHOST, UNUSED)], [make_meter()], notes)
    assert readings == [MeterValues("production", "a", STAMP, VALUES, COUNTERS)]
    assert (notes.refused, notes.missing, notes.unknown) == ({}, set(), set())


def test_only_metered_phases_are_read():
    channels = (CHANNEL, CHANNEL | {"activePower": 1.0}, CHANNEL | {"activePower": -3545.209, "voltage": 123.696})
    for phases in (1, 2, 3):
        readings = parse_readings([make_entry(*channels)], [make_meter(phases=phases)])
        assert [reading.phase for reading in readings] == ["a", "b", "c"][:phases]


def test_without_a_phase_count_live_phases_are_read():
    readings = parse_readings([make_entry(CHANNEL, GHOST, CHANNEL)], [make_meter(phases=0)])
    assert [reading.phase for reading in readings] == ["a", "c"]


def test_unknown_disabled_and_repeated_meters_are_left_out():
    """Recent firmware adds a meter of zeros that the configuration does not know; disabled ones show noise."""
    meters = [make_meter(), make_meter(2, "net-consumption", enabled=False)]
    data = [make_entry(CHANNEL, eid=1023410688), make_entry(CHANNEL, eid=2), make_entry(CHANNEL), make_entry(GHOST)]
    assert [(r.meter, r.values["power"]) for r in parse_readings(data, meters)] == [("production", 488.925)]


def test_an_entry_that_says_not_which_meter_it_is_is_noted():
    notes = Notes()
    assert parse_readings([make_entry(CHANNEL, eid="704643328")], [make_meter()], notes) == []
    assert notes.refused == {"readings.eid": 1}


def test_order_of_the_two_lists_does_not_matter():
    meters = [make_meter(), make_meter(2, "net-consumption")]
    data = [make_entry(CHANNEL | {"activePower": -5.0}, eid=2), make_entry(CHANNEL)]
    assert {r.meter: r.values["power"] for r in parse_readings(data, meters)} == {
        "net-consumption": -5.0,
        "production": 488.925,
    }


def test_stamp_zero_is_no_reading():
    assert parse_readings([make_entry(CHANNEL | {"timestamp": 0})], [make_meter()]) == []
    assert parse_readings([make_entry(timestamp=0)], [make_meter()]) == []


def test_a_channel_without_a_stamp_has_that_of_its_meter():
    bare = {key: value for key, value in CHANNEL.items() if key != "timestamp"}
    assert parse_readings([make_entry(bare, timestamp=77)], [make_meter()])[0].timestamp_s == 77


def test_the_sum_stands_in_only_for_a_single_phase():
    alone = CHANNEL | {"eid": 704643328}
    assert parse_readings([alone], [make_meter()]) == [MeterValues("production", "a", STAMP, VALUES, COUNTERS)]
    assert parse_readings([alone], [make_meter(phases=3)]) == []
    assert parse_readings([alone | {"channels": []}], [make_meter(phases=2)]) == []


def test_negative_zero_is_zero():
    (reading,) = parse_readings([make_entry(CHANNEL | {"activePower": -0.0})], [make_meter()])
    assert math.copysign(1, reading.values["power"]) == 1


@pytest.mark.parametrize("missing", [UNUSED, None, CHANNEL | {"timestamp": 0}])
def test_a_phase_that_an_answer_lacks_is_known_to_be_there_and_what_is_not_metered_is_left_out(missing):
    """From the first answer on: the sum of the others would be taken for that of all."""
    for first, last in ((0, 1), (1, 0)):
        channels = [CHANNEL, CHANNEL, UNUSED]
        channels[first] = missing
        readings = parse_readings([make_entry(*channels)], [make_meter(phases=2)])
        assert [reading.phase for reading in readings] == ["a", "b"]
        assert readings[first] == MeterValues("production", "ab"[first], STAMP, {"frequency": 50.0}, {})
        assert readings[last].values == VALUES
    readings = parse_readings([make_entry(CHANNEL)], [make_meter(phases=2)])  # a list that is too short
    assert [reading.values for reading in readings] == [VALUES, {"frequency": 50.0}]


def test_a_phase_of_null_beside_a_sister_that_says_no_frequency_is_known_to_be_there():
    """Collar firmware leaves the frequency at 0 on some meters: the part would be taken for the sum."""
    channels = [None, CHANNEL | {"freq": 0.0}]
    first, last = parse_readings([make_entry(*channels)], [make_meter(phases=2)])
    assert first == MeterValues("production", "a", STAMP, {}, {})
    assert first.make_reading(STAMP).fields == {"measured": 0.0}
    assert (last.phase, last.make_reading(STAMP).fields["measured"]) == ("b", 1.0)


def test_a_meter_of_which_nothing_is_live_gets_no_phases():
    assert parse_readings([make_entry(UNUSED, UNUSED)], [make_meter(phases=2)]) == []


@pytest.mark.parametrize("left", [{}, {"pwrFactor": 1.0}, {"reactivePower": 3.5, "apparentPower": 3.5}])
@pytest.mark.parametrize("dropped", [0, 1])
def test_a_phase_that_drops_out_keeps_its_frequency_and_nothing_else(dropped, left):
    """Firmware 8.3.6086: all zeros but the frequency, counters too, for one poll; or little more is left."""
    gone = dict.fromkeys(CHANNEL, 0.0) | {"eid": 3, "timestamp": STAMP, "freq": 60.0} | left
    channels = [CHANNEL, CHANNEL]
    channels[dropped] = gone
    readings = parse_readings([make_entry(*channels)], [make_meter(measurement="storage", phases=2)])
    assert (readings[dropped].values, readings[dropped].counters) == ({"frequency": 60.0}, {})
    assert (readings[1 - dropped].values, readings[1 - dropped].counters) == (VALUES, COUNTERS)


def test_a_meter_without_power_from_the_grid_still_has_its_counters():
    """An outage: no volts, but the counters say that the meter is there and that nothing flows."""
    dark = dict.fromkeys(CHANNEL, 0.0) | {"eid": 3, "timestamp": STAMP, "freq": 60.0, "actEnergyDlvd": 5.0}
    (reading,) = parse_readings([make_entry(dark)], [make_meter()])
    assert reading.values["power"] == 0.0
    assert reading.counters["delivered"] == 5.0


def test_a_stamp_that_is_no_date_costs_no_channel():
    notes = Notes()
    (reading,) = parse_readings([make_entry(CHANNEL | {"timestamp": "soon"}, timestamp=77)], [make_meter()], notes)
    assert (reading.timestamp_s, reading.values) == (77, VALUES)
    assert notes.refused == {"readings.timestamp": 1}


def test_a_frequency_of_zero_and_a_power_factor_above_one_are_made_up():
    notes = Notes()
    (reading,) = parse_readings([make_entry(CHANNEL | {"freq": 0.0, "pwrFactor": 1.55})], [make_meter()], notes)
    assert reading.values == {k: v for k, v in VALUES.items() if k not in {"frequency", "power_factor"}}
    assert notes.refused == {"readings.power_factor": 1}


def test_missing_and_bad_fields_lose_only_themselves():
    notes = Notes()
    partial = {key: value for key, value in CHANNEL.items() if key != "reactivePower"}
    (reading,) = parse_readings([make_entry(partial | {"current": None, "actEnergyRcvd": "x"})], [make_meter()], notes)
    assert reading.values == {k: v for k, v in VALUES.items() if k not in {"reactive_power", "current"}}
    assert reading.counters == {"delivered": 3183793.885}
    assert notes.refused == {"readings.current": 1, "readings.actEnergyRcvd": 1}
    assert notes.missing == {"readings.channels.reactivePower"}


def test_a_damaged_channel_does_not_shift_the_phases():
    readings = parse_readings([make_entry(CHANNEL, None, CHANNEL)], [make_meter(phases=3)])
    assert [(reading.phase, reading.values.get("power")) for reading in readings] == [
        ("a", 488.925), ("b", None), ("c", 488.925)
    ]  # fmt: skip


@pytest.mark.parametrize("data", [[], {}, {"error": "404 - Not Found"}])
def test_no_meters_give_no_readings(data):
    assert parse_readings(data, [make_meter()]) == []


@pytest.mark.parametrize("data", [None, "text", 7])
def test_anything_else_is_a_bad_reply(data):
    with pytest.raises(BadReplyError, match="readings"):
        parse_readings(data, [make_meter()])
