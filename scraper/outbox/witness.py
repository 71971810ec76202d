"""What the outbox last committed, as told beside its file: a log that was cut or deleted cannot hide what it held.

The witness lies in the lock file and is written after each commit, without a sync of its own: it never says more than
is on disk, a kill takes nothing back, and a power cut leaves an older one at worst. Pure.
"""

import struct
import zlib
from typing import NamedTuple

_FORMAT = struct.Struct(">4s16sQQQB")
_SUM = struct.Struct(">I")
_MAGIC = b"\xf5EW1"

BYTES = _FORMAT.size + _SUM.size


class Witness(NamedTuple):
    """What an outbox held after a commit.

    Attributes:
        id: Of the outbox, 32 hex digits.
        next_seq: All numbers below it may have been used.
        held: Rows and dead letters together.
        digest: Of their numbers (see `scraper.outbox.digest`).
        certain: False while a commit was under way: what is held may be as before or after it.
    """

    id: str
    next_seq: int
    held: int
    digest: int
    certain: bool = True


def pack_witness(witness: Witness) -> bytes:
    """The bytes that go into the file."""
    identity = bytes.fromhex(witness.id)
    head = _FORMAT.pack(_MAGIC, identity, witness.next_seq, witness.held, witness.digest, witness.certain)
    return head + _SUM.pack(zlib.crc32(head))


def unpack_witness(data: bytes) -> Witness | None:
    """What the bytes say; None if they are no sound witness."""
    if len(data) != BYTES or _SUM.unpack_from(data, _FORMAT.size) != (zlib.crc32(data[: _FORMAT.size]),):
        return None
    magic, identity, next_seq, held, digest, certain = _FORMAT.unpack_from(data)
    return Witness(identity.hex(), next_seq, held, digest, bool(certain)) if magic == _MAGIC else None


def count_lost(witness: Witness, next_seq: int, held: int) -> int | None:
    """How many readings are gone from an outbox that fell back behind its witness; None if that is not known.

    Args:
        witness: What it held once.
        next_seq: What it says now, less than the witness.
        held: Rows and dead letters that it has now; some may have been delivered before it fell back.
    """
    least = max(0, witness.held - held)
    most = min(witness.held, witness.next_seq - next_seq)
    return most if witness.certain and least >= most else None
