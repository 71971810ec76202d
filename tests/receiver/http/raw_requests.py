"""Raw requests, sound ones and mutated ones: what any program on the network may send."""

import random

from tests.clocks import NOW_MS
from tests.receiver.service import (
    GATEWAY,
    READ_SECRET,
    make_batch,
    make_ingest_claims,
    make_inverter,
    make_meter,
    make_read_claims,
    sign,
)

READER = sign(make_read_claims(), READ_SECRET, kid="read").encode()
SENDER = sign(make_ingest_claims()).encode()
_BASE = f"/api/v1/gateways/{GATEWAY}".encode()
_PATHS = (
    b"/", b"/healthz", b"/readyz", b"/api/v1/session", b"/api/v1/gateways", _BASE, _BASE + b"/power",
    _BASE + b"/meters", _BASE + b"/inverters", _BASE + b"/inverters/482100000001",
    _BASE + b"/inverters/energy?start=-7d", _BASE + b"/energy?every=1d&start=-7d",
    _BASE + b"/series?kind=meter&field=power", _BASE + b"/series?kind=meter_energy&field=received",
    _BASE + b"/series?kind=meter_energy&field=delivered&every=1h&start=-1d",
    _BASE + b"/series?kind=meter&field=power&every=15m&start=today&format=csv",
    _BASE + b"/series?kind=event&field=reason&limit=3",
)  # fmt: skip
_BODIES = (
    make_batch(make_meter(), make_inverter("482100000001")),
    make_batch(make_meter(NOW_MS - 1000, phase="b", power=1.0, delivered=5.0)),
    b"{}",
    b"[" * 500,
    b'{"version":1,"batch":"aa","outbox":"bb","rows":[{"seq":1,"reading":{"kind":"meter"}}]}',
    b"\xff\xfe\x00",
    b"1e999",
)
_LINES = (
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"Content-Length: 5", b"Content-Length: -1",
    b"Content-Length: 99999999999999999999", b"Content-Encoding: gzip", b"Content-Type: text/plain",
    b"Expect: 100-continue", b"Connection: close", b"Connection: upgrade\r\nUpgrade: websocket", b"Upgrade: h2c",
    b"Accept: text/csv", b"Accept: */*;q=x", b"Accept-Encoding: gzip", b"If-None-Match: *", b"Range: bytes=0-1",
    b"X-Forwarded-For: 10.1.2.3", b"Host: evil.example", b"Cookie: envoy_session=" + READER,
    b"Cookie: envoy_session=x; envoy_session=y", b"Authorization: Bearer x", b"Authorization: Basic eDp5",
    b"Last-Event-ID: 1", b"Origin: null", b": no name", b"X" * 300, b"\tfolded",
)  # fmt: skip
_VALUES = (
    b"", b"%00", b"%FF", b"-1", b"0", b"9" * 40, b"nan", b"1e400", b"now", b"-99999999d", b"2026-02-30", b"%E2%80%A8",
    b"a" * 400, b"1s", b"1y", b"inverter", b"meter", b"energy_1d", b"power", b"../..", b"' OR 1=1", b"%0d%0a",
)  # fmt: skip
_METHODS = (b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"PATCH", b"PRI", b"get", b"\x00")


def make_request(rng: random.Random) -> bytes:
    """One request, mutated more often than not."""
    request = _compose(rng)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 5))):
        request = _mutate(request, rng)
    return request


def _compose(rng: random.Random) -> bytes:
    is_post = rng.random() < 0.3
    method = rng.choice(_METHODS) if rng.random() < 0.1 else (b"POST" if is_post else b"GET")
    path = _BASE + b"/batches" if is_post else _change_parameter(rng.choice(_PATHS), rng)
    lines = [method + b" " + path + b" HTTP/1.1", b"Host: x"]
    if rng.random() < 0.8:
        lines.append(b"Authorization: Bearer " + (SENDER if is_post else READER))
    lines += rng.sample(_LINES, rng.choice((0, 0, 1, 2)))
    if not is_post:
        return b"\r\n".join(lines) + b"\r\n\r\n"
    body = rng.choice(_BODIES)
    lines.append(b"Content-Type: application/json")
    if rng.random() < 0.3:
        trailer = b"Authorization: Bearer " + SENDER + b"\r\n" if rng.random() < 0.5 else b""
        body = b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, trailer)
        lines.append(b"Transfer-Encoding: chunked")
    else:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _change_parameter(path: bytes, rng: random.Random) -> bytes:
    if b"?" not in path or rng.random() < 0.4:
        return path
    start, _, query = path.partition(b"?")
    parameters = query.split(b"&")
    place = rng.randrange(len(parameters))
    name, _, value = parameters[place].partition(b"=")
    parameters[place] = rng.choice(
        (
            name + b"=" + rng.choice(_VALUES),
            rng.choice((b"start", b"stop", b"every", b"limit", b"after", b"x")) + b"=" + rng.choice(_VALUES),
            name + b"=" + value + b"&" + name + b"=" + value,
            name,
        )
    )
    return start + b"?" + b"&".join(parameters)


def _mutate(request: bytes, rng: random.Random) -> bytes:
    if not request:
        return b"\x00"
    at = rng.randrange(len(request))
    until = min(len(request), at + rng.choice((1, 2, 8, 64)))
    return rng.choice(
        (
            request[:at] + bytes([rng.randrange(256)]) + request[at + 1 :],
            request[:at] + request[until:],
            request[:until] + request[at:],
            request[:at] + rng.randbytes(rng.choice((1, 4, 32))) + request[at:],
            request[:at],
            request + request,
        )
    )
