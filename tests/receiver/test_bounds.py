"""Rate limit, leases and outbox ids, each on its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver import limits
from receiver.arrivals import Arrival, Arrivals
from receiver.errors import RefusedError
from receiver.limits import RateLimit
from receiver.outboxes import Outboxes
from receiver.watch import LEASE_S, Watch
from tests.receiver.service import ManualClock


def allowed(limit: RateLimit, name: str) -> bool:
    try:
        limit.spend(name)
    except RefusedError:
        return False
    return True


@given(st.lists(st.floats(0, 5), max_size=60))
def test_no_rhythm_gets_more_than_burst_and_rate(pauses: list[float]):
    clock = ManualClock()
    limit = RateLimit(rate=2, reason="test", clock=clock)
    begun = clock.monotonic()
    taken = 0
    for pause in pauses:
        clock.advance(pause)
        taken += allowed(limit, "a")
        assert taken <= 10 + 2 * (clock.monotonic() - begun) + 1e-6


def test_retry_after_is_true():
    clock = ManualClock()
    limit = RateLimit(rate=0.1, reason="test", clock=clock)
    limit.spend("a")
    with pytest.raises(RefusedError) as refused:
        limit.spend("a")
    assert refused.value.retry_after == 10
    clock.advance(10)
    limit.spend("a")


def test_a_flood_of_names_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "_REMEMBERED", 10)
    limit = RateLimit(rate=1, reason="test", clock=ManualClock())
    for number in range(1000):
        limit.spend(str(number))
    assert len(limit._buckets) == 10


def test_a_look_counts_for_its_gateway_and_its_time():
    clock = ManualClock()
    watch = Watch(clock)
    assert not watch.watched("a")
    watch.look("a")
    clock.advance(LEASE_S - 1)
    assert watch.watched("a")
    assert not watch.watched("b")
    watch.look("a")
    clock.advance(LEASE_S - 1)
    assert watch.watched("a")
    clock.advance(1)
    assert not watch.watched("a")


@pytest.mark.parametrize(
    ("ids", "alarms"),
    [("aaaa", 0), ("aabb", 0), ("abc", 0), ("aba", 1), ("abab", 2), ("abcabc", 3), ("abbbba", 1)],
)
def test_only_an_outbox_that_comes_back_means_two_scrapers(ids: str, alarms: int):
    outboxes = Outboxes()
    assert sum(outboxes.interleaves("g", outbox) for outbox in ids) == alarms
    assert not outboxes.interleaves("other gateway", "b")


def test_the_backlog_does_not_hide_how_fresh_live_values_are():
    arrivals = Arrivals()
    arrivals.note("g", received=1000, newest=990)
    arrivals.note("g", received=1001, newest=5)
    assert arrivals.last("g") == Arrival(1000, 990)
    assert arrivals.last("h") is None
