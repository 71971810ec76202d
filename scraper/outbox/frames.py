r"""How one record lies in the outbox file: framed and checked, so that it is found even in a broken file.

    F5 'E' 'R' kind | seq (8) | committed_ms (8) | length (4) | crc32 (4) | payload

The byte F5 never occurs in UTF-8, so no payload holds what looks like a frame. The checksum covers all but the magic.
Pure.
"""

import mmap
import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

_MAGIC = b"\xf5ER"
_HEAD = struct.Struct(">3sBQQII")
_CHECKED = struct.Struct(">BQQ")


class FrameKind(IntEnum):
    """What a frame holds."""

    ROW = 1
    DEAD_LETTER = 2
    MEMORY = 3


MAX_PAYLOAD = {FrameKind.ROW: 3_500, FrameKind.DEAD_LETTER: 3_800, FrameKind.MEMORY: 3_500}
"""Bytes of one payload at most: a frame must lie whole within one page of the database (4,096 bytes)."""


class RowFrame(NamedTuple):
    """One record whose checksum was right; times in milliseconds since 1970."""

    kind: FrameKind
    seq: int
    committed_ms: int
    payload: bytes


def pack(kind: FrameKind, seq: int, committed_ms: int, payload: bytes) -> bytes:
    """The bytes that go into the database. Raises ValueError if the payload is too long to be salvaged later."""
    if len(payload) > MAX_PAYLOAD[kind]:
        raise ValueError(f"a record of {len(payload)} bytes is too long for the outbox (at most {MAX_PAYLOAD[kind]})")
    crc = zlib.crc32(payload, zlib.crc32(_CHECKED.pack(kind, seq, committed_ms)))
    return _HEAD.pack(_MAGIC, kind, seq, committed_ms, len(payload), crc) + payload


def unpack(data: object, offset: int = 0) -> RowFrame | None:
    """The frame at `offset` of `data` (bytes or a map of a file); None if it is not whole and sound."""
    if not isinstance(data, bytes | mmap.mmap) or len(data) < offset + _HEAD.size:
        return None
    magic, kind, seq, committed_ms, length, crc = _HEAD.unpack_from(data, offset)
    if magic != _MAGIC or kind not in _KINDS or length > MAX_PAYLOAD[kind]:
        return None
    start = offset + _HEAD.size
    payload = data[start : start + length]
    if len(payload) != length or zlib.crc32(payload, zlib.crc32(_CHECKED.pack(kind, seq, committed_ms))) != crc:
        return None
    return RowFrame(FrameKind(kind), seq, committed_ms, payload)


def find(data: bytes | mmap.mmap, start: int = 0, end: int | None = None) -> Iterator[tuple[int, RowFrame]]:
    """Every sound frame between two offsets, wherever it lies, with its offset."""
    end = len(data) if end is None else end
    offset = data.find(_MAGIC, start, end)
    while offset >= 0:
        frame = unpack(data, offset)
        if frame is not None:
            yield offset, frame
        offset = data.find(_MAGIC, offset + 1, end)


_KINDS = frozenset(FrameKind)
