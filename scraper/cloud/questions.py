"""What is asked of the cloud for each type of intervals, and what of a reply counts."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from scraper.cloud.errors import CloudRefusedError
from scraper.cloud.parse.production_micro import parse_production_micro
from scraper.cloud.parse.replies import ReplyMeta, read_moment
from scraper.cloud.parse.rgm_stats import parse_rgm_stats
from scraper.cloud.rules.amounts import Amounts, take_meters, take_micros
from scraper.cloud.rules.progress import Stretch
from scraper.cloud.rules.windows import (
    QUARTER_S,
    Spoken,
    choose_granularity,
    find_beginning,
    find_quarter,
    measure_reply,
)

_OUT_OF_RANGE = 422
_FIRST = re.compile(r":first_interval=>(\d{9,11})")


class Asker(Protocol):
    """Whom questions go to."""

    @property
    def clock_offset_s(self) -> float | None:
        """How far the API's clock is ahead of this host's; None before it is known."""
        ...

    async def fetch(
        self, path: str, parameters: Mapping[str, str | int] | None = None, *, from_reserve: bool = False
    ) -> object:
        """The parsed JSON of a path; one call of the budget."""
        ...


class IntervalType(NamedTuple):
    """One type of intervals.

    Attributes:
        name: As settings, logs and tags call it.
        path: Below that of the system.
        step_s: Length of its intervals.
        takes_end: Whether the endpoint takes an end; others take a granularity.
        take: From a reply to amounts. Raises BadReplyError.
    """

    name: str
    path: str
    step_s: int
    takes_end: bool
    take: Callable[[object], Amounts]


TYPES: Mapping[str, IntervalType] = {
    "inv": IntervalType(
        "inv",
        "telemetry/production_micro",
        QUARTER_S // 3,
        takes_end=False,
        take=lambda reply: take_micros(parse_production_micro(reply)),
    ),
    "met": IntervalType(
        "met", "rgm_stats", QUARTER_S, takes_end=True, take=lambda reply: take_meters(parse_rgm_stats(reply))
    ),
}
"""By name, in the order in which they are asked."""


class Answer(NamedTuple):
    """What the cloud says of a window.

    Attributes:
        amounts: Its intervals, none outside the window.
        spoken: How much of the window the reply covers; more than all of it where nothing is there before `begins_s`.
        is_absent: The system has no such devices.
        begins_s: The system has nothing before this (epoch seconds); None where nothing of it was said.
    """

    amounts: Amounts
    spoken: Spoken
    is_absent: bool = False
    begins_s: int | None = None


def write_parameters(window: Stretch, *, takes_end: bool) -> dict[str, str | int]:
    """A window as the endpoints take it."""
    start_s, end_s = window
    if takes_end:
        return {"start_at": start_s, "end_at": end_s}
    return {"start_at": start_s, "granularity": choose_granularity(end_s - start_s)}


async def ask_window(
    api: Asker,
    system_id: int,
    wanted: IntervalType,
    window: Stretch,
    *,
    from_reserve: bool = False,
    gives_weeks: bool = False,
) -> Answer:
    """Ask for one window; `gives_weeks` is what is known of the system's replies.

    Raises:
        CloudError, PersonNeededError: As `CloudApi.fetch`.
        BadReplyError: The reply is not what it should be.
    """
    path = f"systems/{system_id}/{wanted.path}"
    try:
        reply = await api.fetch(path, write_parameters(window, takes_end=wanted.takes_end), from_reserve=from_reserve)
    except CloudRefusedError as error:
        first = _FIRST.search(error.details)
        begins = 0 if first is None else find_quarter(int(first[1]) - 1)
        if error.status != _OUT_OF_RANGE or not window[0] < begins:
            raise
        return Answer(Amounts(None, ReplyMeta(), ()), Spoken(begins, cut=False), begins_s=begins)
    amounts = wanted.take(reply)
    is_absent = amounts.devices_total == 0 and not amounts.intervals
    ends = tuple(sorted(one.end_s for one in amounts.intervals))
    inside = tuple(one for one in amounts.intervals if window[0] < one.end_s <= window[1])
    amounts = amounts._replace(intervals=inside)
    if wanted.takes_end:
        return Answer(amounts, Spoken(window[1], cut=False), is_absent)
    told_s = read_moment(reply.get("start_at")) if isinstance(reply, dict) else None
    starts = find_beginning(window, ends, told_s, wanted.step_s)
    spoken = measure_reply(window, ends, amounts.meta.last_energy_s, gives_weeks=gives_weeks)
    if starts is not None and starts >= window[1]:
        spoken = spoken._replace(until_s=starts, cut=False)
    return Answer(amounts, spoken, is_absent, starts)
