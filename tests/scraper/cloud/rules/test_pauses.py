"""When to look again."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from scraper.cloud.rules.pauses import compute_pause_s, find_day_to_repair, find_next_pass_s

DAY = 86_400
ZONE = ZoneInfo("Europe/Amsterdam")


def at(hour, minute=0):
    return datetime(2026, 5, 12, hour, minute, tzinfo=ZONE).timestamp()


@pytest.mark.parametrize(
    ("types", "left", "calls", "pause"),
    [
        (1, 31 * DAY, 900, 2976),
        (2, 31 * DAY, 900, 5952),
        (2, 30 * DAY, 900, 5760),
        (2, 30 * DAY, 50_000, 900),
        (1, 5 * DAY, 0, 5 * DAY),
    ],
)
def test_the_calls_of_a_month_are_spread_over_it(types, left, calls, pause):
    assert compute_pause_s(types, left, calls) == pause


@pytest.mark.parametrize(
    ("passed", "quiet", "due"),
    [
        (at(12), 0, at(13, 36)),
        (at(12), 1, at(15, 12)),
        (at(12), 2, at(16)),
        (at(12), 9, at(16)),
        (at(6), 9, at(8)),
        (at(7, 50), 9, at(8, 5)),
        (at(8), 9, at(12)),
    ],
)
def test_nothing_new_doubles_the_pause_but_the_morning_comes(passed, quiet, due):
    assert find_next_pass_s(passed, 5760, quiet, ZONE) == due


def test_yesterday_is_read_again_from_half_past_four():
    assert find_day_to_repair(at(4, 29), ZONE) is None
    assert find_day_to_repair(at(4, 30), ZONE) == date(2026, 5, 11)
    assert find_day_to_repair(datetime(2026, 5, 12, 23, tzinfo=UTC).timestamp(), ZONE) is None
