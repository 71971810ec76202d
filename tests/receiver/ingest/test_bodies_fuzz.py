"""Any body at all is judged: taken, or refused as one of three problems."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from receiver.errors import RefusedError
from receiver.ingest import validate
from receiver.stores.gate import find_refusal
from shared.fields import KINDS
from shared.problems import Problem
from tests.clocks import NOW_MS
from tests.receiver.ingest.bodies import encode, make_document, make_raw

UNLIMITED_RETENTION = dict.fromkeys(KINDS)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def judge(data: bytes) -> Problem | None:
    """The verdict of validation alone: a problem, or None for a batch that is taken."""
    try:
        validate.check(data, now_ms=NOW_MS, retention_ms=UNLIMITED_RETENTION)
    except RefusedError as refused:
        return refused.problem
    return None


def test_tags_are_judged_the_same_again_and_again():
    """What was found good is remembered, by kind; what was refused is refused again; order means nothing."""
    good = {"meter": "production", "phase": "a"}
    for _ in range(3):
        assert judge(encode(tags=good)) is None
        assert judge(encode(tags=dict(reversed(good.items())))) is None
        assert judge(encode(kind="inverter", tags=good)) is Problem.UNPROCESSABLE
        assert judge(encode(tags=good | {"phase": "a b"})) is Problem.UNPROCESSABLE
        assert judge(encode(tags=good | {"gateway": "1"})) is Problem.UNPROCESSABLE


def test_only_sources_of_solarnetwork_may_have_slashes():
    source = {"source_id": "S1/INV", "property": "watts"}
    assert judge(encode(kind="datum", tags=source, fields={"instantaneous": 1.0})) is None
    assert judge(encode(kind="datum", tags=source | {"property": "a/b"})) is Problem.UNPROCESSABLE
    assert judge(encode(tags={"meter": "production", "phase": "a/b"})) is Problem.UNPROCESSABLE


@given(st.binary(max_size=300))
def test_no_bytes_at_all_are_an_unexpected_error(data: bytes):
    assert judge(data) in {Problem.MALFORMED, Problem.UNPROCESSABLE, Problem.UNSUPPORTED_VERSION}


@given(key=st.sampled_from(["kind", "tags", "timestamp", "fields", "gateway"]), value=json_values)
def test_any_value_anywhere_in_a_reading_is_judged(key: str, value: Any):
    judge(encode(**{key: value}))


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers()
texts = st.sampled_from(["", "D8.2.4286", "\ud800", "a\nb", "x" * 201])


series_and_fields = st.one_of(
    st.tuples(
        st.sampled_from(["meter", "site_1m", "later"]),
        st.sampled_from([{"meter": "production", "phase": "a"}, {"phase": "a", "meter": "production"}]),
        st.dictionaries(st.sampled_from(["power", "voltage", "not_known_yet"]), numbers, max_size=3),
    ),
    st.tuples(
        st.just("event"),
        st.sampled_from([{"type": "gap"}, {"type": "\ud800"}]),
        st.fixed_dictionaries({}, optional={"end": numbers, "rows": numbers, "reason": texts}),
    ),
)


@st.composite
def draw_readings_of_all_sorts(draw: st.DrawFn) -> dict[str, Any]:
    """Nearly good ones: what they differ in decides their fate."""
    kind, tags, fields = draw(series_and_fields)
    stamp = draw(st.just(NOW_MS) | st.integers(NOW_MS - 10**12, NOW_MS + 10**6) | st.integers(-(2**62), 2**62))
    return {"kind": kind, "tags": tags, "timestamp": stamp, "fields": fields}


@given(st.lists(draw_readings_of_all_sorts(), max_size=5))
def test_what_is_taken_is_nothing_that_a_store_refuses(readings: list[dict[str, Any]]):
    """Stores rely on it: they do not look again at what was judged. Nor does a reading's fate hang on its neighbours."""
    rows = [{"seq": seq, "reading": reading} for seq, reading in enumerate(readings, 1)]
    try:
        checked = check({**make_document(), "rows": rows})
    except RefusedError:
        return
    assert [find_refusal(reading) for reading in checked.readings] == [None] * len(checked.readings)
    assert checked.series == [reading.series for reading in checked.readings]
    alone = [check({**make_document(), "rows": [row]}) for row in rows]
    assert checked.readings == [reading for one in alone for reading in one.readings]
    assert checked.rejected == [row for one in alone for row in one.rejected]


def check(batch: dict[str, Any]) -> validate.CheckedBatch:
    return validate.check(json.dumps(batch).encode(), now_ms=NOW_MS, retention_ms=UNLIMITED_RETENTION)


@given(cut=st.integers(0, len(encode()) - 1), flip=st.integers(1, 255))
def test_a_flipped_byte_anywhere_is_judged(cut: int, flip: int):
    data = bytearray(encode())
    data[cut] ^= flip
    judge(bytes(data))


names = st.sampled_from(["power", "voltage", "current"])


@given(
    st.lists(st.tuples(names, st.floats(-1e6, 1e6)), min_size=1, max_size=6),
    st.text(st.sampled_from("a:{}, "), max_size=9),
)
def test_duplicate_fields_are_found_whatever_else_holds_colons(pairs: list[tuple[str, float]], text: str):
    """The count of colons says exactly what a slow reader of pairs would say."""
    members = ",".join(f'"{name}":{value!r}' for name, value in pairs)
    reason = json.dumps(text)
    event = f'{{"kind":"event","tags":{{"type":"gap"}},"timestamp":{NOW_MS},"fields":{{"reason":{reason}}}}}'
    data = (
        make_raw(f"{{{members}}}".encode(), stamp=str(NOW_MS).encode())[:-2]
        + f',{{"seq":2,"reading":{event}}}]}}'.encode()
    )
    duplicates = len({name for name, _ in pairs}) != len(pairs)
    assert judge(data) is (Problem.MALFORMED if duplicates else None)
