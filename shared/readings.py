"""The one thing that travels through the whole system: a reading.

A reading is one observation of one series: kind, identity tags, UTC timestamp, fields.
Its *identity* is (gateway, kind, tags, timestamp). Writing an identity again adds no point: fields merge, the
last write wins per field, in every store. The gateway is never inside a reading: at the edge there is only one,
and at the receiver it comes from the token and the path, so that no body can write as another gateway.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import msgspec

FieldValue: TypeAlias = float | str
"""A measured value. Which of the two a field has is fixed in `shared.fields`."""

Tags: TypeAlias = tuple[tuple[str, str], ...]
"""Identity tags without the gateway, sorted by name, e.g. (("meter", "production"), ("phase", "a"))."""


class Series(NamedTuple):
    """What a reading belongs to: hashable, so it keys delta state, latest values and store caches."""

    kind: str
    tags: Tags

    @classmethod
    def of(cls, kind: str, tags: Mapping[str, str]) -> "Series":
        """The series with these tags, which may come in any order."""
        return cls(kind, tuple(sorted(tags.items())))

    def get_tag(self, name: str) -> str:
        """The value of one tag. Raises KeyError if a series of this kind has no such tag."""
        return dict(self.tags)[name]


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One observation of one series.

    Attributes:
        kind: The measurement: a key of `shared.fields.KINDS`.
        tags: Identity tags without the gateway, e.g. {"meter": "net-consumption", "phase": "a"}.
        timestamp: UTC, milliseconds since 1970.
        fields: Name to value, in the units of `shared.fields`; absent means unchanged or unknown, never zero.
    """

    # gc=False: it holds text and numbers only, so it is never part of a cycle and the collector need not look at it.

    kind: str
    tags: dict[str, str]
    timestamp: int
    fields: dict[str, FieldValue]

    @property
    def series(self) -> Series:
        """The series of this reading."""
        return Series.of(self.kind, self.tags)
