"""How many calls a minute and a month still have: the arithmetic of the budget, on values that a file keeps. Pure.

CallLimits are the API's own where it has said them (429), else those of the settings. A month is the UTC calendar month
until the API says when its period ends.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

MINUTE_MS = 60_000
_MOST_MONTH_MS = 32 * 24 * 60 * MINUTE_MS
_MONTHS_KEPT = 3
RESERVE_SHARE = 0.1
"""Share of a month's calls that only renewals, repairs and `check` may use."""
LAST_STRAW = 3
"""After so many 429 in a row that say no period, the month counts as used up."""


class CallLimits(NamedTuple):
    """Calls a minute and a month, as the settings say."""

    minute: int
    month: int


class LearntLimit(msgspec.Struct, frozen=True):
    """A limit that the API said, which counts until the setting is changed.

    Attributes:
        calls: What the API said.
        setting: What the setting said at that time.
    """

    calls: int
    setting: int


class MonthCount(msgspec.Struct, frozen=True):
    """The calls of one month that is not the counted one, by when it ends."""

    ends_ms: int
    used: int
    from_reserve: int


class BudgetState(msgspec.Struct, frozen=True):
    """What the file keeps.

    Attributes:
        month_ends_ms: When the counted month is over.
        used: Calls of that month.
        from_reserve: How many of them were renewals, repairs and `check`.
        others: The months counted before, the last one first: a clock that is wrong for a while returns to its month.
        recent_ms: When the calls of the last minute were made.
        blocked_until_ms: No call before that: the API said so. 0 if it did not.
        blocked_by: `minute` or `month`, whose limit that was.
        refusals: Answers 429 in a row.
        minute_limit, month_limit: As the API said them.
    """

    month_ends_ms: int = 0
    used: int = 0
    from_reserve: int = 0
    others: tuple[MonthCount, ...] = ()
    recent_ms: tuple[int, ...] = ()
    blocked_until_ms: int = 0
    blocked_by: str = ""
    refusals: int = 0
    minute_limit: LearntLimit | None = None
    month_limit: LearntLimit | None = None

    def find_limits(self, settings: CallLimits) -> CallLimits:
        """The limits that count."""
        return CallLimits(_choose(self.minute_limit, settings.minute), _choose(self.month_limit, settings.month))


class QuotaRefusal(NamedTuple):
    """What a 429 says; None where it does not."""

    period: str | None = None
    period_end_ms: int | None = None
    limit: int | None = None


class NoCall(NamedTuple):
    """Why no call may be made now, and when one may be."""

    period: str
    until_ms: int
    limit: int


def _choose(learnt: LearntLimit | None, setting: int) -> int:
    return learnt.calls if learnt is not None and learnt.setting == setting else setting


def find_month_end_ms(now_ms: int) -> int:
    """When the UTC calendar month of a moment is over."""
    first = datetime.fromtimestamp(now_ms / 1000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + timedelta(days=32)).replace(day=1)
    return int(following.timestamp()) * 1000


def roll_over(state: BudgetState, now_ms: int) -> BudgetState:
    """The state at a moment: a month that is over is no longer counted, nor a minute.

    A clock that was wrong leaves ends and calls in the future: they are not believed. Of a clock that is behind until
    it is set, as after a boot, the count goes on where it was.
    """
    recent = tuple(one for one in state.recent_ms if now_ms - MINUTE_MS < one <= now_ms)
    blocked_ms = state.blocked_until_ms if now_ms < state.blocked_until_ms <= now_ms + _MOST_MONTH_MS else 0
    state = msgspec.structs.replace(state, recent_ms=recent, blocked_until_ms=blocked_ms)
    counted = MonthCount(state.month_ends_ms, state.used, state.from_reserve)
    months = (counted, *state.others)
    begun = MonthCount(find_month_end_ms(now_ms), 0, 0)
    now = next((one for one in months if now_ms < one.ends_ms <= now_ms + _MOST_MONTH_MS), begun)
    if now is counted:
        return state
    others = tuple(one for one in months if one is not now and one.used)[:_MONTHS_KEPT]
    return msgspec.structs.replace(
        state, month_ends_ms=now.ends_ms, used=now.used, from_reserve=now.from_reserve, others=others
    )


def find_refusal(state: BudgetState, settings: CallLimits, *, from_reserve: bool) -> NoCall | None:
    """Why a call may not be made, of a state that was rolled over; None if it may."""
    limits = state.find_limits(settings)
    if state.blocked_until_ms:
        by_month = state.blocked_by == "month"
        return NoCall(state.blocked_by, state.blocked_until_ms, limits.month if by_month else limits.minute)
    if state.used >= limits.month - (0 if from_reserve else count_reserve(state, limits.month)):
        return NoCall("month", state.month_ends_ms, limits.month)
    if len(state.recent_ms) >= limits.minute:
        return NoCall("minute", sorted(state.recent_ms)[-limits.minute] + MINUTE_MS, limits.minute)
    return None


def count_reserve(state: BudgetState, month_limit: int) -> int:
    """The calls of a month that ordinary reading leaves alone, as far as they are still there."""
    return max(0, int(month_limit * RESERVE_SHARE) - state.from_reserve)


def count_call(state: BudgetState, now_ms: int, *, from_reserve: bool) -> BudgetState:
    """One call more."""
    return msgspec.structs.replace(
        state,
        used=state.used + 1,
        from_reserve=state.from_reserve + from_reserve,
        recent_ms=(*state.recent_ms, now_ms),
    )


def learn(state: BudgetState, settings: CallLimits, refusal: QuotaRefusal, now_ms: int) -> BudgetState:
    """What a 429 changes: limit and end of the period are the API's from now on.

    One that says nothing stops calls for a minute; the third of them in a row stops them until the month is over.
    """
    refusals = state.refusals + 1
    straw = refusal.period_end_ms is None and refusals >= LAST_STRAW
    month = refusal.period == "month" or (refusal.period is None and straw)
    until_ms = refusal.period_end_ms
    if until_ms is None or not now_ms < until_ms <= now_ms + _MOST_MONTH_MS:
        until_ms = state.month_ends_ms if month else now_ms + MINUTE_MS
    changed = msgspec.structs.replace(
        state, refusals=refusals, blocked_until_ms=until_ms, blocked_by="month" if month else "minute"
    )
    if month:
        changed = msgspec.structs.replace(changed, month_ends_ms=until_ms)
    for name, setting in _name_learnt(refusal, settings):
        changed = msgspec.structs.replace(changed, **{name: LearntLimit(refusal.limit or setting, setting)})
    return changed


def _name_learnt(refusal: QuotaRefusal, settings: CallLimits) -> Iterator[tuple[str, int]]:
    if refusal.limit is not None and refusal.period == "month":
        yield "month_limit", settings.month
    elif refusal.limit is not None and refusal.period == "minute":
        yield "minute_limit", settings.minute
