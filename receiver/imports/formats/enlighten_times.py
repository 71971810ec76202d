"""How the reports of Enlighten write times: both orders of a date, with a clock or without, some with an offset. Pure.

A date alone does not say whether the month or the day stands first. A number above 12 somewhere in the file does; in a
file without one, it is the order in which the rows follow each other closely.
"""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from enum import StrEnum

from receiver.errors import ReceiverSettingError

_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?:[ T](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2})?)?"
    r"(?:\s*(?P<offset>Z|[+-]\d{2}:?\d{2}))?"
)
_NUMBERS = re.compile(
    r"(?P<first>\d{1,2})[/.](?P<second>\d{1,2})[/.](?P<year>\d{4})"
    r"(?:\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2})?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?)?"
)
_LAST_MONTH = 12
_NOON = 12
_DAY = timedelta(days=1)
_STEPS = (timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1), _DAY)


class DateOrder(StrEnum):
    """Which number of 03/04/2024 is the month."""

    MONTH_FIRST = "month-first"
    DAY_FIRST = "day-first"


def read_time(text: str, order: DateOrder) -> datetime | None:
    """The time of a row, with its offset where one is written; None: it is none, in this order."""
    for pattern in (_ISO, _NUMBERS):
        if (found := pattern.fullmatch(text.strip())) is not None:
            try:
                return _build(found.groupdict(), order)
            except ValueError:
                return None
    return None


def _build(parts: dict[str, str | None], order: DateOrder) -> datetime:
    if "first" in parts:
        month, day = parts["first"], parts["second"]
        if order is DateOrder.DAY_FIRST:
            month, day = day, month
    else:
        month, day = parts["month"], parts["day"]
    hour = int(parts["hour"] or 0)
    half = (parts.get("half") or "").lower()
    if half:
        if not 1 <= hour <= _NOON:
            raise ValueError("no hour of a clock with halves")
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    year, minute = int(parts["year"] or 0), int(parts["minute"] or 0)
    moment = datetime(year, int(month or 0), int(day or 0), hour, minute)  # noqa: DTZ001 (a local time)
    offset = parts.get("offset")
    if not offset:
        return moment
    if offset == "Z":
        return moment.replace(tzinfo=timezone.utc)  # noqa: UP017 (as the others, which are offsets)
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return moment.replace(tzinfo=timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes)))


class TimeSurvey:
    """What the times of a whole file say of its date order and of the length of its windows.

    Attributes:
        has_local: Whether one has no offset, so that it means something in a time zone only.
        has_numbers: Whether one has a date whose numbers have an order.
    """

    def __init__(self) -> None:
        self._previous: dict[DateOrder, datetime] = {}
        self._steps: dict[DateOrder, Counter[timedelta]] = {order: Counter() for order in DateOrder}
        self._read: Counter[DateOrder] = Counter()
        self._rows = 0
        self.has_local = False
        self.has_numbers = False

    def add(self, text: str) -> None:
        """Look at the time of the next row. What is no time in either order counts for nothing."""
        found = {order: moment for order in DateOrder if (moment := read_time(text, order)) is not None}
        self._rows += bool(found)
        self.has_local |= any(moment.tzinfo is None for moment in found.values())
        self.has_numbers |= _NUMBERS.fullmatch(text.strip()) is not None
        for order, moment in found.items():
            self._read[order] += 1
            local = moment.replace(tzinfo=None)
            previous = self._previous.get(order)
            self._previous[order] = local
            if previous is not None and timedelta() < (step := local - previous) <= _DAY:
                self._steps[order][step] += 1

    def choose_order(self) -> DateOrder:
        """The order of the file's dates. Raises ReceiverSettingError if it does not tell."""
        if not self._rows:
            raise ReceiverSettingError("the file has no row with a time: export a report with the column Date/Time")
        month_first, day_first = (self._read[order] for order in (DateOrder.MONTH_FIRST, DateOrder.DAY_FIRST))
        if month_first != day_first:
            return DateOrder.MONTH_FIRST if month_first > day_first else DateOrder.DAY_FIRST
        steps = {order: self._steps[order].total() for order in DateOrder}
        is_ambiguous = len(set(self._previous.values())) > 1
        if steps[DateOrder.MONTH_FIRST] == steps[DateOrder.DAY_FIRST] and is_ambiguous:
            raise ReceiverSettingError(
                "the dates of this file may have the month or the day first, and nothing in it tells: add --dates "
                "month-first or --dates day-first"
            )
        return max(DateOrder, key=steps.__getitem__)

    def find_step(self, order: DateOrder) -> timedelta:
        """How long the windows are: the commonest step. Raises ReceiverSettingError for what cannot be taken."""
        common = self._steps[order].most_common(1)
        if not common:
            raise ReceiverSettingError(
                "the rows of this file do not follow each other by a quarter hour, half an hour, an hour or a day, so "
                "it is not known what time each is about: export a longer report, in the order of time"
            )
        step = common[0][0]
        if step not in _STEPS:
            raise ReceiverSettingError(
                f"the rows of this file are {step.total_seconds() / 60:g} minutes apart: export a report of quarter "
                "hours, hours or days"
            )
        return step


def read_survey(texts: Iterable[str]) -> TimeSurvey:
    """The survey of all times of a file."""
    survey = TimeSurvey()
    for text in texts:
        survey.add(text)
    return survey
