"""What was committed, what may be committed again, and under which revision."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from scraper.cloud.rules.amounts import Amount
from scraper.cloud.rules.ledger import (
    HOLE_S,
    KEPT_S,
    IntervalLedger,
    enter,
    is_covered,
    list_entries_to_commit,
    merge_stretches,
    subtract_stretches,
)

QUARTER = 900
DAY = 86_400
STRETCHES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted).map(tuple), max_size=8)


def make_amount(end, energy=5.0, power=None):
    return Amount(end, 1, {"total": energy}, {} if power is None else {"total": power})


def commit(ledger, amounts, read, now_s, *, again=None):
    entries = list_entries_to_commit(ledger, amounts, QUARTER, again=again)
    return enter(ledger, entries, read, (), QUARTER, now_s=now_s), [entry.revision for entry in entries]


def test_what_is_older_than_the_memory_is_committed_again_only_on_demand():
    amounts = [make_amount(end) for end in range(QUARTER, 10 * QUARTER + 1, QUARTER)]
    ledger, first = commit(IntervalLedger(), amounts, (0, 10 * QUARTER), 10 * QUARTER)
    assert first == [0] * 10
    much_later = 10 * QUARTER + 5 * DAY
    ledger, _ = commit(ledger, [], (10 * QUARTER, 10 * QUARTER + 5 * DAY), much_later)
    assert not ledger.committed
    corrected = [make_amount(end, 6.0) for end in range(QUARTER, 10 * QUARTER + 1, QUARTER)]
    assert commit(ledger, corrected, (0, 0), much_later)[1] == []
    ledger, again = commit(ledger, corrected, (0, 0), much_later, again=ledger.revision + 1)
    assert again == [1] * 10
    assert commit(ledger, corrected, (0, 0), much_later, again=ledger.revision + 1)[1] == [2] * 10


def test_channels_that_differ_in_the_last_binary_digit_are_no_correction():
    ledger, _ = commit(IntervalLedger(), [make_amount(QUARTER, 176.99999999999997)], (0, QUARTER), QUARTER)
    assert commit(ledger, [make_amount(QUARTER, 177.0)], (0, 0), QUARTER)[1] == []
    assert commit(ledger, [make_amount(QUARTER, 177.0, power=700.0)], (0, 0), QUARTER)[1] == [1]


def test_what_turns_up_in_a_hole_is_new():
    ledger = enter(IntervalLedger(), [], (0, 4 * QUARTER), [(QUARTER, 3 * QUARTER)], QUARTER, now_s=4 * QUARTER)
    ledger, revisions = commit(ledger, [make_amount(2 * QUARTER)], (0, 0), 5 * DAY)
    assert revisions == [0]
    assert ledger.holes == ((2 * QUARTER, 3 * QUARTER),)
    later = enter(ledger, [], (0, 0), [], QUARTER, now_s=HOLE_S + 4 * QUARTER)
    assert later.holes == ()


def test_values_of_two_days_before_the_watermark_are_kept_however_long_the_system_is_silent():
    ledger, _ = commit(IntervalLedger(), [make_amount(KEPT_S)], (0, KEPT_S), 30 * DAY)
    assert list(ledger.committed) == [KEPT_S]


@given(STRETCHES)
def test_merged_stretches_cover_the_same_time(stretches):
    merged = merge_stretches(stretches)
    for moment in range(61):
        assert is_covered(stretches, moment) == is_covered(merged, moment)
    assert all(first[1] < second[0] for first, second in itertools.pairwise(merged))


@given(STRETCHES, st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted).map(tuple))
def test_what_is_left_to_read_was_wanted_and_not_read(stretches, wanted):
    covered = merge_stretches(stretches)
    left = subtract_stretches(wanted, covered)
    for moment in range(61):
        assert is_covered(left, moment) == (is_covered([wanted], moment) and not is_covered(covered, moment))
