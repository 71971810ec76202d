"""A reply as JSON, whole or not at all."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.errors import BadReplyError, EmptyReplyError
from scraper.gateway.parse.json_reply import MAX_DEPTH, load
from scraper.gateway.parse.values import read_number

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
ODD = ("-nan(ind)", "nan(0x8)", "-NaN(IND)", "nan()", "1.#QNAN", "-1.#IND00", "1.#INF")
"""As some C libraries print what is no number."""
CONTAINERS = st.lists(JSON, max_size=5) | st.dictionaries(st.text(), JSON, max_size=5)


def is_short(value):
    """Whether all integers have a length that we convert."""
    return all(abs(int(word)) < 10**19 for word in _list_integers(value))


def _list_integers(value):
    if isinstance(value, dict):
        return [number for child in value.values() for number in _list_integers(child)]
    if isinstance(value, list):
        return [number for child in value for number in _list_integers(child)]
    return [value] if isinstance(value, int) else []


@given(CONTAINERS.filter(is_short), st.sampled_from(["", "\n", "\r\n", " "]))
def test_whole_replies_come_through_unchanged(document, space):
    assert load((space + json.dumps(document) + space).encode()) == document


@given(CONTAINERS, st.data())
def test_a_reply_cut_anywhere_is_refused(document, data):
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    length = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(BadReplyError):
        load(body[:length])


@given(st.binary())
def test_garbage_gives_a_document_or_the_error_for_it(body):
    try:
        load(body)
    except BadReplyError as error:
        assert str(error)  # noqa: PT017 (both outcomes are right)


@pytest.mark.parametrize("body", [b"<html></html>", b"   <!DOCTYPE html PUBLIC", b"\r\n<h2>Valid token.</h2>"])
def test_a_web_page_is_named_as_such(body):
    with pytest.raises(BadReplyError, match="web page"):
        load(body)


@pytest.mark.parametrize("body", [b"[1,", b'{"a": 1} x', b"\xef\xbb\xbf[]", b"{'a': 1}", b"[01]", b"[1,]"])
def test_what_is_not_whole_json_is_refused(body):
    with pytest.raises(BadReplyError, match="not whole JSON"):
        load(body)


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_reply_says_that_nothing_is_there(body):
    with pytest.raises(EmptyReplyError, match="nothing"):
        load(body)


@pytest.mark.parametrize("word", ["nan", "NAN", "-nan", "inf", "-Inf", "infinity", *ODD])
def test_numbers_that_are_none_cost_one_value_however_they_are_written(word):
    body = b'{"a": %b, "b": [1.5, %b], "nan": "say \\"nan\\" or inf"}' % (word.encode(), word.encode())
    document = load(body)
    assert isinstance(document, dict)
    assert document["nan"] == 'say "nan" or inf'
    assert document["b"][0] == 1.5
    assert read_number(document["a"]) is None
    assert read_number(document["b"][1]) is None


def test_a_hostile_text_that_never_ends_is_read_once():
    with pytest.raises(BadReplyError, match="not whole JSON"):
        load(b'["' + b'\\"' * 500_000)


@pytest.mark.parametrize("body", [b'["\xff"]', '["ü"]'.encode("latin-1"), "[1]".encode("utf-16")])
def test_other_encodings_are_refused(body):
    with pytest.raises(BadReplyError, match="not UTF-8"):
        load(body)


def test_a_key_that_stands_twice_is_refused_at_any_depth():
    with pytest.raises(BadReplyError, match="twice"):
        load(b'[{"a": {"watts": 1, "watts": 2}}]')


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 100_000])
def test_absurd_nesting_is_refused(depth):
    with pytest.raises(BadReplyError, match="too deeply"):
        load(b"[" * depth + b"]" * depth)


def test_honest_nesting_is_not():
    assert load(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 5000, "-" + "9" * 40])
def test_absurd_numbers_lose_only_their_own_field(literal):
    document = load(f'{{"bad": {literal}, "good": 7}}'.encode())
    assert isinstance(document, dict)
    assert read_number(document["bad"]) is None
    assert read_number(document["good"]) == 7.0
    assert math.isfinite(document["good"])


@given(st.binary(min_size=1))
def test_no_message_repeats_the_reply(body):
    """A body may hold personal data."""
    try:
        load(b"{secret-canary" + body)
    except BadReplyError as error:
        assert "canary" not in str(error)  # noqa: PT017 (both outcomes are right)
