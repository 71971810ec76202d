"""One number for the set of numbers that an outbox holds, rows and dead letters together, in whatever order.

It tells a salvage whether what it found is exactly what was there; a count cannot, because a stale copy of a settled
row makes up for a lost one. Each commit keeps it up to date.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import accumulate

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


def is_digest_without_a_run(seqs: Sequence[int], held: int, digest: int) -> bool:
    """Whether the digest is that of `held` of these ascending numbers: all but some that follow each other.

    What is settled lies together, because rows are sent in the order of their numbers. That another run fits by chance
    has a likelihood of one in two billion for each place where it may begin.
    """
    surplus = len(seqs) - held
    if surplus <= 0:
        return False
    sums = list(accumulate((pow(seq, 3, _PRIME) for seq in seqs), initial=0))
    wanted = (sums[-1] - digest) % _PRIME
    return any((sums[first + surplus] - sums[first]) % _PRIME == wanted for first in range(held + 1))


def _compute(seqs: Iterable[int]) -> int:
    return sum(pow(seq, 3, _PRIME) for seq in seqs) % _PRIME


def _change(connection: sqlite3.Connection, by: int) -> None:
    if by:
        connection.execute(f"UPDATE state SET digest = (digest + ?) % {_PRIME}", (by,))  # noqa: S608 (a constant)
