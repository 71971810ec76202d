"""The budget: calls are counted before they are sent, spread over the month, and never more than the API gives."""

import random
import stat

import pytest

from scraper.cloud.budget import BUDGET_FILE, Budget
from scraper.cloud.counting import CallLimits, QuotaRefusal, find_month_end_ms
from scraper.cloud.errors import CloudLaterError, CloudQuotaError
from tests.clocks import StoppedClock
from tests.scraper.cloud.owner import SYSTEM, run_cloud

DAY = 86_400
JULY_MS = 1_782_864_000_000
"""2026-07-01 00:00 UTC: 31 days follow."""


@pytest.fixture
def clock():
    return StoppedClock(JULY_MS)


@pytest.fixture
def open_budget(tmp_path, clock):
    """Opens the budget as another process would."""
    return lambda minute=10, month=1000: Budget(tmp_path, CallLimits(minute, month), clock, random.Random(1))


def take_all(budget, clock, **options):
    """Calls until one is refused; their number and the refusal."""
    taken = 0
    while True:
        try:
            budget.take(**options)
        except CloudQuotaError as error:
            if error.period == "month":
                return taken, error
            clock.ms = error.retry_at_ms
        else:
            taken += 1


def test_the_month_ends_with_the_utc_calendar_month():
    assert find_month_end_ms(JULY_MS) == JULY_MS + 31 * DAY * 1000
    assert find_month_end_ms(JULY_MS - 1) == JULY_MS


@pytest.mark.parametrize(
    ("days", "types", "pause_s"), [(0, 1, 2976), (0, 2, 5952), (1, 2, 5760)], ids=["31-1", "31-2", "30-2"]
)
def test_the_pause_spreads_what_is_left_over_what_is_left_of_the_month(open_budget, clock, days, types, pause_s):
    """Of a month of 31 days from its start, and of 30 days."""
    clock.advance(days * DAY)
    assert open_budget().compute_pause_s(types) == pause_s


def test_the_pause_is_never_shorter_than_a_quarter_hour(open_budget, clock):
    clock.advance(30 * DAY)
    assert open_budget().compute_pause_s(1) == 900


def test_the_last_tenth_is_for_renewals_repairs_and_check(open_budget, clock):
    taken, error = take_all(open_budget(month=100), clock)
    assert (taken, error.limit, error.period_end_ms) == (90, 100, JULY_MS + 31 * DAY * 1000)
    assert take_all(open_budget(month=100), clock, from_reserve=True)[0] == 10
    open_budget(month=100).count_token_call()
    view = open_budget(month=100).read_view()
    assert (view.used, view.left, view.reserve) == (101, 0, 0)


def test_what_was_taken_from_the_reserve_leaves_the_rest_alone(open_budget, clock):
    for _ in range(10):
        open_budget(month=100).count_token_call()
    assert take_all(open_budget(month=100), clock)[0] == 90


def test_the_count_survives_every_process_and_lies_in_a_private_file(open_budget, tmp_path):
    open_budget().take()
    open_budget().take()
    assert open_budget().read_view().used == 2
    assert stat.S_IMODE((tmp_path / BUDGET_FILE).stat().st_mode) == 0o600


def test_never_more_than_the_limit_in_any_sixty_seconds(open_budget, clock):
    moments: list[int] = []
    while len(moments) < 200:
        try:
            open_budget().take()
            moments.append(clock.ms)
            clock.advance(1.7)
        except CloudQuotaError as error:
            clock.ms = error.period_end_ms
    assert all(later - earlier >= 60_000 for earlier, later in zip(moments, moments[10:], strict=False))


def test_a_new_month_begins_from_nothing(open_budget, clock):
    take_all(open_budget(month=20), clock)
    clock.ms = JULY_MS + 31 * DAY * 1000
    open_budget(month=20).take()
    assert open_budget(month=20).read_view().used == 1


def test_what_the_api_says_counts_until_the_setting_is_changed(open_budget, clock):
    end_ms = JULY_MS + 20 * DAY * 1000
    error = open_budget().note_refusal(QuotaRefusal("month", end_ms, 500))
    assert (error.limit, error.period_end_ms, error.retry_at_ms > end_ms) == (500, end_ms, True)
    clock.ms = end_ms - 1
    with pytest.raises(CloudQuotaError, match="the 500 calls of this month"):
        open_budget().take()
    clock.ms = end_ms
    open_budget().take()
    assert open_budget().read_view().limits == (10, 500)
    assert open_budget(month=5000).read_view().limits == (10, 5000)


def test_a_clock_that_was_wrong_stops_nothing_for_years(open_budget, clock):
    clock.ms += 3 * 366 * DAY * 1000
    open_budget().note_refusal(QuotaRefusal("month", None, 10))
    clock.ms = JULY_MS
    open_budget().take()
    assert open_budget().read_view().used == 1


@pytest.mark.parametrize("days_off", [-9000, -70, 70, 9000])
def test_a_clock_that_is_wrong_for_a_while_returns_to_its_count(open_budget, clock, days_off):
    """A machine without a clock of its own boots in another month until it is told the time."""
    take_all(open_budget(month=20), clock)
    clock.ms += days_off * DAY * 1000
    open_budget(month=20).take()
    clock.ms -= days_off * DAY * 1000
    with pytest.raises(CloudQuotaError, match="month"):
        open_budget(month=20).take()


def test_no_call_without_its_count(open_budget, tmp_path, monkeypatch):
    monkeypatch.setattr("scraper.cloud.budget.write_private", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(CloudLaterError, match="no call is made without its count"):
        open_budget().take()
    monkeypatch.undo()
    (tmp_path / BUDGET_FILE).write_bytes(b"{half")
    (tmp_path / BUDGET_FILE).chmod(0o600)
    open_budget().take()
    assert open_budget().read_view().used == 1


async def test_a_month_of_passes_stays_within_what_the_api_gives(monkeypatch, tmp_path):
    """A7, as far as the budget decides: two calls a pass, for the rest of June and all of July."""
    async with run_cloud(monkeypatch, tmp_path) as owner:
        end_s = owner.clock.device.now() + 20 * DAY
        while owner.clock.device.now() < end_s:
            for _ in range(2):
                await owner.parts.api.fetch(SYSTEM)
            owner.advance(owner.parts.budget.compute_pause_s(2))
        assert {status for _, _, status in owner.sim.cloud.api.calls} == {200}
        owner.sim.faults.switch_on("api-quota", month=50)
        with pytest.raises(CloudQuotaError) as caught:
            await owner.parts.api.fetch(SYSTEM)
        assert (caught.value.limit, caught.value.period_end_ms) == (50, JULY_MS + 31 * DAY * 1000)
        calls = len(owner.sim.cloud.api.calls)
        for _ in range(26):
            owner.advance(DAY - 60)
            with pytest.raises(CloudQuotaError):
                await owner.parts.api.fetch(SYSTEM)
        assert len(owner.sim.cloud.api.calls) == calls, "not before the period ends"
        owner.clock.device.advance(JULY_MS / 1000 + 31 * DAY - owner.clock.device.now())
        assert await owner.parts.api.fetch(SYSTEM)
