"""Which stretches of time are asked for. Pure; all times are epoch seconds.

An interval is named by its end, a start is exclusive and an end inclusive: windows that follow each other share their
boundary and no interval. Windows are never made of local days, which have 23 to 25 hours.
"""

from typing import NamedTuple

from shared.units import DAY_S, MINUTE_S

QUARTER_S = 15 * MINUTE_S
LONGEST_S = 7 * DAY_S
"""The cloud answers with at most seven days (seconds)."""
HISTORY_S = 730 * DAY_S
"""Intervals are not given from longer ago than two years; the cloud refuses such a start (seconds)."""
CUT_S = 25 * 60 * MINUTE_S
"""A week's reply that ends so much earlier than it should was cut to one day, of 25 hours at most (seconds)."""
_LENGTHS = {"15mins": QUARTER_S, "day": DAY_S, "week": LONGEST_S}


class UsedWindow(NamedTuple):
    """What is asked instead of what was wanted.

    Attributes:
        start_s: Exclusive.
        end_s: Inclusive.
        following: Start and end of what to want next, where the wish was longer than one call may be.
    """

    start_s: int
    end_s: int
    following: tuple[int, int] | None = None


def find_quarter(moment_s: float) -> int:
    """The quarter hour of UTC in which a moment lies."""
    return int(moment_s // QUARTER_S) * QUARTER_S


def use_window(start_s: int, end_s: int, now_s: float) -> UsedWindow:
    """Quarter hours around the wish, seven days at most, and nothing of the future, which the cloud refuses."""
    start, end = find_quarter(start_s), find_quarter(end_s)
    if end < end_s:
        end += QUARTER_S
    following = None
    if end - start > LONGEST_S:
        following = (start + LONGEST_S, min(start + 2 * LONGEST_S, end_s))
        end = start + LONGEST_S
    return UsedWindow(start, find_quarter(now_s) if end > now_s else end, following)


def choose_granularity(span_s: int) -> str:
    """How the length of a window is told to endpoints that take no end."""
    if span_s <= QUARTER_S:
        return "15mins"
    return "day" if span_s <= DAY_S else "week"


def clamp_start(start_s: int, now_s: float) -> int:
    """The start, but never longer ago than the cloud gives intervals."""
    return max(start_s, find_quarter(now_s - HISTORY_S) + QUARTER_S)


def cut_window(start_s: int, end_s: int, *, one_day: bool) -> tuple[int, int]:
    """The first window of a longer stretch: seven days, or one where the cloud gives no more in a call."""
    return start_s, min(end_s, start_s + (DAY_S if one_day else LONGEST_S))


def count_windows(start_s: int, end_s: int, *, one_day: bool) -> int:
    """How many calls a stretch takes."""
    longest = DAY_S if one_day else LONGEST_S
    return max(0, -((start_s - end_s) // longest))


class Spoken(NamedTuple):
    """What a reply says about its window.

    Attributes:
        until_s: It speaks of the time until here; what is missing before is not there.
        cut: It should have been longer: the cloud gives one day in a call.
        whole: It is longer than a day: the cloud gives weeks.
    """

    until_s: int
    cut: bool
    whole: bool = False


def find_beginning(window: tuple[int, int], ends: tuple[int, ...], told_s: int | None, step_s: int) -> int | None:
    """Where the intervals of a system begin, if the cloud moved the start there; None if it did not.

    A start before the first report is taken as midnight of that report's day. So the reply says another start than was
    asked, or ends later than what begins at that start can.

    Args:
        window: What was asked for.
        ends: The ends of all intervals that came, ascending, also outside the window.
        told_s: The start that the reply says.
        step_s: Length of an interval.
    """
    start_s, end_s = window
    if not ends or (begins := ends[0] - step_s) <= start_s:
        return None
    is_told = told_s is not None and told_s - start_s >= QUARTER_S
    latest = start_s + max(_LENGTHS[choose_granularity(end_s - start_s)], CUT_S)
    return begins if is_told or ends[-1] > latest else None


def measure_reply(
    window: tuple[int, int], ends: tuple[int, ...], last_energy_s: int | None, *, gives_weeks: bool = False
) -> Spoken:
    """How much of its window a reply covers: some systems answer with one day, whatever is asked.

    Args:
        window: What was asked for.
        ends: The ends of the intervals that came, ascending.
        last_energy_s: The newest interval that the cloud knows.
        gives_weeks: Whether the system gave more than a day before: what is missing then is not there.
    """
    start_s, end_s = window
    if end_s - start_s <= DAY_S:
        return Spoken(end_s, cut=False)
    if gives_weeks or (ends and ends[-1] - ends[0] > CUT_S):
        return Spoken(end_s, cut=False, whole=True)
    due_s = end_s if last_energy_s is None else min(end_s, last_energy_s)
    inside = [end for end in ends if start_s < end <= end_s]
    if not inside:  # a long outage looks like this, and so does a day without data before days that were not sent
        return Spoken(end_s if due_s <= start_s else start_s + DAY_S, cut=False)
    if due_s - inside[-1] > CUT_S:
        return Spoken(find_quarter(inside[-1]), cut=True)
    return Spoken(end_s, cut=False)
