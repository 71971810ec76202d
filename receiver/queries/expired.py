"""Questions about a time whose minutes have expired: hours answer them, and the answer says so. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from receiver.calendar.windows import find_step
from receiver.queries.question import Aggregate, SeriesQuestion, WindowedQuestion
from receiver.stores.kinds import HOURS_OF
from shared.units import HOUR_MS

_Q = TypeVar("_Q", bound=SeriesQuestion)
_MINUTES, _HOUR = "meter_1m", find_step("1h")


def find_oldest(kind: str, retention_ms: Mapping[str, int | None], now_ms: int) -> int:
    """The oldest instant of which readings of a kind are kept (UTC milliseconds); 0 where they are without limit.

    Args:
        kind: A key of `STORED`.
        retention_ms: Of the store.
        now_ms: UTC milliseconds.
    """
    kept_ms = retention_ms[kind]
    return 0 if kept_ms is None else now_ms - kept_ms


def ask_coarser(question: _Q, retention_ms: Mapping[str, int | None], now_ms: int) -> tuple[_Q, str | None]:
    """The question, or the one about hours where its minutes have expired, and then a sentence that says so.

    Args:
        question: Of single points, or of windows of a meter's power, which stored minutes answer.
        retention_ms: Of the store.
        now_ms: UTC milliseconds.
    """
    start = question.asked.start
    if question.kind in HOURS_OF and start < find_oldest(question.kind, retention_ms, now_ms):
        hours = HOURS_OF[question.kind]
        return replace(question, kind=hours), f"Minutes of that time have expired: these are hours ({hours})."
    if (
        isinstance(question, WindowedQuestion)
        and (question.kind, question.field) == ("meter", "power")
        and question.aggregate is not Aggregate.LAST
        and question.every.least_ms < HOUR_MS
        and start < min(find_oldest(kind, retention_ms, now_ms) for kind in ("meter", _MINUTES))
    ):
        return replace(question, every=_HOUR), "Minutes and readings of that time have expired: these are hours."
    return question, None
