"""The versioned batch and its verdict: the only thing that scraper and receiver must agree on. Pure.

A batch is JSON: {"version": 1, "batch": "<hex>", "outbox": "<hex>", "rows": [{"seq": 1, "reading": {...}}, ...]}.
A reading inside a row is the very bytes that the outbox committed, so a row is encoded once in its life.
The verdict names the batch and says the fate of each row; rows leave the outbox only by a verdict.
"""

from collections.abc import Iterable

import msgspec

from shared.readings import Reading
from shared.units import MINUTE_MS

VERSION = 1
MAX_ROWS = 500
"""Readings in one batch, at most."""
MAX_BYTES = 256 * 1024
"""Bytes of one batch before compression, at most."""
MOST_IGNORED = 20
"""Names of fields that a verdict, or a line about it, lists at most."""
EARLIEST_MS = 946_684_800_000
"""2000-01-01: no gateway of this kind is older, whatever the retention; a stamp before it comes from a broken clock."""
FUTURE_MS = 10 * MINUTE_MS
"""How far ahead of the receiver's clock a reading may be stamped (milliseconds)."""


class BatchRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One reading and its place in the outbox. Like a reading, of no interest to the collector."""

    seq: int
    reading: Reading


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a scraper posts."""

    version: int
    batch: str
    outbox: str
    rows: list[BatchRow]


class RejectedRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row that the receiver will never take, and why (a `shared.problems.Rejection`)."""

    seq: int
    code: str


class Verdict(msgspec.Struct, frozen=True):
    """The receiver's reply to a batch; unknown keys are tolerated, so that a newer receiver may say more.

    Attributes:
        batch: The id of the batch it judges.
        accepted: How many rows are durably stored.
        rejected: The rows that will never be stored.
        ignored: Names (`kind.field`) of unknown numeric fields that were left out: the first `MOST_IGNORED`.
        watched: Whether somebody looks at this gateway's live values now.
    """

    batch: str
    accepted: int
    rejected: list[RejectedRow] = []
    ignored: list[str] = []
    watched: bool = False


_reading_encoder = msgspec.json.Encoder()
_reading_decoder = msgspec.json.Decoder(Reading)
_verdict_decoder = msgspec.json.Decoder(Verdict)


def encode_reading(reading: Reading) -> bytes:
    """One reading as JSON, the form in which the outbox keeps it. Raises ValueError for NaN or infinity."""
    for name, value in reading.fields.items():
        if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):  # noqa: PLR0124 (the NaN test)
            raise ValueError(f"field {name} is not a finite number")
    return _reading_encoder.encode(reading)


def decode_reading(data: bytes) -> Reading:
    """A reading from its JSON. Raises msgspec.DecodeError or msgspec.ValidationError."""
    return _reading_decoder.decode(data)


def encode_batch(*, batch: str, outbox: str, rows: Iterable[tuple[int, bytes]]) -> bytes:
    """A batch from rows as the outbox keeps them: (seq, JSON of the reading). `batch` and `outbox` are hex ids."""
    body = b",".join(b'{"seq":%d,"reading":%b}' % row for row in rows)
    return b'{"version":%d,"batch":"%b","outbox":"%b","rows":[%b]}' % (
        VERSION,
        batch.encode(),
        outbox.encode(),
        body,
    )


def encode_verdict(verdict: Verdict) -> bytes:
    """The reply as JSON."""
    return _reading_encoder.encode(verdict)


def decode_verdict(data: bytes) -> Verdict:
    """A verdict from a reply. Raises msgspec.DecodeError or msgspec.ValidationError if it is none."""
    return _verdict_decoder.decode(data)
