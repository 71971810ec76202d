"""When to look again."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from scraper.cloud.rules.pauses import find_day_to_repair, find_next_pass_s, find_repair_s

DAY = 86_400
ZONE = ZoneInfo("Europe/Amsterdam")


def at(hour, minute=0):
    return datetime(2026, 5, 12, hour, minute, tzinfo=ZONE).timestamp()


@pytest.mark.parametrize(
    ("passed", "quiet", "due"),
    [
        (at(2), 0, at(3, 36)),
        (at(2), 1, at(5, 12)),
        (at(2), 2, at(6)),
        (at(2), 900, at(6)),
        (at(6), 9, at(8)),
        (at(7, 50), 9, at(8, 5)),
        (at(8), 9, at(9, 36)),
        (at(17, 59), 9, at(19, 35)),
        (at(18), 1, at(21, 12)),
    ],
)
def test_a_quiet_night_doubles_the_pause_but_the_morning_comes(passed, quiet, due):
    assert find_next_pass_s(passed, 5760, quiet, ZONE) == due


def test_repairs_come_once_a_day():
    assert find_repair_s(at(4, 29), ZONE) == at(4, 30)
    assert find_repair_s(at(4, 31), ZONE) == at(4, 30) + DAY


def test_yesterday_is_read_again_from_half_past_four():
    assert find_day_to_repair(at(4, 29), ZONE) is None
    assert find_day_to_repair(at(4, 30), ZONE) == date(2026, 5, 11)
    assert find_day_to_repair(datetime(2026, 5, 12, 23, tzinfo=UTC).timestamp(), ZONE) is None
