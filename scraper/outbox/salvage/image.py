"""What a damaged SQLite file still holds: the frames in its pages, as its write-ahead log last committed them.

No SQL: this reads the bytes of both files, so it does not matter which structure of the database is broken.
"""

import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from scraper.outbox.frames import RowFrame, find
from scraper.outbox.salvage.leaves import find_cells, is_live
from scraper.outbox.schema import PAGE_BYTES
from shared.durable_sqlite import name_wal

# https://www.sqlite.org/fileformat2.html#the_write_ahead_log
_WAL_HEAD = struct.Struct(">IIII8sII")
_WAL_MAGICS = (0x377F0682, 0x377F0683)
_SUMMED_HEAD_BYTES = _WAL_HEAD.size - 8
_ORDERS = ("<", ">")
"""Of the bytes in the words that are summed, by the last bit of the magic."""
_FRAME_HEAD = struct.Struct(">II8sII")
_STEP = _FRAME_HEAD.size + PAGE_BYTES
# Magic, size of a page, written and read with a write-ahead log, nothing reserved, and three fixed shares of a page.
_DATABASE_HEAD = b"SQLite format 3\0" + PAGE_BYTES.to_bytes(2, "big") + bytes((2, 2, 0, 64, 32, 32))


class _Log(NamedTuple):
    """The committed part of a log: where the newest image of each page lies, and how large the database then was."""

    pages: dict[int, int]
    database_pages: int | None


class _LogHead(NamedTuple):
    """What a reader of a log takes from its head.

    Attributes:
        salts: Of every frame since the log was last started over.
        order: Of the bytes of the words that are summed, as `struct` names it.
        sums: The checksum that the first frame goes on from.
    """

    salts: bytes
    order: str
    sums: tuple[int, int]


class FoundFrame(NamedTuple):
    """A sound frame, and whether it is a cell of the newest image of its page; else it may be of a settled row."""

    frame: RowFrame
    is_live: bool


def find_frames(path: Path) -> Iterator[FoundFrame]:
    """Every sound frame of the database at `path` and its log; some may come twice. Raises OSError."""
    log_bytes = _map(name_wal(path))
    data = _map(path)
    try:
        log = _find_committed(log_bytes)
        if log is None:  # nothing tells what of it is committed: take every frame in it
            yield from (FoundFrame(frame, is_live=False) for _, frame in find(log_bytes))
            log = _Log({}, None)
        for start in range(0, len(data), PAGE_BYTES):
            page = start // PAGE_BYTES + 1
            stale = page in log.pages or (log.database_pages is not None and page > log.database_pages)
            if not stale:
                yield from _list_frames_on(data[start : start + PAGE_BYTES])
        for offset in log.pages.values():
            yield from _list_frames_on(log_bytes[offset : offset + PAGE_BYTES])
    finally:
        for mapped in (log_bytes, data):
            if isinstance(mapped, mmap.mmap):
                mapped.close()


def _list_frames_on(page: bytes) -> Iterator[FoundFrame]:
    cells = None
    for offset, frame in find(page):
        if cells is None:
            cells = find_cells(page)
        yield FoundFrame(frame, is_live(cells, offset))


def _find_committed(log: bytes | mmap.mmap) -> _Log | None:
    """What the log committed since it was last started over; None if neither its head nor its first frame tell."""
    if not len(log):
        return _Log({}, None)
    head = _read_head(log) or _find_head(log)
    if head is None:
        return None
    pages: dict[int, int] = {}
    pending: dict[int, int] = {}
    database_pages = None
    for offset in range(_WAL_HEAD.size, len(log) - _STEP + 1, _STEP):
        page, size, frame_salts, *_ = _FRAME_HEAD.unpack_from(log, offset)
        if frame_salts != head.salts:  # left over from before the log was started over, or damaged
            continue
        pending[page] = offset + _FRAME_HEAD.size
        if size:  # the last frame of a transaction names the size of the database after it
            pages |= pending
            pending = {}
            database_pages = size
    return _Log(pages, database_pages)


def is_head_sound(path: Path) -> bool:
    """Whether the file begins as every outbox does. SQLite takes some other beginnings for a file it may not write.

    Raises OSError.
    """
    with path.open("rb") as file:
        head = file.read(len(_DATABASE_HEAD))
        return head == _DATABASE_HEAD and os.fstat(file.fileno()).st_size >= PAGE_BYTES


def is_log_whole(path: Path) -> bool:
    """Whether SQLite reads all of the log that belongs to `path`: what follows damage in it is dropped in silence.

    That is, whether every frame up to the last committed one has the right salt and checksum. Raises OSError.
    """
    log = _map(name_wal(path))
    try:
        return not len(log) or _has_right_sums(log)
    finally:
        if isinstance(log, mmap.mmap):
            log.close()


def _has_right_sums(log: bytes | mmap.mmap) -> bool:
    head = _read_head(log)
    if head is None:
        return False
    sums, broken = head.sums, False
    for offset in range(_WAL_HEAD.size, len(log) - _STEP + 1, _STEP):
        _, size, frame_salts, *expected = _FRAME_HEAD.unpack_from(log, offset)
        if frame_salts != head.salts:
            broken = True
            continue
        if not broken:
            sums = _compute_frame_sum(log, offset, head.order, sums)
            broken = sums != tuple(expected)
        if broken and size:
            return False
    return True


def _read_head(log: bytes | mmap.mmap) -> _LogHead | None:
    """The head of a log if that is sound."""
    if len(log) < _WAL_HEAD.size:
        return None
    magic, _, page_bytes, _, salts, first, second = _WAL_HEAD.unpack_from(log)
    if magic not in _WAL_MAGICS or page_bytes != PAGE_BYTES:
        return None
    order = _ORDERS[magic & 1]
    sums = _compute_sum(order, log[:_SUMMED_HEAD_BYTES], (0, 0))
    return _LogHead(salts, order, sums) if sums == (first, second) else None


def _find_head(log: bytes | mmap.mmap) -> _LogHead | None:
    """What a damaged head said, if the first frame proves it: its checksum goes on from that of the head."""
    if len(log) < _WAL_HEAD.size + _STEP:
        return None
    *_, first, second = _WAL_HEAD.unpack_from(log)
    page, _, salts, *expected = _FRAME_HEAD.unpack_from(log, _WAL_HEAD.size)
    if not page:  # a log of zeros proves nothing: its checksum is zero, too
        return None
    for order in _ORDERS:  # either its sum is damaged or what that is of
        for sums in ((first, second), _compute_sum(order, log[:_SUMMED_HEAD_BYTES], (0, 0))):
            if _compute_frame_sum(log, _WAL_HEAD.size, order, sums) == tuple(expected):
                return _LogHead(salts, order, sums)
    return None


def _compute_frame_sum(log: bytes | mmap.mmap, offset: int, order: str, start: tuple[int, int]) -> tuple[int, int]:
    """The checksum of the frame at an offset, which goes on from that of the frame before it."""
    return _compute_sum(order, log[offset : offset + 8] + log[offset + _FRAME_HEAD.size : offset + _STEP], start)


def _compute_sum(order: str, data: bytes, start: tuple[int, int]) -> tuple[int, int]:
    """SQLite's checksum of a log, over pairs of 32-bit words in a byte order."""
    first, second = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def _map(path: Path) -> bytes | mmap.mmap:
    """The file's bytes without reading them into memory; empty if it is missing or empty."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return b""
    try:
        if os.fstat(descriptor).st_size == 0:
            return b""
        return mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
    finally:
        os.close(descriptor)
