"""What is final, what is held, what is missing: the worked examples of the reference, and properties."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.cloud.parse.production_micro import parse_production_micro
from scraper.cloud.parse.replies import ReplyMeta
from scraper.cloud.rules.amounts import Amount, Amounts, take_micros
from scraper.cloud.rules.ledger import MOST_STRETCHES, IntervalLedger, enter, list_entries_to_commit
from scraper.cloud.rules.progress import find_next_start, join_ends, judge, split_stretches
from tests.cloud_examples import read_example

TEN = 1778580000
FIVE = 300
LAG_S = 10_800.0


def read_reply(name):
    return take_micros(parse_production_micro(read_example(name)))


def take_in(ledger, reply, now_s):
    """One pass; returns the ledger after it, what was committed and how many intervals are held."""
    until = max(one.end_s for one in reply.intervals)
    judged = judge(
        reply, watermark_s=ledger.watermark_s, step_s=FIVE, spoken_until_s=until, now_s=now_s, max_lag_s=LAG_S
    )
    entries = list_entries_to_commit(ledger, judged.final, FIVE)
    after = enter(ledger, entries, (ledger.watermark_s, judged.watermark_s), judged.holes, FIVE, now_s=now_s)
    return after, [(e.amount.end_s, e.amount.energies["total"], e.revision) for e in entries], judged.held


def sum_readers_see(*passes):
    """The sum of the highest revision of each interval."""
    rows = sorted(itertools.chain(*passes), key=lambda row: row[2])
    assert len({(end, revision) for end, _, revision in rows}) == len(rows), "an identity was committed twice"
    return sum({end: energy for end, energy, _ in rows}.values())


def test_only_what_is_final_is_committed():
    first, rows, held = take_in(IntervalLedger(TEN), read_reply("production_micro"), 1778581930)
    assert [energy for _, energy, _ in rows] == [181, 184, 179, 176]
    assert sum(energy for _, energy, _ in rows) == 720
    assert (first.watermark_s, held) == (TEN + 1200, 2)
    _, later, _ = take_in(first, read_reply("production_micro-revised"), 1778582830)
    assert [(energy, revision) for _, energy, revision in later] == [(wh, 0) for wh in (175, 171, 173, 170, 168)]
    assert sum_readers_see(rows, later) == 1577


def test_a_correction_of_what_was_committed_is_a_revision():
    first, rows, held = take_in(IntervalLedger(TEN), read_reply("production_micro"), 1778592731)
    assert [(energy, revision) for _, energy, revision in rows[4:]] == [(131, 0), (128, 0)]
    assert (first.watermark_s, held) == (TEN + 1800, 0)
    after, later, _ = take_in(first, read_reply("production_micro-revised"), 1778592740)
    assert [(energy, revision) for _, energy, revision in later] == [(175, 1), (171, 1), (173, 0), (170, 0), (168, 0)]
    assert sum_readers_see(rows, later) == 1577
    assert after.revision == 1
    assert take_in(after, read_reply("production_micro-revised"), 1778592800)[1] == []


def make_amounts(ends, *, devices=3, total=3, report=None, energy=None):
    intervals = tuple(Amount(end, devices, {"total": 1.0}, {}) for end in ends)
    return Amounts(total, ReplyMeta(report, energy), intervals)


def judge_fives(amounts, now_s, until, watermark=0):
    return judge(amounts, watermark_s=watermark, step_s=FIVE, spoken_until_s=until, now_s=now_s, max_lag_s=LAG_S)


def test_a_hole_is_passed_once_it_is_older_than_the_lag():
    ends = [300, 600, 1500, 1800]
    amounts = make_amounts(ends, report=100_000, energy=100_000)
    assert judge_fives(amounts, 1800, 1800).watermark_s == 600
    late = judge_fives(amounts, 1800 + LAG_S, 1800)
    assert (late.watermark_s, late.holes) == (1800, ((600, 1200),))


def test_nothing_is_said_to_be_missing_after_the_last_energy():
    """The meter or the power line is in trouble: reports go on, energy does not."""
    judged = judge_fives(make_amounts([300, 600, 900], report=1_000_000, energy=600), 1_000_000, 999_900)
    assert ([one.end_s for one in judged.final], judged.watermark_s, judged.holes) == ([300, 600], 600, ())


def test_without_a_word_of_how_far_the_data_reach_only_the_lag_makes_final():
    judged = judge_fives(make_amounts([300, 600]), 300 + LAG_S, 600)
    assert [one.end_s for one in judged.final] == [300]


ENDS = st.sets(st.integers(1, 80).map(lambda number: number * FIVE))


@given(st.lists(st.tuples(ENDS, st.integers(0, 24_000), st.sampled_from([1, 3])), max_size=6))
def test_whatever_comes_no_identity_is_committed_twice_and_all_that_is_final_is(passes):
    ledger, seen = IntervalLedger(0), {}
    now, knows_all = 0, True
    for ends, energy, devices in passes:
        now += 9_000
        amounts = make_amounts(sorted(ends), devices=devices, report=energy, energy=energy)
        judged = judge_fives(amounts, now, 80 * FIVE, ledger.watermark_s)
        entries = list_entries_to_commit(ledger, judged.final, FIVE)
        for entry in entries:
            assert (entry.amount.end_s, entry.revision) not in seen
            seen[entry.amount.end_s, entry.revision] = entry
        assert not knows_all or all((one.end_s, 0) in seen for one in judged.final)
        assert judged.watermark_s >= ledger.watermark_s
        read = (ledger.watermark_s, judged.watermark_s)
        ledger = enter(ledger, entries, read, judged.holes, FIVE, now_s=now)
        missing = split_stretches(ledger.holes, FIVE)
        knows_all &= len(ledger.holes) < MOST_STRETCHES  # of more holes the oldest are given up
        assert not knows_all or all(
            (end, 0) in seen or end in missing for end in range(FIVE, ledger.watermark_s + 1, FIVE)
        )


@given(ENDS)
def test_runs_of_intervals_say_what_the_intervals_said(ends):
    runs = join_ends(ends, FIVE)
    assert split_stretches(runs, FIVE) == ends
    assert all(first[1] < second[0] for first, second in itertools.pairwise(runs))


@pytest.mark.parametrize(
    ("report", "energy", "following"),
    [(1738422360, 1738423800, 1738422000), (1738423700, 1738422300, 1738422000), (1738423800, 1738423800, None)],
)
def test_solarnetwork_begins_again_where_the_data_end(report, energy, following):
    assert find_next_start(1738423800, [ReplyMeta(report, energy)], [], now_s=1738423900, max_lag_s=LAG_S) == following


@pytest.mark.parametrize(
    ("devices", "total", "now", "lag", "following"),
    [
        ((3, 3, 2, 1, 1), 3, 1741093200, LAG_S, 1741090500),
        ((3, 3, 2, 1, 1), 3, 1741093200, 1800.0, 1741091400),
        ((3, 3, 2, 1, 1), 3, 1741093200 + 2 * 86400, LAG_S, None),
        ((16, 8, 1, 1, 1), 16, 1741093200, LAG_S, 1741089600),
    ],
)
def test_solarnetwork_waits_for_inverters_as_long_as_the_lag(devices, total, now, lag, following):
    reports = [(1741088700 + 900 * place, count, total) for place, count in enumerate(devices)]
    assert find_next_start(1741093200, [], reports, now_s=now, max_lag_s=lag) == following
