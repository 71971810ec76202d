"""Reading a request body within bounds: packed size, unpacked size, time."""

import asyncio
import zlib

from starlette.requests import ClientDisconnect, Request

from receiver.errors import RefusedError
from shared import wire
from shared.problems import Problem

MAX_PACKED = wire.MAX_BYTES
"""Bytes on the wire, at most."""
MAX_UNPACKED = 1024 * 1024
"""Bytes after gzip, at most."""
_WORTH_READING = 4 * MAX_PACKED
"""A body up to this size is read to its end and thrown away, so that the sender surely hears the refusal: closing a
connection with unread bytes can destroy our answer on its way."""
_DIGITS = 15


async def read(request: Request, *, seconds: float) -> bytes:
    """The unpacked body of a request. Raises RefusedError: unsupported-media, too-large or malformed.

    A body that takes longer than `seconds` is too large for its connection: the sender halves it.
    """
    packed = _check_headers(request)
    try:
        async with asyncio.timeout(seconds):
            data = await _collect(request)
    except TimeoutError:
        raise RefusedError(Problem.TOO_LARGE, "slow-body", close=True) from None
    except ClientDisconnect:
        raise RefusedError(Problem.MALFORMED, "sender-went-away", close=True) from None
    return unpack(data) if packed else data


def _check_headers(request: Request) -> bool:
    """Refuse before the first byte what need not be read; whether the body is packed."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise RefusedError(Problem.UNSUPPORTED_MEDIA, "content-type")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("gzip", "identity"):
        raise RefusedError(Problem.UNSUPPORTED_MEDIA, "content-encoding")
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise RefusedError(Problem.MALFORMED, "content-length", close=True)
    if len(length) > _DIGITS or int(length) > MAX_PACKED:
        sane = len(length) <= _DIGITS and int(length) <= _WORTH_READING
        raise RefusedError(Problem.TOO_LARGE, "content-length", close=not sane)
    return encoding == "gzip"


async def _collect(request: Request) -> bytes:
    data = bytearray()
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > _WORTH_READING:
            raise RefusedError(Problem.TOO_LARGE, "body", close=True)
        if length <= MAX_PACKED:
            data += chunk
    if length > MAX_PACKED:
        raise RefusedError(Problem.TOO_LARGE, "body")
    return bytes(data)


def unpack(data: bytes) -> bytes:
    """Exactly one whole gzip member and nothing after it, never making more than `MAX_UNPACKED` bytes of it."""
    member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        body = member.decompress(data, MAX_UNPACKED + 1)
    except zlib.error as error:
        raise RefusedError(Problem.MALFORMED, "gzip") from error
    if len(body) > MAX_UNPACKED:
        raise RefusedError(Problem.TOO_LARGE, "unpacked")
    if not member.eof or member.unused_data:
        raise RefusedError(Problem.MALFORMED, "gzip")
    return body
