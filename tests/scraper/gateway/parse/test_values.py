"""What counts as a number, and the notes about what does not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.errors import BadReplyError
from scraper.gateway.parse.values import Notes, list_objects, read_epoch_seconds, read_fields, read_number


@pytest.mark.parametrize(
    "value", [None, True, False, "1", "", [], {}, math.nan, math.inf, -math.inf, 2**63 + 1, 1e19, -1e300]
)
def test_what_is_no_measurement_is_refused(value):
    assert read_number(value) is None


@given(st.integers(-(2**63), 2**63) | st.floats(-(2.0**63), 2.0**63))
def test_measurements_come_out_as_equal_floats(value):
    result = read_number(value)
    assert type(result) is float
    assert result == float(value)


def test_negative_zero_is_zero():
    assert math.copysign(1, read_number(-0.0) or 0.0) == 1
    assert str(read_number(-0.0)) == "0.0"


@pytest.mark.parametrize(
    ("value", "seconds"), [(0, 0), (1718213210, 1718213210), (1718213210.9, 1718213210), (2**32 - 1, 2**32 - 1)]
)
def test_dates(value, seconds):
    assert read_epoch_seconds(value) == seconds


@pytest.mark.parametrize("value", [-1, 2**32, 1e15, None, "1718213210", math.nan])
def test_what_is_no_date_is_refused(value):
    assert read_epoch_seconds(value) is None


def test_a_bad_field_is_counted_and_its_siblings_kept():
    notes = Notes()
    table = {"a": ("one", 1.0), "b": ("two", 1000.0), "c": ("three", 1.0)}
    assert read_fields({"a": None, "b": 250}, table, "here", notes) == {"two": 0.25}
    read_fields({"a": "text"}, table, "here", notes)
    assert notes.refused == {"here.a": 2}


@pytest.mark.parametrize("raw", [4294967292, 4294967292.0])
def test_a_negative_number_that_was_printed_as_unsigned_is_read_and_noted(raw):
    notes = Notes()
    table = {"w": ("power", 1.0), "t": ("temperature", 1.0), "j": ("energy_lifetime", 3600.0)}
    assert read_fields({"w": raw, "t": raw, "j": raw}, table, "here", notes) == {
        "power": -4.0, "temperature": -4.0, "energy_lifetime": 4294967292 / 3600,
    }  # fmt: skip
    assert notes.odd == {"here.w unsigned", "here.t unsigned"}
    assert not notes.refused


def test_keys_that_came_or_went_are_noted():
    notes = Notes()
    notes.compare("here", {"a": 1, "new": 2, "maybe": 3}, frozenset({"a", "gone"}), frozenset({"maybe"}))
    assert notes.missing == {"here.gone"}
    assert notes.unknown == {"here.new"}


def test_hostile_names_stay_short_printable_and_few():
    notes = Notes()
    for index in range(1000):
        notes.add_unknown(f"{index}\n\x1b[31m\ud800" + "x" * 500)
    assert len(notes.unknown) == 64
    assert all(len(name) <= 64 and name.isprintable() and name.isascii() for name in notes.unknown)


def test_a_list_gives_its_objects_and_counts_the_rest():
    notes = Notes()
    assert list(list_objects([{"a": 1}, 7, None, {}], "here", notes)) == [{"a": 1}, {}]
    assert notes.refused == {"here": 2}


@pytest.mark.parametrize("data", [{}, None, "text", 7])
def test_what_is_no_list_is_a_bad_reply(data):
    with pytest.raises(BadReplyError, match="not a list"):
        list(list_objects(data, "here", Notes()))
