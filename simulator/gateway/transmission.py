"""Faults below a well-formed reply: bytes that lie about their length, never end, or never come."""

import asyncio
import gzip
from dataclasses import replace

from simulator.faults import Faults, Parameters
from simulator.web.messages import ByteWriter, Headers, Reply, Response, Takeover, combine_headers, encode_head

_FILLER = b" " * 65_536
_HOSTILE_COOKIES: Headers = (
    ("Set-Cookie", "sessionId=stolen; Domain=enphaseenergy.com; Path=/"),
    ("Set-Cookie", "sessionId=; Domain=.com; Path=/; Max-Age=999999999"),
    ("Set-Cookie", f"filler={'x' * 4000}; Path=/"),
    ("Set-Cookie", "no-equals-sign"),
)


def withhold_reply(faults: Faults, path: str) -> Takeover | None:
    """Silence or a closed connection in place of every answer, the stream included; None without such a fault."""
    if faults.take("reset", path) is not None:
        return Takeover(_close)
    silent = faults.get("silent", path)
    return Takeover(_wait_without_end) if silent is not None and silent["stage"] == "reply" else None


def apply_transmission_faults(response: Response, faults: Faults, path: str, base: Headers) -> Reply:
    """The reply as it really goes out: unchanged, or changed by the faults that are on for this path."""
    if faults.take("hostile-cookies", path) is not None:
        response = replace(response, headers=response.headers + _HOSTILE_COOKIES)
    if (many := faults.take("many-headers", path)) is not None:
        extra = tuple((f"X-Header-{number}", "value") for number in range(int(many["count"])))
        response = replace(response, headers=response.headers + extra)
    for name, apply in (
        ("truncate", _truncate),
        ("wrong-length", _send_wrong_length),
        ("endless", _send_without_end),
        ("gzip-bomb", _compress_bomb),
        ("slow-body", _send_slowly),
    ):
        parameters = faults.take(name, path)
        if parameters is not None:
            return apply(response, parameters, base)
    return response


async def _close(_writer: ByteWriter) -> None:
    """Close the connection without a reply."""


async def _wait_without_end(_writer: ByteWriter) -> None:
    """Keep the peer waiting until it gives up (or the simulator stops)."""
    await asyncio.Event().wait()


def _encode_start(response: Response, base: Headers) -> bytes:
    return encode_head(response.status, combine_headers(replace(response, chunked=False), base, keep_alive=False))


def _truncate(response: Response, parameters: Parameters, base: Headers) -> Takeover:
    async def run(writer: ByteWriter) -> None:
        writer.write(_encode_start(response, base) + response.body[: int(parameters["at"])])
        await writer.drain()

    return Takeover(run)


def _send_wrong_length(response: Response, parameters: Parameters, base: Headers) -> Takeover:
    async def run(writer: ByteWriter) -> None:
        length = max(0, len(response.body) + int(parameters["by"]))
        headers = combine_headers(replace(response, chunked=False), base, keep_alive=False)
        lying = tuple((name, str(length) if name == "Content-Length" else value) for name, value in headers)
        writer.write(encode_head(response.status, lying) + response.body)
        await writer.drain()

    return Takeover(run)


def _send_without_end(response: Response, _parameters: Parameters, base: Headers) -> Takeover:
    async def run(writer: ByteWriter) -> None:
        headers = (*base, ("Content-Type", response.content_type or "application/json"), ("Connection", "close"))
        writer.write(encode_head(response.status, headers) + b"[")
        while True:
            writer.write(_FILLER)
            await writer.drain()

    return Takeover(run)


def _compress_bomb(response: Response, parameters: Parameters, _base: Headers) -> Response:
    packed = gzip.compress(b" " * (int(parameters["mib"]) * 1024 * 1024))
    return Response(200, packed, response.content_type, (("Content-Encoding", "gzip"),))


def _send_slowly(response: Response, parameters: Parameters, base: Headers) -> Takeover:
    async def run(writer: ByteWriter) -> None:
        writer.write(_encode_start(response, base))
        for index in range(len(response.body)):
            writer.write(response.body[index : index + 1])
            await writer.drain()
            await asyncio.sleep(float(parameters["seconds"]))
        for sent in response.on_sent:
            sent()

    return Takeover(run)
