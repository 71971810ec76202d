"""Which pages of a SQLite file hold its schema, by the bytes alone (https://www.sqlite.org/fileformat2.html)."""

import struct
from collections.abc import Iterator

PAGE_BYTES = 4096
_LEAF = 0x0D
_OVERFLOW_BYTES = PAGE_BYTES - 4


def list_schema_pages(data: bytes) -> list[int]:
    """The pages of the tree that begins on the first page, its overflow pages among them, counted from 1."""
    return sorted(_walk(data, 1))


def _walk(data: bytes, number: int) -> Iterator[int]:
    yield number
    page = get_page(data, number)
    head = 100 if number == 1 else 0
    kind, count = page[head], int.from_bytes(page[head + 3 : head + 5], "big")
    cells = struct.unpack_from(f">{count}H", page, head + (8 if kind == _LEAF else 12))
    if kind == _LEAF:
        for cell in cells:
            yield from _list_overflow(data, page, cell)
        return
    for at in (head + 8, *cells):
        yield from _walk(data, int.from_bytes(page[at : at + 4], "big"))


def _list_overflow(data: bytes, page: bytes, cell: int) -> Iterator[int]:
    payload, at = _read_number(page, cell)
    _, at = _read_number(page, at)  # the number of the row
    most, least = PAGE_BYTES - 35, (PAGE_BYTES - 12) * 32 // 255 - 23
    if payload <= most:
        return
    here = least + (payload - least) % _OVERFLOW_BYTES
    here = here if here <= most else least
    at += here
    following = int.from_bytes(page[at : at + 4], "big")
    while following:
        yield following
        following = int.from_bytes(get_page(data, following)[:4], "big")


def _read_number(page: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte (of up to eight), and where it ends."""
    value = 0
    while True:
        value = value << 7 | page[at] & 0x7F
        at += 1
        if page[at - 1] < 0x80:
            return value, at


def get_page(data: bytes, number: int) -> bytes:
    """A page, counted from 1."""
    return data[(number - 1) * PAGE_BYTES : number * PAGE_BYTES]
