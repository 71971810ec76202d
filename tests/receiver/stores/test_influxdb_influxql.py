"""Statements: their shape does not depend on the values of a caller."""

import re

from hypothesis import given
from hypothesis import strategies as st

from receiver.stores.gate import MAX_TIMESTAMP_MS
from receiver.stores.influxdb.encode import encode_series
from receiver.stores.influxdb.influxql import Order, TimeSpan, parse_series, select, show_series
from receiver.stores.kinds import STORED

texts = st.text(st.characters(codec="utf-8"))
times = st.integers(-(2**70), 2**70)
PHASES = ("meter", "phase")


@given(texts, texts, texts, times, times)
def test_no_value_reaches_the_text_of_a_statement(gateway, meter, phase, start, stop):
    """Serials, tags and times are parameters, whatever they are."""
    statement = select(
        "meter", ["power", "voltage"], TimeSpan(start, stop), gateway=gateway, tags={"phase": phase},
        among=[(meter, phase)], group_by=PHASES, order=Order(5, backwards=True),
    )  # fmt: skip
    assert statement.text == (
        'SELECT "power", "voltage" FROM "meter" WHERE time >= $p0 AND time < $p1 AND "gateway" = $p2 AND "phase" = $p3 '
        'AND (("meter" = $p4 AND "phase" = $p5)) GROUP BY "meter", "phase" ORDER BY time DESC LIMIT 5'
    )
    assert show_series(["meter"], gateway, {"phase": phase}).text == (
        'SHOW SERIES FROM "meter" WHERE "gateway" = $p0 AND "phase" = $p1'
    )


@given(times)
def test_every_time_becomes_one_that_influxdb_knows(time):
    """Milliseconds to nanoseconds, exactly; what lies beyond stays beyond."""
    bound = select("meter", ["power"], TimeSpan(time)).params["p0"]
    assert abs(int(bound)) < 2**63 - 1
    if abs(time) <= MAX_TIMESTAMP_MS:
        assert bound == time * 1_000_000
    else:
        assert abs(int(bound)) >= MAX_TIMESTAMP_MS * 1_000_000


def test_names_are_quoted_and_every_kind_can_be_asked_for():
    """Words of InfluxQL among them, e.g. duration."""
    for kind, described in STORED.items():
        text = select(kind, described.fields, TimeSpan(), group_by=described.tags).text
        fields = ", ".join(f'"{name}"' for name in described.fields)
        assert text.startswith(f'SELECT {fields} FROM "{kind}"')  # noqa: S608 (names of the dictionary)
        assert re.fullmatch(r'[A-Za-z0-9_", ]+', text)


def test_no_condition_grows_without_end():
    """Many series are asked for by asking for all."""
    many = [(f"{n}",) for n in range(51)]
    assert "OR" in select("inverter", ["power"], TimeSpan(), among=many[:50]).text
    assert "OR" not in select("inverter", ["power"], TimeSpan(), among=many).text
    assert "WHERE" not in select("gateway", ["version"], TimeSpan(), among=[()]).text


@given(texts, texts, texts)
def test_the_index_tells_series_apart_as_they_were_written(gateway, inverter, panel):
    """Its lines are the beginnings of line protocol; an empty tag is none."""
    tags = {"inverter": inverter, "panel": panel, "array": "-"}
    shown = encode_series(gateway, "panel_1d", tags).decode()
    assert parse_series(shown) == ("panel_1d", gateway, (inverter, panel, "-"))
