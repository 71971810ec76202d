"""The tracker routes by kind and advances only after the commit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.delta.tracker import STALL_MS, Tracker
from shared.readings import Reading
from tests.scraper.delta.samples import interpolate, make_energy, make_inverter, make_meter, merge

T = 1_700_000_000_000


def commit(tracker: Tracker, *readings: Reading) -> list[Reading]:
    proposal = tracker.propose(readings)
    tracker.accept(proposal)
    return list(proposal.rows)


def test_every_kind_goes_its_own_way():
    tracker = Tracker()
    event = Reading(kind="event", tags={"type": "start"}, timestamp=T, fields={"reason": "start"})
    gateway = Reading(kind="gateway", tags={}, timestamp=T, fields={"stream_connected": 1.0})
    readings = [
        make_meter(T, power=1.0),
        make_inverter("1", T, power=1.0),
        make_energy(T, delivered=1.0),
        gateway,
        event,
    ]
    assert sorted(map(str, commit(tracker, *readings))) == sorted(map(str, readings))
    assert commit(tracker, *readings) == [gateway, event], "what does not change goes out once"


def test_the_state_stays_when_the_commit_fails():
    """Whatever was not committed is proposed again as soon as it still differs from what is stored."""
    tracker = Tracker()
    commit(tracker, make_meter(T, power=100.0))
    lost = tracker.propose([make_meter(T + 1000, power=900.0)])
    assert len(lost.rows) == 1
    assert commit(tracker, make_meter(T + 2000, power=900.0)) == [make_meter(T + 2000, power=900.0)]


def test_an_outdated_proposal_is_refused():
    tracker = Tracker()
    first, second = tracker.propose([make_meter(T, power=1.0)]), tracker.propose([make_meter(T + 1000, power=2.0)])
    tracker.accept(first)
    with pytest.raises(ValueError, match="out of date"):
        tracker.accept(second)


def test_parts_that_do_not_touch_do_not_get_in_each_other_s_way():
    """The stream goes on while a poll of the inverters is being committed, or the clock's correction changes."""
    tracker = Tracker()
    commit(tracker, make_inverter("1", T, power=1.0))
    stream = tracker.propose([make_meter(T, power=1.0)])
    poll = tracker.propose([make_inverter("1", T + 1000, power=2.0)])
    tracker.accept(poll)
    tracker.shift_reports(10)
    tracker.accept(stream)
    stale = tracker.propose([make_inverter("1", T + 2000, power=3.0)])
    tracker.shift_reports(10)
    with pytest.raises(ValueError, match="out of date"):
        tracker.accept(stale)


def test_flush_stores_what_was_held_back_once():
    tracker = Tracker()
    commit(tracker, make_meter(T, power=100.0), make_meter(T, phase="b", power=50.0))
    commit(tracker, make_meter(T + 1000, power=101.0), make_meter(T + 1000, phase="b", power=50.0))
    held = tracker.flush()
    assert set(map(str, held.rows)) == {
        str(make_meter(T + 1000, power=101.0)),
        str(make_meter(T + 1000, phase="b", power=50.0)),
    }
    tracker.accept(held)
    assert tracker.flush().rows == ()


def test_a_sample_after_a_stall_is_a_snapshot_and_what_was_held_goes_out():
    tracker = Tracker()
    commit(tracker, make_meter(T, power=100.0))
    commit(tracker, make_meter(T + 1000, power=101.0))
    late = make_meter(T + 1000 + STALL_MS + 1, power=101.0)
    assert commit(tracker, late) == [make_meter(T + 1000, power=101.0), late]


def test_samples_go_on_after_the_host_clock_stepped_back():
    tracker = Tracker()
    commit(tracker, make_meter(T, power=100.0))
    assert commit(tracker, make_meter(T - 3_600_000, power=100.0)) == [make_meter(T - 3_600_000, power=100.0)]


def test_reset_makes_everything_a_snapshot_but_rewrites_no_report():
    tracker = Tracker()
    commit(tracker, make_meter(T, power=100.0), make_inverter("1", T, power=5.0), make_energy(T, delivered=1.0))
    tracker.reset()
    again = [make_meter(T + 1000, power=100.0), make_inverter("1", T, power=6.0), make_energy(T + 1000, delivered=1.0)]
    assert commit(tracker, *again) == [again[0], again[2]]


def test_a_changed_correction_makes_no_report_new():
    tracker = Tracker()
    commit(tracker, make_inverter("1", T, power=5.0))
    tracker.shift_reports(-1000)
    assert commit(tracker, make_inverter("1", T - 1000, power=5.0)) == []


@given(
    st.lists(
        st.tuples(
            st.integers(100, 40_000),
            st.floats(-500, 500),
            st.sampled_from(["ok", "ok", "ok", "fails", "flush", "reset"]),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_failed_commits_flushes_and_resets_break_no_promise(steps):
    """No identity twice, and between commits that worked the line stays within twice the band."""
    tracker, now = Tracker(stall_ms=10**9), T
    out: list[Reading] = []
    measured = []
    for elapsed, power, what in steps:
        now += elapsed
        proposal = tracker.propose([make_meter(now, power=power)])
        if what == "fails":
            continue
        tracker.accept(proposal)
        out += proposal.rows
        measured.append((now, power))
        if what in {"flush", "reset"}:
            held = tracker.flush()
            tracker.accept(held)
            out += held.rows
        if what == "reset":
            tracker.reset()
    out += tracker.flush().rows
    merge(out)
    points = {reading.timestamp: float(reading.fields["power"]) for reading in out}
    for stamp, power in measured:
        assert abs(interpolate(points, stamp) - power) <= 2 * 5.000001
