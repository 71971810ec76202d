"""Windows: what is asked for, and how much of it a reply speaks of."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.cloud.rules.pauses import find_day
from scraper.cloud.rules.windows import (
    HISTORY_S,
    LONGEST_S,
    QUARTER_S,
    UsedWindow,
    choose_granularity,
    clamp_start,
    count_windows,
    cut_window,
    find_beginning,
    measure_reply,
    use_window,
)
from shared.units import DAY_S

NOW = 1_778_581_930
MOMENTS = st.integers(NOW - HISTORY_S, NOW)


def test_windows_are_widened_to_quarter_hours():
    assert use_window(1738420800, 1738423200, NOW) == UsedWindow(1738420200, 1738423800)


def test_nothing_of_the_future_is_asked():
    """The worked pass of the reference."""
    assert use_window(1778580000, 1778581920, NOW) == UsedWindow(1778580000, 1778581800)


def test_a_long_wish_is_cut_to_seven_days_and_says_what_comes_next():
    start, end = 1778500800 - 20 * DAY_S, 1778500800
    assert use_window(start, end, NOW) == UsedWindow(
        start, start + LONGEST_S, (start + LONGEST_S, start + 2 * LONGEST_S)
    )
    last = start + 14 * DAY_S
    assert use_window(last, end, NOW) == UsedWindow(last, end)


@given(MOMENTS, st.integers(0, 30 * DAY_S))
def test_a_window_holds_what_was_wanted_of_the_past(start, span):
    used = use_window(start, start + span, NOW)
    assert used.start_s % QUARTER_S == used.end_s % QUARTER_S == 0
    assert used.start_s <= start < used.start_s + QUARTER_S
    assert used.end_s <= NOW
    assert used.end_s - used.start_s <= LONGEST_S
    assert used.following is not None or used.end_s >= min(start + span, NOW - QUARTER_S)


@pytest.mark.parametrize(
    ("span", "words"), [(0, "15mins"), (900, "15mins"), (901, "day"), (86400, "day"), (86401, "week"), (604800, "week")]
)
def test_the_length_is_told_in_words(span, words):
    assert choose_granularity(span) == words


def list_windows(start, end, *, one_day):
    windows = []
    while start < end:
        windows.append(cut_window(start, end, one_day=one_day))
        start = windows[-1][1]
    return windows


def test_twenty_days_are_three_calls():
    start = 1778500800 - 20 * DAY_S
    windows = list_windows(start, start + 20 * DAY_S, one_day=False)
    assert [(stop - begin) // DAY_S for begin, stop in windows] == [7, 7, 6]
    assert count_windows(start, start + 20 * DAY_S, one_day=False) == 3
    assert count_windows(start, start + 20 * DAY_S, one_day=True) == 20


@given(MOMENTS, st.integers(0, 60 * DAY_S), st.booleans())
def test_windows_follow_each_other_without_hole_or_overlap(start, span, one_day):
    windows = list_windows(start, start + span, one_day=one_day)
    assert [stop for _, stop in windows[:-1]] == [begin for begin, _ in windows[1:]]
    assert sum(stop - begin for begin, stop in windows) == span
    assert len(windows) == count_windows(start, start + span, one_day=one_day)


@pytest.mark.parametrize(
    ("day", "fives", "quarters"),
    [(date(2026, 3, 29), 276, 92), (date(2026, 10, 25), 300, 100), (date(2026, 5, 12), 288, 96)],
)
def test_a_day_of_the_calendar_has_23_to_25_hours(day, fives, quarters):
    start, end = find_day(day, ZoneInfo("Europe/Amsterdam"))
    windows = list_windows(start, end, one_day=True)
    for step, count in ((300, fives), (900, quarters)):
        ends = [one for begin, stop in windows for one in range(begin + step, stop + 1, step)]
        assert len(ends) == len(set(ends)) == count


def test_no_start_is_older_than_two_years():
    assert clamp_start(0, NOW) == NOW - NOW % QUARTER_S - HISTORY_S + QUARTER_S
    assert clamp_start(NOW - DAY_S, NOW) == NOW - DAY_S


WEEK = (1778500800 - LONGEST_S, 1778500800)


@pytest.mark.parametrize(
    ("window", "ends", "energy", "until", "cut"),
    [
        (WEEK, (WEEK[0] + DAY_S,), None, WEEK[0] + DAY_S, True),
        (WEEK, (WEEK[1],), None, WEEK[1], False),
        (WEEK, (WEEK[1] - 25 * 3600,), None, WEEK[1], False),
        (WEEK, (WEEK[0] + DAY_S,), WEEK[0] + DAY_S, WEEK[1], False),
        (WEEK, (), None, WEEK[0] + DAY_S, False),
        (WEEK, (), WEEK[0], WEEK[1], False),
        ((WEEK[1] - DAY_S, WEEK[1]), (), None, WEEK[1], False),
    ],
)
def test_a_week_may_be_answered_with_a_day(window, ends, energy, until, cut):
    assert measure_reply(window, ends, energy)[:2] == (until, cut)


@pytest.mark.parametrize("ends", [(), (WEEK[0] + DAY_S,)])
def test_what_a_week_lacks_is_not_there_once_the_cloud_gave_one(ends):
    assert measure_reply(WEEK, ends, None, gives_weeks=True)[:2] == (WEEK[1], False)


def test_a_reply_of_more_than_a_day_shows_that_weeks_are_given_whatever_it_lacks_at_its_end():
    assert measure_reply(WEEK, (WEEK[0] + 300, WEEK[0] + 2 * DAY_S), None) == (WEEK[1], False, True)
    assert not measure_reply(WEEK, (WEEK[0] + 300, WEEK[0] + DAY_S), None).whole


FIRST_S = WEEK[0] + 2 * DAY_S


@pytest.mark.parametrize(
    ("window", "ends", "told", "begins"),
    [
        (WEEK, (FIRST_S, WEEK[1]), None, None),
        (WEEK, (FIRST_S, WEEK[1]), WEEK[0], None),
        (WEEK, (FIRST_S, WEEK[1]), WEEK[0] + DAY_S, FIRST_S - 300),
        (WEEK, (FIRST_S, WEEK[1] + DAY_S), None, FIRST_S - 300),
        (WEEK, (WEEK[1] + 40 * DAY_S, WEEK[1] + 47 * DAY_S), None, WEEK[1] + 40 * DAY_S - 300),
        (WEEK, (WEEK[0] + 300, WEEK[1] + DAY_S), None, None),
        (WEEK, (), WEEK[1], None),
        ((WEEK[0], WEEK[0] + DAY_S), (WEEK[0] + DAY_S + 300, WEEK[0] + 25 * 3600), None, None),
        ((WEEK[0], WEEK[0] + 2 * DAY_S), (WEEK[0] + 3 * DAY_S, WEEK[1]), None, None),
    ],
)
def test_a_start_that_the_cloud_moved_shows_where_a_system_begins(window, ends, told, begins):
    assert find_beginning(window, ends, told, 300) == begins
