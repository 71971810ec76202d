"""What was committed of one type, so that nothing is committed twice, and corrections become revisions. Pure.

Digests of the committed values of the last 48 hours are kept and compared with what the cloud says later. Of what is
older, only the stretches of time that were read are known: nothing in them is committed again, unless a person asks for
it, and then under a revision that nothing had before. Holes are kept for seven days: what turns up in them is new.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from scraper.cloud.rules.amounts import Amount
from scraper.cloud.rules.progress import Stretch, join_ends, split_stretches
from shared.units import DAY_S

KEPT_S = 2 * DAY_S
"""How long committed values can be compared (seconds)."""
HOLE_S = 7 * DAY_S
"""How long a hole is looked at again (seconds)."""
_DIGITS = 3
"""Decimals that count: channels come as 176.99999999999997 at one time and as 177.0 at another."""
LARGEST_DIGEST = 2**16 - 1
"""Two bytes: the outbox has room for no more. One correction of 65,535 looks like what it corrects."""
MOST_STRETCHES = 8
"""So many holes, and so many stretches that were read, are known of a type."""


class IntervalLedger(NamedTuple):
    """What is known of the committed intervals of one type; times are epoch seconds.

    Attributes:
        watermark_s: All intervals up to here are committed, or missing; 0 before the first.
        committed: End of an interval to its revision and the digest of its values.
        covered: Stretches that were read, ascending, none touching another.
        holes: Stretches in `covered` of which nothing came; the newest.
        revision: The highest that was ever used.
    """

    watermark_s: int = 0
    committed: Mapping[int, tuple[int, int]] = MappingProxyType({})
    covered: tuple[Stretch, ...] = ()
    holes: tuple[Stretch, ...] = ()
    revision: int = 0


class Entry(NamedTuple):
    """An interval to commit, and under which revision."""

    amount: Amount
    revision: int


def list_entries_to_commit(
    ledger: IntervalLedger, final: Sequence[Amount], step_s: int, *, again: int | None = None
) -> list[Entry]:
    """What of the final intervals is new, or differs from what was committed.

    Args:
        ledger: What was committed.
        final: What the cloud says now.
        step_s: Length of an interval.
        again: A person wants all of it: the revision of what cannot be compared any more.
    """
    missing = split_stretches(ledger.holes, step_s)
    entries = []
    for amount in final:
        known = ledger.committed.get(amount.end_s)
        if known is not None:
            revision, digest = known
            if digest != compute_digest(amount):
                entries.append(Entry(amount, revision + 1))
        elif amount.end_s in missing or not is_covered(ledger.covered, amount.end_s):
            entries.append(Entry(amount, 0))
        elif again is not None:
            entries.append(Entry(amount, again))
    return entries


def enter(
    ledger: IntervalLedger,
    entries: Sequence[Entry],
    read: Stretch,
    holes: Iterable[Stretch],
    step_s: int,
    *,
    now_s: float,
) -> IntervalLedger:
    """The ledger once `entries` are committed.

    Args:
        ledger: As it is.
        entries: What is committed.
        read: From where to where all that is final is committed now.
        holes: What was missing in it.
        step_s: Length of an interval.
        now_s: Now.
    """
    committed = {
        **ledger.committed,
        **{entry.amount.end_s: (entry.revision, compute_digest(entry.amount)) for entry in entries},
    }
    watermark = ledger.watermark_s
    if read[0] <= watermark < read[1]:
        watermark = read[1]
    oldest = min(now_s, watermark) - KEPT_S
    missing = split_stretches(ledger.holes, step_s) | split_stretches(holes, step_s)
    missing -= committed.keys()
    return IntervalLedger(
        watermark,
        {end: known for end, known in committed.items() if end > oldest},
        _join_nearest(merge_stretches((*ledger.covered, read))),
        tuple(hole for hole in join_ends(missing, step_s) if hole[1] > now_s - HOLE_S)[-MOST_STRETCHES:],
        max([ledger.revision, *(entry.revision for entry in entries)]),
    )


def compute_digest(amount: Amount) -> int:
    """What of an interval is compared, never 0: who reports it may change without a change of what it holds."""
    values = [
        (phase, round(energy, _DIGITS), None if power is None else round(power, _DIGITS))
        for phase, energy in sorted(amount.energies.items())
        for power in (amount.powers.get(phase),)
    ]
    return zlib.crc32(msgspec.json.encode(values)) % LARGEST_DIGEST + 1


def is_covered(covered: Sequence[Stretch], end_s: int) -> bool:
    """Whether the interval that ends then was read before."""
    return any(start < end_s <= end for start, end in covered)


def merge_stretches(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """The same time, in as few stretches as possible, ascending."""
    merged: list[Stretch] = []
    for start, end in sorted(one for one in stretches if one[0] < one[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def subtract_stretches(wanted: Stretch, covered: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """What of `wanted` was not read yet."""
    left: list[Stretch] = []
    start, stop = wanted
    for known_start, known_stop in covered:
        if known_stop <= start or known_start >= stop:
            continue
        if known_start > start:
            left.append((start, known_start))
        start = max(start, known_stop)
    if start < stop:
        left.append((start, stop))
    return tuple(left)


def _join_nearest(stretches: tuple[Stretch, ...]) -> tuple[Stretch, ...]:
    """No more than can be kept: what lies between two that are joined is read only if a person asks for it again."""
    while len(stretches) > MOST_STRETCHES:
        _, place = min((after[0] - before[1], place) for place, (before, after) in enumerate(pairwise(stretches)))
        joined = (stretches[place][0], stretches[place + 1][1])
        stretches = (*stretches[:place], joined, *stretches[place + 2 :])
    return stretches
