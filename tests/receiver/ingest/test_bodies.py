"""What a hostile or broken body gets: a 4xx in our form, never a 500, never an echo, and no memory."""

import asyncio
import contextlib
import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.errors import RefusedError
from receiver.ingest import body, validate
from receiver.ingest.limits import Limits
from receiver.stores.gate import refusal
from shared import wire
from shared.fields import KINDS
from shared.problems import Problem
from tests.receiver.service import GATEWAY, NOW_MS, Service, assert_problem, batch, ingest_claims, meter, sign, start

FOR_EVER = dict.fromkeys(KINDS)
CANARY = "canary-b0dy"
PATH = f"/api/v1/gateways/{GATEWAY}/batches"


def good_headers() -> dict[str, str]:
    return {"authorization": f"Bearer {sign(ingest_claims())}", "content-type": "application/json"}


async def chunks(count: int) -> AsyncIterator[bytes]:
    """A body of unknown length, in pieces of 64 KiB."""
    for _ in range(count):
        yield b" " * 65_536


def document(**changes: Any) -> dict[str, Any]:
    """A good batch as plain JSON, to be spoilt."""
    reading = {
        "kind": "meter",
        "tags": {"meter": "production", "phase": "a"},
        "timestamp": NOW_MS,
        "fields": {"power": 1.0},
    }
    return {"version": 1, "batch": "aa", "outbox": "bb", "rows": [{"seq": 1, "reading": {**reading, **changes}}]}


def encoded(**changes: Any) -> bytes:
    return json.dumps(document(**changes)).encode()


def raw(
    fields: bytes = b'{"power":1}', *, tags: bytes = b'{"meter":"production","phase":"a"}', stamp: bytes = b"1"
) -> bytes:
    reading = b'{"kind":"meter","tags":' + tags + b',"timestamp":' + stamp + b',"fields":' + fields + b"}"
    return b'{"version":1,"batch":"aa","outbox":"bb","rows":[{"seq":1,"reading":' + reading + b"}]}"


MALFORMED = {
    "nothing": b"",
    "not JSON": b"<html>" + CANARY.encode(),
    "truncated": encoded()[:-5],
    "something after it": encoded() + b"{}",
    "NaN": raw(b'{"power":NaN}'),
    "Infinity": raw(b'{"power":-Infinity}'),
    "byte order mark": b"\xef\xbb\xbf" + encoded(),
    "UTF-16": encoded().decode().encode("utf-16"),
    "lone surrogate": raw(b'{"power":"\\ud800"}'),
    "not UTF-8": raw(b'{"power":"\xff"}'),
    "raw control character": raw(b'{"power":"\x00"}'),
    "nested 100,000 deep in an unknown key": b'{"version":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "duplicate envelope key": encoded().replace(b'"batch"', b'"batch":"cc","batch"', 1),
    "duplicate tag": raw(tags=b'{"meter":"production","phase":"b","phase":"a"}'),
    "duplicate field": raw(b'{"power":1,"power":2}'),
    "duplicate seq": raw().replace(b'"seq":1', b'"seq":7,"seq":1'),
    "duplicate reading": raw().replace(b'"reading":', b'"reading":{"kind":"x","tags":{},"timestamp":1,"fields":{}},"reading":'),
    "duplicate key by an escape": raw(b'{"power":1,"p\\u006fwer":2}'),
}  # fmt: skip

UNPROCESSABLE = {
    "a list": b"[]",
    "a list nested 100,000 deep": b"[" * 100_000,
    "null": b"null",
    "a number of 5,000 digits": raw(stamp=b"9" * 5000),
    "1e400": raw(b'{"power":1e400}'),
    "unknown envelope key": json.dumps({**document(), CANARY: 1}).encode(),
    "unknown row key": raw().replace(b'"seq":1', b'"seq":1,"gateway":"canary-b0dy"'),
    "unknown reading key": encoded(gateway=CANARY),
    "extra tag": encoded(tags={"meter": "production", "phase": "a", "gateway": CANARY}),
    "missing tag": encoded(tags={"meter": "production"}),
    "empty tag value": encoded(tags={"meter": "", "phase": "a"}),
    "line protocol in a tag": encoded(tags={"meter": "a,x=1 y=2\nmeter", "phase": "a"}),
    "NUL in a tag": encoded(tags={"meter": "a\0b", "phase": "a"}),
    "colon in a tag": encoded(tags={"meter": "a:b", "phase": "a"}),
    "long tag": encoded(tags={"meter": "a" * 65, "phase": "a"}),
    "text where a number belongs": encoded(fields={"power": CANARY}),
    "true where a number belongs": encoded(fields={"power": True}),
    "null where a number belongs": encoded(fields={"power": None}),
    "unknown text field": encoded(fields={"power": 1.0, "secret": CANARY}),
    "field name that is none": encoded(fields={"power": 1.0, f"x {CANARY}": 1.0}),
    "number where text belongs": encoded(kind="gateway", tags={}, fields={"firmware": 1.0}),
    "long text": encoded(kind="gateway", tags={}, fields={"firmware": "a" * 201}),
    "control character in text": encoded(kind="gateway", tags={}, fields={"firmware": "a\nb"}),
    "kind that is no name": encoded(kind="Meter power,x=1"),
    "fractional stamp": encoded(timestamp=1.5),
    "stamp as text": encoded(timestamp="now"),
    "seq 0": raw().replace(b'"seq":1', b'"seq":0'),
    "seq beyond 63 bits": raw().replace(b'"seq":1', b'"seq":9223372036854775808'),
    "seq twice": batch(meter(), meter(), first=1).replace(b'"seq":2', b'"seq":1'),
    "batch id that is no hex": encoded().replace(b'"aa"', b'"canary-b0dy"'),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed(service: Service, name: str):
    assert_problem(await service.post(MALFORMED[name]), 400, "malformed")


@pytest.mark.parametrize("name", UNPROCESSABLE)
async def test_unprocessable_without_an_echo(service: Service, name: str):
    answer = await service.post(UNPROCESSABLE[name])
    assert_problem(answer, 422, "unprocessable")
    assert CANARY not in answer.text + str(answer.headers)


async def test_nothing_of_a_refused_batch_is_stored(service: Service):
    await service.post(batch(meter(), meter(phase="a b")))
    assert await service.receiver.store.count() == 0


async def test_a_colon_in_text_is_no_duplicate_key(service: Service):
    answer = await service.post(encoded(kind="event", tags={"type": "gap"}, fields={"reason": "at 12:30: stall"}))
    assert wire.decode_verdict(answer.content).accepted == 1


@pytest.mark.parametrize(
    "text", [{"version": 2}, {"version": 2, "batches": [], "rows": 3}, {**document(), "version": 0}]
)
async def test_another_wire_version_is_named_whatever_its_shape(service: Service, text: dict[str, Any]):
    assert_problem(await service.post(json.dumps(text).encode()), 422, "unsupported-version")


async def test_too_many_rows_are_too_large(service: Service):
    readings = [meter(NOW_MS - index) for index in range(wire.MAX_ROWS + 1)]
    assert_problem(await service.post(batch(*readings)), 413, "too-large")


async def test_a_long_body_is_refused_by_its_header(service: Service):
    assert_problem(await service.post(b" " * (body.MAX_PACKED + 1)), 413, "too-large")


async def test_a_long_body_without_a_length_is_refused_while_it_comes(service: Service):
    answer = await service.client.post(PATH, content=chunks(10), headers=good_headers())
    assert_problem(answer, 413, "too-large")


async def test_an_endless_body_loses_its_connection(service: Service):
    with contextlib.suppress(httpx.TransportError):
        answer = await service.client.post(PATH, content=chunks(10**9), headers=good_headers())
        assert_problem(answer, 413, "too-large")
    assert service.metric("receiver_problems_total", code="too-large") == 1


async def test_a_body_that_drips_is_too_large_for_its_connection(tmp_path: Path):
    """The scraper halves the batch on this answer, which is what a slow line needs."""
    async with start(tmp_path, limits=Limits(body_seconds=0.05)) as service:
        answered = asyncio.Event()

        async def stalled():
            yield b'{"version":1,'
            await answered.wait()

        posting = asyncio.create_task(service.client.post(PATH, content=stalled(), headers=good_headers()))
        while not service.metric("receiver_problems_total", code="too-large"):
            await service.client.get("/healthz")
        answered.set()
        assert_problem(await posting, 413, "too-large")


PACKED = gzip.compress(encoded())
BAD_GZIP = {
    "not gzip": encoded(),
    "truncated": PACKED[:-9],
    "without its checksum": PACKED[:-8],
    "wrong checksum": PACKED[:-8] + bytes(8),
    "two members": PACKED + PACKED,
    "trailing garbage": PACKED + b"x",
    "nested": gzip.compress(PACKED),
    "raw deflate": zlib.compress(encoded()),
    "empty": b"",
}


@pytest.mark.parametrize("name", BAD_GZIP)
async def test_gzip_must_be_one_whole_member(service: Service, name: str):
    assert_problem(await service.post(BAD_GZIP[name], headers={"content-encoding": "gzip"}), 400, "malformed")


async def test_a_gzip_bomb_is_too_large(service: Service):
    bomb = gzip.compress(bytes(200 * 1024 * 1024), compresslevel=9)
    assert len(bomb) < body.MAX_PACKED
    assert_problem(await service.post(bomb, headers={"content-encoding": "gzip"}), 413, "too-large")


def test_a_gzip_bomb_takes_no_memory():
    """Two hundred megabytes unpack to a refusal within a few megabytes."""
    bomb = gzip.compress(bytes(200 * 1024 * 1024), compresslevel=9)
    tracemalloc.start()
    try:
        with pytest.raises(RefusedError):
            body.unpack(bomb)
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "headers",
    [
        {"content-encoding": "br"},
        {"content-encoding": "gzip, gzip"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "text/plain"},
        {"content-type": ""},
    ],
)
async def test_other_media_are_refused(service: Service, headers: dict[str, str]):
    assert_problem(await service.post(encoded(), headers=headers), 415, "unsupported-media")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def judge(data: bytes) -> Problem | None:
    """The verdict of validation alone: a problem, or None for a batch that is taken."""
    try:
        validate.check(data, now_ms=NOW_MS, retention_ms=FOR_EVER)
    except RefusedError as refused:
        return refused.problem
    return None


def test_tags_are_judged_the_same_again_and_again():
    """What was found good is remembered, by kind; what was refused is refused again; order means nothing."""
    good = {"meter": "production", "phase": "a"}
    for _ in range(3):
        assert judge(encoded(tags=good)) is None
        assert judge(encoded(tags=dict(reversed(good.items())))) is None
        assert judge(encoded(kind="inverter", tags=good)) is Problem.UNPROCESSABLE
        assert judge(encoded(tags=good | {"phase": "a b"})) is Problem.UNPROCESSABLE
        assert judge(encoded(tags=good | {"gateway": "1"})) is Problem.UNPROCESSABLE


@given(st.binary(max_size=300))
def test_no_bytes_at_all_are_an_unexpected_error(data: bytes):
    assert judge(data) in {Problem.MALFORMED, Problem.UNPROCESSABLE, Problem.UNSUPPORTED_VERSION}


@given(key=st.sampled_from(["kind", "tags", "timestamp", "fields", "gateway"]), value=json_values)
def test_any_value_anywhere_in_a_reading_is_judged(key: str, value: Any):
    judge(encoded(**{key: value}))


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
def readings_of_all_sorts(draw: st.DrawFn) -> dict[str, Any]:
    """Nearly good ones: what they differ in decides their fate."""
    kind, tags, fields = draw(series_and_fields)
    stamp = draw(st.just(NOW_MS) | st.integers(NOW_MS - 10**12, NOW_MS + 10**6) | st.integers(-(2**62), 2**62))
    return {"kind": kind, "tags": tags, "timestamp": stamp, "fields": fields}


@given(st.lists(readings_of_all_sorts(), max_size=5))
def test_what_is_taken_is_nothing_that_a_store_refuses(readings: list[dict[str, Any]]):
    """Stores rely on it: they do not look again at what was judged. Nor does a reading's fate hang on its neighbours."""
    rows = [{"seq": seq, "reading": reading} for seq, reading in enumerate(readings, 1)]
    try:
        checked = check({**document(), "rows": rows})
    except RefusedError:
        return
    assert [refusal(reading) for reading in checked.readings] == [None] * len(checked.readings)
    assert checked.series == [reading.series for reading in checked.readings]
    alone = [check({**document(), "rows": [row]}) for row in rows]
    assert checked.readings == [reading for one in alone for reading in one.readings]
    assert checked.rejected == [row for one in alone for row in one.rejected]


def check(batch: dict[str, Any]) -> validate.Checked:
    return validate.check(json.dumps(batch).encode(), now_ms=NOW_MS, retention_ms=FOR_EVER)


@given(cut=st.integers(0, len(encoded()) - 1), flip=st.integers(1, 255))
def test_a_flipped_byte_anywhere_is_judged(cut: int, flip: int):
    data = bytearray(encoded())
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
        raw(f"{{{members}}}".encode(), stamp=str(NOW_MS).encode())[:-2] + f',{{"seq":2,"reading":{event}}}]}}'.encode()
    )
    duplicates = len({name for name, _ in pairs}) != len(pairs)
    assert judge(data) is (Problem.MALFORMED if duplicates else None)
