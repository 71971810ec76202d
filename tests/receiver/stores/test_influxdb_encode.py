"""Line protocol: the points that go in are the points that come out, for a reader of our own and for InfluxDB itself."""

import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.stores.gate import MAX_TIMESTAMP_MS, find_refusal
from receiver.stores.influxdb.encode import encode_lines, encode_series
from receiver.stores.influxdb.tags import from_influx, to_influx
from receiver.stores.kinds import STORED
from shared.readings import Reading
from tests.receiver.stores.influx_server import InfluxTestServer, exact
from tests.receiver.stores.line_protocol import read

AWKWARD = [
    "a",
    "\\",
    ",",
    "=",
    " ",
    '"',
    "\n",
    "\r",
    "\t",
    "\0",
    "é",
    "☀",
    "😀",
    "\N{SYMBOL FOR ESCAPE}",
    "n",
    "b",
    "e",
]
texts = st.one_of(
    st.lists(st.sampled_from(AWKWARD), max_size=6).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e22, 1e16, 0.1 + 0.2]),
    st.integers(-(2**53), 2**53),
)


@st.composite
def draw_readings(draw):
    """Any reading that passes the gate."""
    kind = draw(st.sampled_from(sorted(STORED)))
    described = STORED[kind]
    names = draw(st.lists(st.sampled_from(sorted(described.fields)), min_size=1, unique=True))
    reading = Reading(
        kind,
        {tag: draw(texts) for tag in described.tags},
        draw(st.integers(-MAX_TIMESTAMP_MS, MAX_TIMESTAMP_MS)),
        {name: draw(numbers if described.fields[name].type is float else texts) for name in names},
    )
    assert find_refusal(reading) is None
    return reading


rows = st.lists(st.tuples(texts, draw_readings()), max_size=8)


def encode(rows):
    prefixes = [encode_series(gateway, reading.kind, reading.tags) for gateway, reading in rows]
    return b"\n".join(encode_lines(prefixes, [reading for _, reading in rows]))


def to_bits(fields):
    """Fields with numbers as their bits, but for the sign of zero."""
    return {
        name: value if isinstance(value, str) else struct.pack(">d", float(value) + 0.0)
        for name, value in fields.items()
    }


@given(rows)
def test_the_points_that_go_in_come_out_of_a_reader_of_line_protocol(rows):
    """Each with its tags, its time and its numbers bit for bit; an empty tag is one that is not there."""
    found = read(encode(rows))
    assert len(found) == len(rows)
    for point, (gateway, reading) in zip(found, rows, strict=True):
        tags = {"gateway": gateway, **reading.tags}
        assert point.measurement == reading.kind
        assert {name: from_influx(value) for name, value in point.tags.items()} == {n: v for n, v in tags.items() if v}
        assert point.timestamp == reading.timestamp
        assert to_bits(point.fields) == to_bits(reading.fields)


@given(texts)
def test_tag_values_come_back_and_plain_ones_are_stored_as_they_are(value):
    held = to_influx(value)
    assert from_influx(held) == value
    assert not set(held) & {"\n", "\r", "\0"}
    assert not held.endswith("\\")
    if not (set(value) & {"\n", "\r", "\0", "\N{SYMBOL FOR ESCAPE}"} or value.endswith("\\")):
        assert held == value


@given(texts, texts)
def test_no_two_tag_values_become_one(one, other):
    assert (to_influx(one) == to_influx(other)) == (one == other)


def test_names_of_the_dictionary_need_no_escape():
    """The fast way writes field names as they are."""
    for kind, described in STORED.items():
        for name in (kind, *described.tags, *described.fields):
            assert re.fullmatch("[a-z][a-z0-9_]*", name), name
            assert name != "time"


def test_a_line_looks_as_documented():
    reading = Reading(
        "meter", {"phase": "a", "meter": "net consumption"}, 1_760_000_000_123, {"power": -1.5, "voltage": 230}
    )
    prefix = encode_series("122300001234", reading.kind, reading.tags)
    assert encode_lines([prefix], [reading]) == [
        rb"meter,gateway=122300001234,meter=net\ consumption,phase=a power=-1.5,voltage=230 1760000000123"
    ]


def test_no_rows_are_no_lines():
    assert encode_lines([], []) == []


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with InfluxTestServer.run(tmp_path_factory.mktemp("influxd")) as server:
        yield server


@exact
@given(rows=rows)
def test_the_points_that_go_in_come_out_of_influxdb(server, rows):
    """What one identity was given last is what is there, and nothing else."""
    expected: dict[tuple[object, ...], dict[str, object]] = {}
    for gateway, reading in rows:
        tags = {name: value for name, value in {"gateway": gateway, **reading.tags}.items() if value}
        key = (reading.kind, frozenset(tags.items()), reading.timestamp)
        expected.setdefault(key, {}).update(to_bits(reading.fields))
    bucket = server.make_bucket()
    assert server.post(bucket, encode(rows)).status_code == 204
    found = {}
    for kind in {reading.kind for _, reading in rows}:
        for tags, timestamp, fields in server.read_points(bucket, kind):
            held = frozenset((name, from_influx(value)) for name, value in tags.items() if value)
            found[kind, held, timestamp] = to_bits(fields)
    assert found == expected
