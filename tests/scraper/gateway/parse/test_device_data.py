"""The richer endpoint, and how it joins the plain list."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.errors import BadReplyError
from scraper.gateway.parse.device_data import join_inverters, parse_device_data
from scraper.gateway.parse.inverters import parse_inverters
from scraper.gateway.parse.values import Notes

DATE = 1748576887
REPORT = {
    "eid": 1627390225, "interval_type": 0, "endDate": DATE, "duration": 903, "flags": 0,
    "flags_hex": "0x0000000000000000", "joulesProduced": 230400, "acVoltageINmV": 248156, "acFrequencyINmHz": 50013,
    "dcVoltageINmV": 32363, "dcCurrentINmA": 8078, "channelTemp": 38, "pwrConvErrSecs": 0, "pwrConvMaxErrCycles": 0,
    "joulesUsed": 0, "leadingVArs": 0, "laggingVArs": 38, "acCurrentInmA": 1049, "l1NAcVoltageInmV": 0,
    "l2NAcVoltageInmV": 0, "l3NAcVoltageInmV": 0, "rssi": 110, "issi": 68,
}  # fmt: skip


def make_device(serial="122012345601", date=DATE, watts: Any = 255, **more):
    channel = {
        "chanEid": 1627390225,
        "created": date,
        "wattHours": {"today": 1239, "yesterday": 455, "week": 7466},
        "watts": {"now": watts, "nowUsed": 0, "max": 371},
        "lastReading": REPORT | {"endDate": date},
        "lifetime": {"createdTime": 1744834453, "duration": 6124463, "joulesProduced": 354281850},
    }
    return {"devName": "pcu", "sn": serial, "active": True, "modGone": False, "channels": [channel]} | more


def make_reply(*devices, count=None, limit=50):
    entries = {str(553648384 + 256 * index): entry for index, entry in enumerate(devices)}
    return {"deviceCount": len(devices) if count is None else count, "deviceDataLimit": limit} | entries


def make_listed(*entries):
    return parse_inverters([
        {"serialNumber": serial, "lastReportDate": date, "devType": 1, "lastReportWatts": watts, "maxReportWatts": 371}
        for serial, date, watts in entries
    ])  # fmt: skip


def test_every_field_in_our_units():
    notes = Notes()
    (reading,) = parse_device_data(make_reply(make_device()), notes).readings
    assert (reading.kind, reading.tags, reading.timestamp) == ("inverter", {"inverter": "122012345601"}, DATE * 1000)
    assert reading.fields == {
        "power": 255.0, "max_power": 371.0, "energy_lifetime": 354281850 / 3600, "energy_today": 1239.0,
        "ac_voltage": 248.156, "dc_voltage": 32.363, "ac_current": 1.049, "dc_current": 8.078, "frequency": 50.013,
        "temperature": 38.0, "rssi": 110.0, "interval": 903.0,
    }  # fmt: skip
    assert (notes.refused, notes.missing, notes.unknown) == ({}, set(), set())


def test_other_devices_are_left_alone():
    others = [
        make_device(devName="eim"),
        make_device(devName="nsrb"),
        make_device(devName="acb"),
        {},
        make_device(devName=None),
    ]
    assert parse_device_data(make_reply(*others)).readings == []


def test_removed_devices_are_left_out():
    removed = make_device(active=False, modGone=True)
    removed["channels"][0] |= {"lastReading": {}, "lifetime": {}}
    emptied = parse_device_data(make_reply(removed, make_device("2")))
    assert [reading.tags for reading in emptied.readings] == [{"inverter": "2"}]
    with_its_last_report = parse_device_data(make_reply(make_device(active=False), make_device("2")))
    assert with_its_last_report == emptied


def test_an_inverter_that_has_not_reported_yet_is_left_out():
    fresh = make_device()
    fresh["channels"][0] |= {"lastReading": {}, "lifetime": {}}
    assert parse_device_data(make_reply(fresh)).readings == []
    assert parse_device_data(make_reply(make_device(date=0))).readings == []


def test_a_silent_inverter_keeps_its_report_without_what_is_only_of_the_moment():
    """At night the gateway zeroes the signal, and at midnight the energy of the day, under the old report date."""
    by_day = parse_device_data(make_reply(make_device())).readings[0]
    by_night = make_device(modGone=True)
    by_night["channels"][0]["lastReading"]["rssi"] = 0
    by_night["channels"][0]["wattHours"]["today"] = 0
    (reading,) = parse_device_data(make_reply(by_night)).readings
    assert reading.fields == {k: v for k, v in by_day.fields.items() if k not in {"rssi", "energy_today"}}


def test_power_beyond_31_bits_is_a_negative_number():
    (reading,) = parse_device_data(make_reply(make_device(watts=4294967292))).readings
    assert reading.fields["power"] == -4.0


@pytest.mark.parametrize("channels", [None, [], {}, ["text"], [{}], [{"lastReading": []}]])
def test_channels_of_another_shape_give_no_reading(channels):
    assert parse_device_data(make_reply(make_device(channels=channels))).readings == []


def test_a_bad_value_loses_only_itself():
    notes = Notes()
    bad = make_device()
    bad["channels"][0]["lastReading"] |= {"channelTemp": None, "duration": 0}
    (reading,) = parse_device_data(make_reply(bad), notes).readings
    assert reading.fields["ac_voltage"] == 248.156
    assert not reading.fields.keys() & {"temperature", "interval"}
    assert notes.refused == {"device_data.channelTemp": 1, "device_data.duration": 1}


def test_renamed_fields_are_noted():
    notes = Notes()
    renamed = make_device()
    report = renamed["channels"][0]["lastReading"]
    report["temperature"] = report.pop("channelTemp")
    (reading,) = parse_device_data(make_reply(renamed), notes).readings
    assert "temperature" not in reading.fields
    assert notes.missing == {"device_data.lastReading.channelTemp"}
    assert notes.unknown == {"device_data.lastReading.temperature"}


@pytest.mark.parametrize(
    ("count", "limit", "truncated"),
    [(49, 50, False), (50, 50, True), (51, 50, True), (3, 3, True), (2, "x", True), (None, 50, False)],
)
def test_the_device_limit_is_noticed(count, limit, truncated):
    assert (
        parse_device_data(make_reply(make_device(), make_device("2"), count=count, limit=limit)).truncated is truncated
    )


def test_the_limit_counts_devices_even_without_a_counter_or_with_a_wrong_one():
    data = make_reply(*(make_device(str(n)) for n in range(50)))
    assert parse_device_data(data | {"deviceCount": 7}).truncated
    del data["deviceCount"], data["deviceDataLimit"]
    assert parse_device_data(data).truncated


@pytest.mark.parametrize("data", [[], None, "text", 7])
def test_anything_but_an_object_is_a_bad_reply(data):
    with pytest.raises(BadReplyError, match="device_data"):
        parse_device_data(data)


# Joining


def test_fields_of_the_same_report_are_merged_and_the_list_wins():
    (reading,) = join_inverters(
        make_listed(("1", DATE, 254)), parse_device_data(make_reply(make_device("1", watts=255)))
    )
    assert reading.fields["power"] == 254.0
    assert reading.fields["temperature"] == 38.0


def test_no_inverter_is_lost_because_the_richer_endpoint_misses_it():
    both = make_listed(("1", DATE, 254), ("2", DATE, 100))
    joined = join_inverters(both, parse_device_data(make_reply(make_device("1"))))
    assert {reading.tags["inverter"] for reading in joined} == {"1", "2"}


def test_no_inverter_is_lost_beyond_fifty_devices():
    everything = make_listed(*((str(n), DATE, n) for n in range(60)))
    rich = parse_device_data(make_reply(*(make_device(str(n)) for n in range(50)), count=60))
    assert join_inverters(everything, rich) == everything.readings


def test_reports_that_moved_between_the_two_requests_do_not_mix():
    for rich_date in (DATE - 900, DATE + 900):
        before = make_listed(("1", DATE, 254))
        assert join_inverters(before, parse_device_data(make_reply(make_device("1", rich_date)))) == before.readings


def test_an_inverter_that_only_the_richer_endpoint_has_is_kept():
    joined = join_inverters(
        make_listed(("1", DATE, 254)), parse_device_data(make_reply(make_device("1"), make_device("2")))
    )
    assert [reading.tags["inverter"] for reading in joined] == ["1", "2"]


def test_ghosts_and_batteries_do_not_come_back_through_the_richer_endpoint():
    plain = parse_inverters([
        {"serialNumber": "1", "lastReportDate": 0, "lastReportWatts": 0, "maxReportWatts": 0},
        {"serialNumber": "2", "lastReportDate": DATE, "devType": 11, "lastReportWatts": 5, "maxReportWatts": 9},
    ])  # fmt: skip
    assert join_inverters(plain, parse_device_data(make_reply(make_device("1"), make_device("2")))) == []


def test_a_list_that_is_not_ready_gives_nothing():
    assert join_inverters(parse_inverters([]), parse_device_data(make_reply(make_device()))) == []


def test_either_endpoint_alone_is_enough():
    rich = parse_device_data(make_reply(make_device("1")))
    plain = make_listed(("1", DATE, 254))
    assert join_inverters(None, rich) == rich.readings
    assert join_inverters(plain, None) == plain.readings
    assert join_inverters(None, None) == []


@given(st.data())
def test_no_identity_ever_gets_two_values_for_one_field(data):
    """Polls of a roof whose inverters report at any moment, also between the two requests of one poll."""
    reports = dict.fromkeys("abc", 1)
    stored: dict[tuple[str, int, str], object] = {}
    for _ in range(data.draw(st.integers(1, 6))):
        plain = make_listed(*((s, DATE + 900 * n, n) for s, n in reports.items()))
        for serial in data.draw(st.sets(st.sampled_from("abc"))):
            reports[serial] += 1
        # The richer endpoint rounds differently, and may miss some.
        seen = data.draw(st.sets(st.sampled_from("abc")))
        rich = parse_device_data(
            make_reply(*(make_device(s, DATE + 900 * reports[s], reports[s] + 1) for s in sorted(seen)))
        )
        joined = join_inverters(plain, rich)
        assert [r.tags["inverter"] for r in joined] == list("abc")
        for reading in joined:
            for name, value in reading.fields.items():
                key = (reading.tags["inverter"], reading.timestamp, name)
                assert stored.setdefault(key, copy.copy(value)) == value
