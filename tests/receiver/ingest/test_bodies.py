"""What a hostile or broken body gets: a 4xx in our form, never a 500, never an echo, and no memory."""

import json
from typing import Any

import pytest

from shared import wire
from tests.receiver.ingest.bodies import CANARY, encode, make_document, make_raw
from tests.receiver.service import Service, assert_problem, make_batch, make_meter

MALFORMED = {
    "nothing": b"",
    "not JSON": b"<html>" + CANARY.encode(),
    "truncated": encode()[:-5],
    "something after it": encode() + b"{}",
    "NaN": make_raw(b'{"power":NaN}'),
    "Infinity": make_raw(b'{"power":-Infinity}'),
    "byte order mark": b"\xef\xbb\xbf" + encode(),
    "UTF-16": encode().decode().encode("utf-16"),
    "lone surrogate": make_raw(b'{"power":"\\ud800"}'),
    "not UTF-8": make_raw(b'{"power":"\xff"}'),
    "raw control character": make_raw(b'{"power":"\x00"}'),
    "nested 100,000 deep in an unknown key": b'{"version":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "duplicate envelope key": encode().replace(b'"batch"', b'"batch":"cc","batch"', 1),
    "duplicate tag": make_raw(tags=b'{"meter":"production","phase":"b","phase":"a"}'),
    "duplicate field": make_raw(b'{"power":1,"power":2}'),
    "duplicate seq": make_raw().replace(b'"seq":1', b'"seq":7,"seq":1'),
    "duplicate reading": make_raw().replace(b'"reading":', b'"reading":{"kind":"x","tags":{},"timestamp":1,"fields":{}},"reading":'),
    "duplicate key by an escape": make_raw(b'{"power":1,"p\\u006fwer":2}'),
}  # fmt: skip


UNPROCESSABLE = {
    "a list": b"[]",
    "a list nested 100,000 deep": b"[" * 100_000,
    "null": b"null",
    "a number of 5,000 digits": make_raw(stamp=b"9" * 5000),
    "1e400": make_raw(b'{"power":1e400}'),
    "unknown envelope key": json.dumps({**make_document(), CANARY: 1}).encode(),
    "unknown row key": make_raw().replace(b'"seq":1', b'"seq":1,"gateway":"canary-b0dy"'),
    "unknown reading key": encode(gateway=CANARY),
    "extra tag": encode(tags={"meter": "production", "phase": "a", "gateway": CANARY}),
    "missing tag": encode(tags={"meter": "production"}),
    "empty tag value": encode(tags={"meter": "", "phase": "a"}),
    "line protocol in a tag": encode(tags={"meter": "a,x=1 y=2\nmeter", "phase": "a"}),
    "NUL in a tag": encode(tags={"meter": "a\0b", "phase": "a"}),
    "colon in a tag": encode(tags={"meter": "a:b", "phase": "a"}),
    "long tag": encode(tags={"meter": "a" * 65, "phase": "a"}),
    "text where a number belongs": encode(fields={"power": CANARY}),
    "true where a number belongs": encode(fields={"power": True}),
    "null where a number belongs": encode(fields={"power": None}),
    "unknown text field": encode(fields={"power": 1.0, "secret": CANARY}),
    "field name that is none": encode(fields={"power": 1.0, f"x {CANARY}": 1.0}),
    "number where text belongs": encode(kind="gateway", tags={}, fields={"firmware": 1.0}),
    "long text": encode(kind="gateway", tags={}, fields={"firmware": "a" * 201}),
    "control character in text": encode(kind="gateway", tags={}, fields={"firmware": "a\nb"}),
    "kind that is no name": encode(kind="Meter power,x=1"),
    "fractional stamp": encode(timestamp=1.5),
    "stamp as text": encode(timestamp="now"),
    "seq 0": make_raw().replace(b'"seq":1', b'"seq":0'),
    "seq beyond 63 bits": make_raw().replace(b'"seq":1', b'"seq":9223372036854775808'),
    "seq twice": make_batch(make_meter(), make_meter(), first=1).replace(b'"seq":2', b'"seq":1'),
    "batch id that is no hex": encode().replace(b'"aa"', b'"canary-b0dy"'),
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
    await service.post(make_batch(make_meter(), make_meter(phase="a b")))
    assert await service.receiver.store.count() == 0


async def test_a_colon_in_text_is_no_duplicate_key(service: Service):
    answer = await service.post(encode(kind="event", tags={"type": "gap"}, fields={"reason": "at 12:30: stall"}))
    assert wire.decode_verdict(answer.content).accepted == 1


@pytest.mark.parametrize(
    "text", [{"version": 2}, {"version": 2, "batches": [], "rows": 3}, {**make_document(), "version": 0}]
)
async def test_another_wire_version_is_named_whatever_its_shape(service: Service, text: dict[str, Any]):
    assert_problem(await service.post(json.dumps(text).encode()), 422, "unsupported-version")


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
    assert_problem(await service.post(encode(), headers=headers), 415, "unsupported-media")
