"""Where else an answer lies, for questions that cannot be answered as they were put. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final, get_args

from receiver.queries.question import Aggregate, SeriesQuestion, WindowedQuestion
from receiver.queries.refusals import make_refusal
from receiver.sites.model import Role
from receiver.stores.kinds import STORED

_HOURS: Final = "meter_1h"
_SUFFIXES: Final[Mapping[Aggregate, str]] = {Aggregate.MEAN: "", Aggregate.MIN: "_min", Aggregate.MAX: "_max"}
_METERS: Final = tuple(role for role in get_args(Role) if role != "ignore")


def advise_hours(question: WindowedQuestion) -> str | None:
    """How to ask for the stored hours of what is asked of a meter's readings; None where no hour has it."""
    suffix = _SUFFIXES.get(question.aggregate)
    if question.kind != "meter" or suffix is None:
        return None
    name = f"{question.field}{suffix}"
    if name not in STORED[_HOURS].fields:
        return None
    return f"ask for kind={_HOURS} and field={name} without every: its rows are hours, and are kept without limit"


def refuse_expired(question: WindowedQuestion, advice: str | None, kept_ms: int | None, now_ms: int) -> None:
    """Refuse what reaches behind the readings that are kept, where stored hours have it.

    Args:
        question: What is answered from readings.
        advice: Of `advise_hours`; None where no stored hour has the answer.
        kept_ms: How long readings of its kind are kept; None is without limit.
        now_ms: UTC milliseconds.

    Raises:
        RefusedError: It says what to ask instead.
    """
    if advice is not None and kept_ms is not None and question.asked.start < now_ms - kept_ms:
        raise make_refusal("start", f"is before the raw readings that are kept: choose a later one, or {advice}")


def refuse_unknown_meter(question: SeriesQuestion, meters: Iterable[str]) -> None:
    """Refuse a name that no meter of the gateway has, and none can have.

    Args:
        question: What is asked.
        meters: Names of those that have readings of its kind.

    Raises:
        RefusedError: It names the meters that there are.
    """
    wanted, known = question.tags.get("meter"), sorted(set(meters))
    if wanted is None or wanted in known or wanted in _METERS:
        return
    there = f"this gateway has {', '.join(known)}" if known else f"there can be {', '.join(_METERS)}"
    raise make_refusal("meter", f"is not the name of a meter: {there}")
