"""The wire format: what goes in comes out, and nothing else passes."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import wire
from shared.readings import Reading

finite = st.floats(allow_nan=False, allow_infinity=False)
readings = st.builds(
    Reading,
    kind=st.sampled_from(["meter", "inverter", "gateway"]),
    tags=st.dictionaries(st.text(), st.text(), max_size=3),
    timestamp=st.integers(min_value=-(2**62), max_value=2**62),
    fields=st.dictionaries(st.text(), finite | st.text(), max_size=5),
)


@given(st.lists(readings, max_size=5))
def test_a_batch_is_decoded_as_it_was_encoded(items):
    """Every reading arrives bit for bit, floats included."""
    rows = [(seq, wire.encode_reading(reading)) for seq, reading in enumerate(items, 1)]
    body = wire.encode_batch(batch="ab", outbox="cd", rows=rows)
    batch = msgspec.json.decode(body, type=wire.Batch)
    assert (batch.version, batch.batch, batch.outbox) == (wire.VERSION, "ab", "cd")
    assert [row.seq for row in batch.rows] == list(range(1, len(items) + 1))
    assert [row.reading for row in batch.rows] == items


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_cannot_say_is_refused(value):
    """NaN would silently become null on the wire."""
    with pytest.raises(ValueError, match="power"):
        wire.encode_reading(Reading("meter", {}, 1, {"power": value}))


def test_an_unknown_key_in_a_verdict_is_tolerated():
    """A newer receiver may say more."""
    verdict = wire.decode_verdict(b'{"batch":"ab","accepted":2,"mood":"sunny"}')
    assert (verdict.batch, verdict.accepted, verdict.rejected) == ("ab", 2, [])


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"batch":"ab"}', b'{"batch":1,"accepted":1}', b"null"])
def test_what_is_no_verdict_is_no_verdict(body):
    """A captive portal's page deletes nothing."""
    with pytest.raises(msgspec.DecodeError):
        wire.decode_verdict(body)
