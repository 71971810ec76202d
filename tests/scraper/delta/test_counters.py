"""Counters go out once a minute, raw; a fall is marked and costs no energy."""

from scraper.delta.counters import CounterHistory, detect, forget_stored
from shared.fields import WRAP_WH
from shared.readings import Reading
from tests.scraper.delta.samples import make_energy

T = 1_700_000_000_000


def run(*polls: list[Reading]) -> list[list[Reading]]:
    state, out = CounterHistory(), []
    for poll in polls:
        state, new = detect(state, poll)
        out.append(list(new))
    return out


def test_one_reading_a_minute():
    polls = [[make_energy(T + second * 1000, delivered=float(second))] for second in range(0, 301, 5)]
    stored = [reading.timestamp - T for poll in run(*polls) for reading in poll]
    assert stored == [0, 60_000, 120_000, 180_000, 240_000, 300_000]


def test_a_jittered_poll_every_minute_is_stored_every_time():
    polls = [[make_energy(T + stamp, delivered=1.0)] for stamp in (0, 59_100, 119_800, 178_900)]
    assert run(*polls) == polls


def test_a_fall_is_stored_raw_with_the_value_before_it_and_marked():
    before, after = make_energy(T + 5_000, delivered=1002.0), make_energy(T + 10_000, delivered=3.0)
    out = run([make_energy(T, delivered=1000.0)], [before], [after], [make_energy(T + 15_000, delivered=4.0)])
    assert out[1] == out[2] == [], "the next reading has the word"
    assert out[3][:2] == [before, after]
    event = out[3][2]
    assert (event.kind, event.tags) == ("event", {"type": "counter_reset"})
    assert event.timestamp == after.timestamp
    assert event.fields == {"rows": 1.0, "reason": "went down: production a delivered"}


def test_a_fall_that_the_next_reading_takes_back_was_no_reset():
    """A phase that drops out of single polls shows zeros in its counters, too."""
    out = run(
        [make_energy(T, delivered=1000.0)],
        [make_energy(T + 5_000, delivered=0.0)],
        [make_energy(T + 10_000, delivered=1001.0)],
        [make_energy(T + 60_000, delivered=0.0)],
        [make_energy(T + 65_000, delivered=1002.0)],
    )
    stored = [reading for poll in out for reading in poll]
    assert [reading.fields["delivered"] for reading in stored] == [1000.0, 1002.0]
    assert {reading.kind for reading in stored} == {"meter_energy"}


def test_the_wrap_of_32_bit_joules_is_named():
    def make_total(stamp: int, wh: float) -> Reading:
        return Reading(kind="production", tags={"source": "inverters"}, timestamp=stamp, fields={"energy_lifetime": wh})

    event = run([make_total(T, WRAP_WH - 20)], [make_total(T + 60_000, 14.0)], [make_total(T + 120_000, 30.0)])[2][-1]
    assert event.fields["reason"] == "went down: inverters energy_lifetime wrapped at 2^32 J"


def test_today_counters_are_no_counters():
    """They reset every night, late or not at all; nothing is derived from them."""

    def make_today(stamp: int, wh: float) -> Reading:
        return Reading(kind="production", tags={"source": "eim"}, timestamp=stamp, fields={"energy_today": wh})

    assert run([make_today(T, 5000.0)], [make_today(T + 60_000, 0.0)])[1] == [make_today(T + 60_000, 0.0)]


def test_a_gateway_that_was_replaced_makes_one_event_for_all_counters():
    """Two events of one type at one moment would be one identity with two reasons."""
    old = [
        make_energy(T, meter=m, phase=p, delivered=9.0, received=9.0) for m in ("production", "storage") for p in "abc"
    ]
    new = [
        [
            Reading(kind=r.kind, tags=r.tags, timestamp=T + later, fields={"delivered": 1.0, "received": 1.0})
            for r in old
        ]
        for later in (60_000, 120_000)
    ]
    events = [reading for poll in run(old, *new) for reading in poll if reading.kind == "event"]
    assert len(events) == 1
    assert events[0].fields["rows"] == 12
    assert str(events[0].fields["reason"]).endswith("and 9 more")


def test_events_never_share_a_stamp():
    def make_falling(stamp: int, phase: str) -> list[list[Reading]]:
        fallen = [[make_energy(stamp + later, phase=phase, delivered=1.0)] for later in (0, 1)]
        return [[make_energy(stamp - 1, phase=phase, delivered=5.0)], *fallen]

    stamps = [
        r.timestamp for poll in run(*make_falling(T, "a"), *make_falling(T, "b")) for r in poll if r.kind == "event"
    ]
    assert stamps == [T, T + 1]


def test_a_repeated_stamp_is_dropped():
    assert run([make_energy(T, delivered=1.0)], [make_energy(T, delivered=2.0)])[1] == []


def test_readings_go_on_after_the_clock_stepped_back():
    late, early = make_energy(T + 3_600_000, delivered=1.0), make_energy(T, delivered=2.0)
    assert run([late], [early]) == [[late], [early]]


def test_after_a_reconnect_everything_is_due_and_a_fall_is_still_seen():
    state, _ = detect(CounterHistory(), [make_energy(T, delivered=5.0)])
    _, new = detect(forget_stored(state), [make_energy(T + 1000, delivered=6.0)])
    assert len(new) == 1
    state, new = detect(forget_stored(state), [make_energy(T + 1000, delivered=1.0)])
    assert new == ()
    _, new = detect(state, [make_energy(T + 2000, delivered=1.0)])
    assert [reading.kind for reading in new] == ["meter_energy", "meter_energy", "event"]
