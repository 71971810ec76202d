"""One number for the set of numbers that an outbox holds, rows and dead letters together, in whatever order.

It tells a salvage whether what it found is exactly what was there; a count cannot, because a stale copy of a settled
row makes up for a lost one. Each commit keeps it up to date.
"""

import sqlite3
from collections.abc import Iterable

_PRIME = 2_147_483_647
_CUBE = f"((seq % {_PRIME}) * (seq % {_PRIME}) % {_PRIME}) * (seq % {_PRIME}) % {_PRIME}"
COMPUTED = (
    f"(SELECT coalesce(sum({_CUBE}), 0) % {_PRIME} FROM (SELECT seq FROM rows UNION ALL SELECT seq FROM dead_letters))"  # noqa: S608
)
"""The digest of what lies in the tables, as SQL."""


def include(connection: sqlite3.Connection, seqs: Iterable[int]) -> None:
    """These numbers came into the file. SQL inside the caller's transaction."""
    _change(connection, _compute(seqs))


def exclude(connection: sqlite3.Connection, seqs: Iterable[int]) -> None:
    """These numbers left the file. SQL inside the caller's transaction."""
    _change(connection, -_compute(seqs) % _PRIME)


def _compute(seqs: Iterable[int]) -> int:
    return sum(pow(seq, 3, _PRIME) for seq in seqs) % _PRIME


def _change(connection: sqlite3.Connection, by: int) -> None:
    if by:
        connection.execute(f"UPDATE state SET digest = (digest + ?) % {_PRIME}", (by,))  # noqa: S608 (a constant)
