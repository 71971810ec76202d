"""A ledger as it is kept: small, for it lies in the outbox's one record, which must fit into a page. Pure.

Digests are two bytes an interval, one after another from the oldest to the newest; 0 is an interval that was not
committed. Revisions are nearly all 0 and compress to nothing.
"""

import base64
import zlib
from struct import pack, unpack

import msgspec

from scraper.cloud.rules.ledger import IntervalLedger
from scraper.cloud.rules.progress import Stretch

_HIGHEST = 255
"""A revision beyond this is not known again: what has it is compared no more."""


class PackedLedger(msgspec.Struct, frozen=True, array_like=True):
    """Everything of a ledger.

    Attributes:
        watermark_s, covered, holes, revision: As in the ledger.
        first_s: The end of the oldest interval that can be compared.
        digests, revisions: Of the intervals from there on, as text.
    """

    watermark_s: int
    covered: tuple[Stretch, ...]
    holes: tuple[Stretch, ...]
    revision: int
    first_s: int
    digests: str
    revisions: str


def pack_ledger(ledger: IntervalLedger, step_s: int, *, most: int) -> PackedLedger:
    """A ledger with at most `most` intervals that can be compared: the newest."""
    known = {end: one for end, one in ledger.committed.items() if one[0] <= _HIGHEST}
    last = max(known, default=0)
    first = max(min(known, default=0), last - (most - 1) * step_s)
    slots = [known.get(end, (0, 0)) for end in range(first, last + 1, step_s)] if most and known else []
    digests = pack(f"<{len(slots)}H", *(digest for _, digest in slots))
    revisions = zlib.compress(bytes(revision for revision, _ in slots), 9)
    return PackedLedger(
        ledger.watermark_s,
        ledger.covered,
        ledger.holes,
        ledger.revision,
        first,
        base64.b85encode(digests).decode(),
        base64.b85encode(revisions).decode(),
    )


def unpack_ledger(packed: PackedLedger, step_s: int) -> IntervalLedger:
    """The ledger. Raises ValueError or zlib.error for what was never packed."""
    digests = base64.b85decode(packed.digests)
    revisions = zlib.decompress(base64.b85decode(packed.revisions))
    pairs = zip(revisions, unpack(f"<{len(revisions)}H", digests), strict=True)
    committed = {packed.first_s + place * step_s: pair for place, pair in enumerate(pairs) if pair[1]}
    return IntervalLedger(packed.watermark_s, committed, packed.covered, packed.holes, packed.revision)
