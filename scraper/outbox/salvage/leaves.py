"""Which frames on a page of the database are its cells, and which are stale copies in its free space. Pure.

SQLite moves cells between pages and leaves the old bytes where they lay. A stale copy may be of a row that was settled
since, so it must not be counted as saved.
"""

import struct

# https://www.sqlite.org/fileformat2.html#b_tree_pages
_HEAD = struct.Struct(">BHHHB")
_POINTERS_AT = 8
_OTHER_PAGES = frozenset({0x00, 0x02, 0x05, 0x0A})
"""Kinds of pages without a cell that holds a frame: free or overflow, and trees' other nodes."""
_LONGEST_CELL_HEAD = 16
"""Bytes before a frame in its cell at most: length (2), number (9), and the record's own header (4)."""


def find_cells(page: bytes) -> frozenset[int]:
    """Where the cells of a leaf begin, as offsets in the page; none on any other page.

    Where the kind of the page is damaged, its pointers are believed all the same.
    """
    kind, _, count, _, _ = _HEAD.unpack_from(page)
    if kind in _OTHER_PAGES or _POINTERS_AT + 2 * count > len(page):
        return frozenset()
    return frozenset(struct.unpack_from(f">{count}H", page, _POINTERS_AT))


def is_live(cells: frozenset[int], offset: int) -> bool:
    """Whether the frame at an offset in the page belongs to one of its cells."""
    return any(offset - head in cells for head in range(1, _LONGEST_CELL_HEAD + 1))
