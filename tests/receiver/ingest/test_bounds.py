"""Rate limit, leases and outbox ids, each on its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.errors import RefusedError
from receiver.http import rates
from receiver.http.rates import RateLimit
from receiver.ingest.arrivals import Arrival, Arrivals
from receiver.ingest.outboxes import Outboxes
from receiver.live.watch import LEASE_S, Watch
from tests.clocks import StoppedClock


def is_allowed(limit: RateLimit, name: str) -> bool:
    try:
        limit.spend(name)
    except RefusedError:
        return False
    return True


@given(st.lists(st.floats(0, 5), max_size=60))
def test_no_rhythm_gets_more_than_burst_and_rate(pauses: list[float]):
    clock = StoppedClock()
    limit = RateLimit(rate=2, reason="test", clock=clock)
    begun = clock.monotonic()
    taken = 0
    for pause in pauses:
        clock.advance(pause)
        taken += is_allowed(limit, "a")
        assert taken <= 10 + 2 * (clock.monotonic() - begun) + 1e-6


def test_retry_after_is_true():
    clock = StoppedClock()
    limit = RateLimit(rate=0.1, reason="test", clock=clock)
    limit.spend("a")
    with pytest.raises(RefusedError) as refused:
        limit.spend("a")
    assert refused.value.retry_after == 10
    clock.advance(10)
    limit.spend("a")


def test_a_flood_of_names_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rates, "_REMEMBERED", 10)
    limit = RateLimit(rate=1, reason="test", clock=StoppedClock())
    for number in range(1000):
        limit.spend(str(number))
    assert len(limit._buckets) == 10


def test_a_look_counts_for_its_gateway_and_its_time():
    clock = StoppedClock()
    watch = Watch(clock)
    assert not watch.is_watched("a")
    watch.renew("a")
    clock.advance(LEASE_S - 1)
    assert watch.is_watched("a")
    assert not watch.is_watched("b")
    watch.renew("a")
    clock.advance(LEASE_S - 1)
    assert watch.is_watched("a")
    clock.advance(1)
    assert not watch.is_watched("a")


@pytest.mark.parametrize(
    ("ids", "alarms"),
    [("aaaa", 0), ("aabb", 0), ("abc", 0), ("aba", 1), ("abab", 2), ("abcabc", 3), ("abbbba", 1)],
)
def test_only_an_outbox_that_comes_back_means_two_scrapers(ids: str, alarms: int):
    outboxes = Outboxes()
    assert sum(outboxes.note_batch("g", outbox) for outbox in ids) == alarms
    assert not outboxes.note_batch("other gateway", "b")


def test_the_backlog_does_not_hide_how_fresh_live_values_are():
    arrivals = Arrivals()
    arrivals.note("g", received=1000, newest=990)
    arrivals.note("g", received=1001, newest=5)
    assert arrivals.get_last("g") == Arrival(1000, 990)
    assert arrivals.get_last("h") is None


def test_the_minutes_of_a_gateway_count_what_came_and_keep_the_lag_of_its_newest_reading():
    """A backlog that drains beside live readings is no lag."""
    arrivals = Arrivals()
    arrivals.note("g", received=60_500, newest=60_000, readings=10)
    arrivals.note("g", received=61_000, newest=5, readings=500, rejected=2)
    arrivals.note("h", received=119_999, newest=None, rejected=1)
    arrivals.note("g", received=120_000, newest=119_000, readings=1)
    assert arrivals.list_minutes(before=119_999) == []
    (house, shed) = arrivals.list_minutes(before=120_000)
    assert (house.gateway, house.start, house.readings, house.rejected, house.lag_ms) == ("g", 60_000, 510, 2, 500)
    assert (shed.gateway, shed.start, shed.readings, shed.rejected, shed.lag_ms) == ("h", 60_000, 0, 1, None)
    arrivals.forget([house])
    assert arrivals.list_minutes(before=120_001) == [shed]


def test_minutes_that_nobody_can_store_do_not_pile_up_without_limit():
    """A store that is gone for weeks: the newest minutes are kept."""
    arrivals = Arrivals()
    for minute in range(10_005):
        arrivals.note("g", received=minute * 60_000, newest=0, readings=1)
    kept = arrivals.list_minutes(before=10**12)
    assert (len(kept), kept[0].start, kept[-1].start) == (10_000, 5 * 60_000, 10_004 * 60_000)
