"""The cloud's replies, as the examples have them, and as they should not be."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper.cloud.parse.devices import parse_devices
from scraper.cloud.parse.energy_lifetime import parse_energy_lifetime
from scraper.cloud.parse.production_micro import InverterShare, parse_production_micro
from scraper.cloud.parse.replies import ReplyMeta
from scraper.cloud.parse.rgm_stats import parse_rgm_stats
from scraper.cloud.parse.systems import parse_system, parse_systems
from scraper.cloud.rules.amounts import take_meters, take_micros
from scraper.errors import BadReplyError
from tests.cloud_examples import read_example

META = ReplyMeta(1778581865, 1778581800)
PARSERS = (parse_energy_lifetime, parse_production_micro, parse_rgm_stats, parse_systems, parse_system, parse_devices)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
KEYS = st.sampled_from(
    ["end_at", "devices_reporting", "powr", "enwh", "wh_del", "curr_w", "channel", "intervals", "system_id", "name"]
)
ENTRIES = st.lists(st.dictionaries(KEYS, JSON, max_size=6) | JSON, max_size=4)


def test_what_inverters_made():
    reply = parse_production_micro(read_example("production_micro"))
    assert (reply.devices_total, reply.meta) == (12, META)
    assert reply.intervals[0] == InverterShare(1778580300, 12, 2172, 181)
    assert reply.intervals[-1] == InverterShare(1778581800, 9, 1536, 128)
    assert all(one.energy_wh is not None and one.power_w == 12 * one.energy_wh for one in reply.intervals)


def test_a_night_without_intervals():
    reply = parse_production_micro(read_example("production_micro-empty"))
    assert (reply.intervals, reply.meta) == ((), ReplyMeta(1778553967, 1778528400))


def test_what_meters_counted_and_their_channels():
    amounts = take_meters(parse_rgm_stats(read_example("rgm_stats")))
    first = amounts.intervals[0]
    assert (first.end_s, first.devices, amounts.devices_total) == (1778580900, 1, 1)
    assert first.energies == {"total": 551, "a": 184, "b": 183, "c": 184}
    assert first.powers == {"total": 2194, "a": 731, "b": 724, "c": 739}


def test_an_unused_channel_is_no_phase():
    only = take_meters(parse_rgm_stats(read_example("rgm_stats-split-phase"))).intervals[0]
    assert only.energies == {"total": 312, "a": 156, "b": 156}
    assert only.powers == {"total": 1244, "a": 622, "b": 622}


def test_channels_of_several_meters_are_added():
    both, one = take_meters(parse_rgm_stats(read_example("rgm_stats-two-meters"))).intervals
    assert (both.energies, both.powers) == ({"total": 80, "a": 80}, {"total": 319, "a": 319})
    assert (one.devices, one.energies) == (1, {"total": 40, "a": 40})


def test_a_system_without_a_meter_has_none():
    reply = parse_rgm_stats(read_example("rgm_stats-no-meter"))
    assert (reply.devices_total, reply.intervals, reply.channels) == (0, (), ())


def make_meters(total, *channels):
    entries = [
        {"channel": n, "end_at": 900, "wh_del": wh, "curr_w": watts} for n, (wh, watts) in enumerate(channels, 1)
    ]
    return {"intervals": [{"end_at": 900, "wh_del": total}], "meter_intervals": [{"intervals": entries}]}


def test_phases_that_contradict_the_total_are_left_out():
    """Ghost values were seen in a channel that is not used."""
    (found,) = take_meters(parse_rgm_stats(make_meters(100, (50, 200), (50, 200), (35, 140)))).intervals
    assert (found.energies, found.powers) == ({"total": 100}, {})


def test_a_power_that_is_unknown_leaves_its_phase_and_the_sum_unknown():
    (found,) = take_meters(parse_rgm_stats(make_meters(101, (50, 200), (50, None)))).intervals
    assert (found.energies, found.powers) == ({"total": 101, "a": 50, "b": 50}, {"a": 200})


@pytest.mark.parametrize("energy", [None, -1, "7", True, float("nan")])
def test_an_energy_that_is_unknown_is_no_interval(energy):
    document = {"intervals": [{"end_at": 300, "enwh": energy}, [{"end_at": 600, "enwh": 1}]]}
    assert [one.end_s for one in take_micros(parse_production_micro(document)).intervals] == [600]


def test_lists_in_lists_are_read():
    document = {"intervals": [[{"end_at": 600, "enwh": 2}, {"end_at": 300, "enwh": 1}]]}
    assert [one.energy_wh for one in parse_production_micro(document).intervals] == [1, 2]


def test_the_systems_of_an_account_come_in_pages():
    page = parse_systems(read_example("systems"))
    assert [(one.system_id, one.name, one.time_zone) for one in page.systems] == [
        (4711023, "Roof", "Europe/Amsterdam"),
        (4711058, "Barn", "US/Eastern"),
        (4711090, "Shed", "US/Eastern"),
    ]
    assert not page.has_more
    assert parse_systems({"systems": [{"system_id": 1}], "total": 3, "current_page": 1, "size": 1, "count": 1}).has_more
    assert parse_system(read_example("system")).last_report_s == 1778581865


def test_a_system_may_have_no_meter():
    assert parse_devices(read_example("devices")) == (2, 2)
    assert parse_devices(read_example("devices-no-meter")).meters == 0


@pytest.mark.parametrize("parse", PARSERS)
@settings(max_examples=40)
@given(document=JSON, entries=ENTRIES)
def test_whatever_comes_is_read_or_refused(parse, document, entries):
    shapes = (document, {"intervals": entries, "meter_intervals": entries, "systems": entries, "devices": document})
    for shape in shapes:
        with contextlib.suppress(BadReplyError):
            parse(shape)
