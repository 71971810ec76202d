"""From the bytes of a request to readings that may be stored, and a verdict on every other row. Pure.

What is wrong with the batch as a whole raises `RefusedError`; what a scraper newer than this receiver may rightly send
(an unknown kind, an unknown numeric field) costs that row or that field only. Nothing of the input is ever quoted,
except names that passed the pattern for names.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import cast

import msgspec

from receiver.errors import RefusedError
from receiver.strict_json import DuplicateKeyError, refuse_duplicates
from shared import wire
from shared.fields import KINDS, MAX_TEXT
from shared.problems import Problem, Rejection
from shared.readings import FieldValue, Reading, Series

_LAST_SEQ = 2**63 - 1

_ID = re.compile(r"[0-9a-f]{1,64}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TAG_VALUE = re.compile(r"[0-9A-Za-z._-]{1,64}")
_PATH_VALUE = re.compile(r"[0-9A-Za-z._/-]{1,64}")
_PATH_TAGS = frozenset({"source_id"})
"""SolarNetwork's sources have slashes in their names."""
_TAG_NAMES = {kind: frozenset(described.tags) for kind, described in KINDS.items()}
_NUMBERS = {
    kind: frozenset(name for name, field in described.fields.items() if field.type is float)
    for kind, described in KINDS.items()
}
_LARGEST = {
    kind: {name: field.largest for name, field in described.fields.items() if field.type is float}
    for kind, described in KINDS.items()
}
_REMEMBERED_SERIES = 16_384


class _Envelope(msgspec.Struct):
    """As much of a batch of any version as says its version."""

    version: int


_batch_decoder = msgspec.json.Decoder(wire.Batch)
_envelope_decoder = msgspec.json.Decoder(_Envelope)


@dataclass
class CheckedBatch:
    """What validation made of a batch.

    Attributes:
        batch: Id of the batch.
        outbox: Id of the outbox it comes from; empty: the sender has none.
        seqs: Outbox position of each of `readings`.
        readings: What may be stored, in the order sent.
        series: The series of each of `readings`. A reading that has one was judged.
        rejected: Rows that never will be, and why.
        ignored: `kind.field` of unknown numeric fields that were left out.
    """

    batch: str
    outbox: str
    seqs: list[int]
    readings: list[Reading]
    series: list[Series]
    rejected: list[wire.RejectedRow]
    ignored: set[str]

    def reject(self, fates: Mapping[int, Rejection]) -> None:
        """Reject readings that were found good, by their index."""
        self.rejected += [wire.RejectedRow(self.seqs[index], fate) for index, fate in fates.items()]
        kept = [index for index in range(len(self.seqs)) if index not in fates]
        self.seqs = [self.seqs[index] for index in kept]
        self.readings = [self.readings[index] for index in kept]
        self.series = [self.series[index] for index in kept]


def check(body: bytes, *, now_ms: int, retention_ms: Mapping[str, int | None]) -> CheckedBatch:
    """Decode and judge a batch.

    Args:
        body: The unpacked request body.
        now_ms: UTC wall time in milliseconds.
        retention_ms: Per kind how long the store keeps readings; None is without limit.

    Raises:
        RefusedError: malformed, unprocessable, unsupported-version or too-large.
    """
    batch = _decode(body)
    if len(batch.rows) > wire.MAX_ROWS:
        raise RefusedError(Problem.TOO_LARGE, "too-many-rows")
    checked = CheckedBatch(batch.batch, batch.outbox, [], [], [], [], set())
    oldest = {kind: max(wire.EARLIEST_MS, now_ms - (kept or now_ms)) for kind, kept in retention_ms.items()}
    newest = now_ms + wire.FUTURE_MS
    plain = _find_kinds_of_known_numbers([row.reading for row in batch.rows])
    for row in batch.rows:
        reading, fate = row.reading, None
        if reading.kind not in plain:
            reading, fate = _check_fields(reading, checked.ignored)
        if fate is Rejection.UNKNOWN_KIND:
            checked.rejected.append(wire.RejectedRow(row.seq, fate))
            continue
        series = _make_series(reading.kind, tuple(reading.tags.items()))
        if fate is None and not oldest[reading.kind] <= reading.timestamp <= newest:
            fate = Rejection.IN_THE_FUTURE if reading.timestamp > newest else Rejection.TOO_OLD
        if fate is None:
            checked.seqs.append(row.seq)
            checked.readings.append(reading)
            checked.series.append(series)
        else:
            checked.rejected.append(wire.RejectedRow(row.seq, fate))
    return checked


def _decode(body: bytes) -> wire.Batch:
    try:
        batch = _batch_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _explain_undecodable(body, error) from error
    if batch.version != wire.VERSION:
        raise RefusedError(Problem.UNSUPPORTED_VERSION, "version")
    _check_envelope(batch)
    _check_single_keys(body, batch)
    return batch


def _explain_undecodable(body: bytes, error: Exception) -> RefusedError:
    """The version decides first: a batch of a later version may have any shape."""
    try:
        version = _envelope_decoder.decode(body).version
    except msgspec.ValidationError:
        return RefusedError(Problem.UNPROCESSABLE, "shape")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return RefusedError(Problem.MALFORMED, "not-json")
    if version != wire.VERSION:
        return RefusedError(Problem.UNSUPPORTED_VERSION, "version")
    return RefusedError(
        Problem.UNPROCESSABLE if isinstance(error, msgspec.ValidationError) else Problem.MALFORMED, "shape"
    )


def _check_envelope(batch: wire.Batch) -> None:
    if not (_ID.fullmatch(batch.batch) and _ID.fullmatch(batch.outbox)):
        raise _make_unprocessable("ids")
    seqs = {row.seq for row in batch.rows}
    if len(seqs) != len(batch.rows) or (seqs and not 0 < min(seqs) <= max(seqs) <= _LAST_SEQ):
        raise _make_unprocessable("seq")


def _check_single_keys(body: bytes, batch: wire.Batch) -> None:
    """Refuse duplicate keys, which msgspec reads past.

    In JSON without escapes, every colon either follows a key or stands inside a string; so there are more colons than
    keys and strings account for only where msgspec dropped a duplicate. Counting them costs a hundredth of reading the
    body again, which only a body with escapes needs.
    """
    if b"\\" in body:
        try:
            refuse_duplicates(body)
        except ValueError as error:
            reason = "duplicate-keys" if isinstance(error, DuplicateKeyError) else "not-json"
            raise RefusedError(Problem.MALFORMED, reason) from error
        return
    readings = [row.reading for row in batch.rows]
    tags, fields = [reading.tags for reading in readings], [reading.fields for reading in readings]
    # 4 of the batch; of a row 2, of its reading 4 and those inside
    keys = 4 + 6 * len(readings) + sum(map(len, tags)) + sum(map(len, fields))
    surplus = body.count(b":") - keys
    if surplus and surplus != sum(map(_count_colons, readings)):
        raise RefusedError(Problem.MALFORMED, "duplicate-keys")


def _count_colons(reading: Reading) -> int:
    """Colons in the strings of a reading."""
    texts = (value for value in reading.fields.values() if isinstance(value, str))
    return "".join((reading.kind, *reading.tags, *reading.tags.values(), *reading.fields, *texts)).count(":")


@lru_cache(_REMEMBERED_SERIES)
def _make_series(kind: str, tags: tuple[tuple[str, str], ...]) -> Series:
    """The series with these tags, in any order, of a known kind.

    Refusals are not remembered, so they displace no good series. A gateway has a few hundred series and sends
    each of them again and again: what was found good stays good.
    """
    if {name for name, _ in tags} != _TAG_NAMES[kind]:
        raise _make_unprocessable("tag-names")
    for name, value in tags:
        if (_PATH_VALUE if name in _PATH_TAGS else _TAG_VALUE).fullmatch(value) is None:
            raise _make_unprocessable("tag-value")
    return Series.of(kind, dict(tags))


def _find_kinds_of_known_numbers(readings: Sequence[Reading]) -> set[str]:
    """The kinds of which every reading has fields, and all of them are numbers in range that this version knows.

    Nearly every reading is of such a kind. One check covers all readings of a kind, without a step of Python for each.
    """
    plain = set()
    for kind in {reading.kind for reading in readings} & KINDS.keys():
        fields = [reading.fields for reading in readings if reading.kind == kind]
        if not all(fields):
            continue
        names = set().union(*fields)
        if names <= _NUMBERS[kind] and _has_only_numbers(fields) and _is_in_range(_LARGEST[kind], names, fields):
            plain.add(kind)
    return plain


def _has_only_numbers(fields: Sequence[Mapping[str, FieldValue]]) -> bool:
    """Whether no value is a text. Adding up is the quickest way to tell: a text cannot be added to a number."""
    try:
        sum(chain.from_iterable(map(dict.values, fields)))  # type: ignore[arg-type]  # as it is about to say
    except TypeError:
        return False
    return True


def _is_in_range(
    largest: Mapping[str, float], names: Iterable[str], fields: Sequence[Mapping[str, FieldValue]]
) -> bool:
    """Whether all values, which are numbers, are those of a house: field by field is quicker than value by value."""
    for name in names:
        values = cast("list[float]", [one[name] for one in fields if name in one])
        if not -largest[name] <= min(values) <= max(values) <= largest[name]:
            return False
    return True


def _check_fields(reading: Reading, ignored: set[str]) -> tuple[Reading, Rejection | None]:
    """The careful way, for every row that is not simply known numbers."""
    kind = KINDS.get(reading.kind)
    if kind is None:
        if _NAME.fullmatch(reading.kind) is None:
            raise _make_unprocessable("kind")
        return reading, Rejection.UNKNOWN_KIND
    kept: dict[str, FieldValue] = {}
    fate = None
    for name, value in reading.fields.items():
        field = kind.fields.get(name)
        if field is None:
            if isinstance(value, str) or _NAME.fullmatch(name) is None:
                raise _make_unprocessable("unknown-text-field")
            ignored.add(f"{reading.kind}.{name}")
        elif not isinstance(value, field.type):
            raise _make_unprocessable("field-type")
        elif isinstance(value, str) and (len(value) > MAX_TEXT or not value.isprintable()):
            raise _make_unprocessable("field-text")
        else:
            kept[name] = value
            if isinstance(value, float) and abs(value) > field.largest:
                fate = Rejection.OUT_OF_RANGE
    if not kept:
        fate = Rejection.NO_KNOWN_FIELD
    return Reading(reading.kind, reading.tags, reading.timestamp, kept), fate


def _make_unprocessable(reason: str) -> RefusedError:
    return RefusedError(Problem.UNPROCESSABLE, reason)
