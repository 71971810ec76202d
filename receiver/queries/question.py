"""What is asked of series, and whether it makes sense: by the field dictionary alone, before anything is read. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from receiver.calendar.windows import Range, Step
from receiver.queries import budget
from receiver.queries.refusals import make_refusal
from receiver.stores.kinds import STORED
from shared.fields import KINDS, Field, Interpolation

TAGS: Final = tuple(sorted({tag for kind in STORED.values() for tag in kind.tags}))
"""Every tag that some kind has; each is a parameter."""
CAN_BE_SUMMED: Final = ("W", "var", "Wh")
"""Units whose values add up over series. Voltages do not, nor do apparent powers and currents of phases."""
INTEGRAL_UNITS: Final[Mapping[str, str]] = {"W": "Wh", "var": "varh", "VA": "VAh", "Wh": "Wh"}


_ROWS_BY_THEMSELVES: Final = frozenset({"event", "imported_energy", "interval", "datum"})
"""Kinds of scrapers and imports whose rows speak of a time of their own."""


class Aggregate(StrEnum):
    """What the answer gives for each window."""

    MEAN = "mean"
    """Mean over time, not over points."""
    MIN = "min"
    MAX = "max"
    LAST = "last"
    INTEGRAL = "integral"
    """Energy of a power (Wh); the increase of a counter."""


class Fill(StrEnum):
    """What stands for windows in which nothing is known. Their coverage stays 0: filled values are no measurements."""

    NONE = "none"
    """They are left out."""
    NULL = "null"
    """No value."""
    PREVIOUS = "previous"
    """The value of the last known window before."""
    LINEAR = "linear"
    """On the straight line between the middles of the known windows around."""


_AGGREGATES: Mapping[Interpolation, tuple[Aggregate, ...]] = {
    Interpolation.LINEAR: tuple(Aggregate),
    Interpolation.STEP: tuple(Aggregate),
    Interpolation.COUNTER: (Aggregate.INTEGRAL, Aggregate.LAST),
    Interpolation.LAST: (Aggregate.LAST, Aggregate.MEAN, Aggregate.MIN, Aggregate.MAX),
    Interpolation.AMOUNT: (),
}
"""The first of each is the default. Amounts are rows of their own windows, which are not cut into others."""


@dataclass(frozen=True, kw_only=True)
class SeriesQuestion:
    """One field of the series of one kind of one gateway.

    Attributes:
        gateway: Serial.
        kind: A key of `STORED`.
        field: A field of that kind.
        tags: Only series with these tags, as the sites file corrects them.
        asked: When.
        zone: Windows follow its calendar.
    """

    gateway: str
    kind: str
    field: str
    tags: Mapping[str, str]
    asked: Range
    zone: ZoneInfo

    @property
    def described(self) -> Field:
        """The field in the dictionary."""
        return STORED[self.kind].fields[self.field]


@dataclass(frozen=True, kw_only=True)
class WindowedQuestion(SeriesQuestion):
    """A question that is answered by one value for each window and group of series.

    Attributes:
        every: The length of windows.
        aggregate: What the answer gives for each.
        group_by: Tags that tell groups apart, in the order of the dictionary.
        fill: What stands for unknown windows.
    """

    every: Step
    aggregate: Aggregate
    group_by: tuple[str, ...]
    fill: Fill

    @property
    def unit(self) -> str:
        """Of the values."""
        unit = self.described.unit
        return INTEGRAL_UNITS[unit] if self.aggregate is Aggregate.INTEGRAL else unit


def check_question(question: SeriesQuestion) -> SeriesQuestion:
    """The question, if its kind, field and tags fit together. Raises RefusedError."""
    kind = STORED.get(question.kind)
    if kind is None:
        raise make_refusal("kind", f"must be one of {', '.join(STORED)}")
    if question.field not in kind.fields:
        raise make_refusal("field", f"must be a field of that kind: {', '.join(kind.fields)}")
    for tag in question.tags:
        if tag not in kind.tags:
            raise make_refusal(tag, f"is no tag of that kind; it has {', '.join(kind.tags) or 'none'}")
    return question


def ask_in_windows(
    question: SeriesQuestion, *, every: Step, aggregate: Aggregate | None, group_by: str | None, fill: Fill
) -> WindowedQuestion:
    """The question in windows.

    Args:
        question: From `check_question`.
        every: The length of windows.
        aggregate: None for what suits the field.
        group_by: Names of tags with commas between them; None for all.
        fill: What stands for unknown windows.

    Raises:
        RefusedError: The parts do not fit together, or ask for too much.
    """
    if question.kind not in KINDS or question.kind in _ROWS_BY_THEMSELVES:
        raise make_refusal(
            "every", "cannot be used with this kind, whose rows are windows or events already: leave it out"
        )
    budget.check_windows(every, question.asked)
    field = question.described
    groups = _parse_groups(question, group_by)
    chosen = _choose_aggregate(field, aggregate)
    dropped = [tag for tag in STORED[question.kind].tags if tag not in groups and tag not in question.tags]
    if dropped and not _can_be_summed(field, chosen):
        raise make_refusal(
            "group_by",
            f"must keep {', '.join(dropped)}, or choose one by a parameter of that name: only powers in W or var and "
            "the increase of counters can be summed",
        )
    if fill in (Fill.PREVIOUS, Fill.LINEAR) and chosen is Aggregate.INTEGRAL:
        raise make_refusal("fill", "must be none or null for an integral: unmeasured energy is never invented")
    if fill is Fill.LINEAR and field.type is str:
        raise make_refusal("fill", "must be none, null or previous for a text")
    values = {name: getattr(question, name) for name in ("gateway", "kind", "field", "tags", "asked", "zone")}
    return WindowedQuestion(**values, every=every, aggregate=chosen, group_by=groups, fill=fill)


def _parse_groups(question: SeriesQuestion, group_by: str | None) -> tuple[str, ...]:
    tags = STORED[question.kind].tags
    if group_by is None:
        return tags
    named = [name.strip() for name in group_by.split(",") if name.strip()]
    if not set(named) <= set(tags):
        raise make_refusal(
            "group_by", f"must be tags of that kind with commas between them: {', '.join(tags) or 'it has none'}"
        )
    return tuple(tag for tag in tags if tag in named)


def _choose_aggregate(field: Field, wanted: Aggregate | None) -> Aggregate:
    possible = (Aggregate.LAST,) if field.type is str else _AGGREGATES[field.interpolation]
    if wanted is None:
        return possible[0]
    if wanted not in possible:
        raise make_refusal("aggregate", f"must be one of {', '.join(possible)} for this field")
    if wanted is Aggregate.INTEGRAL and field.unit not in INTEGRAL_UNITS:
        raise make_refusal("aggregate", "cannot be integral for this field, which is no power and no counter")
    return wanted


def _can_be_summed(field: Field, aggregate: Aggregate) -> bool:
    if field.interpolation is Interpolation.COUNTER:
        return aggregate is Aggregate.INTEGRAL
    return field.unit in CAN_BE_SUMMED and field.interpolation is not Interpolation.LAST
