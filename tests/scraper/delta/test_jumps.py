"""Counters that come back impossibly high make one event, and only they do."""

from scraper.delta.jumps import JumpHistory, detect
from scraper.delta.tracker import Tracker
from shared.fields import WRAP_WH
from shared.readings import Reading
from shared.units import HOUR_MS, MINUTE_MS
from tests.scraper.delta.samples import make_energy

T = 1_700_000_000_000


def make_panel(stamp: int, wh: float, serial: str = "122099000101") -> Reading:
    fields: dict[str, float | str] = {"power": 200.0, "max_power": 295.0, "energy_lifetime": wh}
    return Reading("inverter", {"inverter": serial}, stamp, fields)


def list_events(*polls: list[Reading]) -> list[Reading]:
    state = JumpHistory()
    out: list[Reading] = []
    for poll in polls:
        state, new = detect(state, poll)
        out += new
    return out


def test_a_panel_that_gained_497_kwh_in_four_hours_is_marked_once():
    jumped = make_panel(T + 4 * HOUR_MS, 498_200.0)
    (event,) = list_events(
        [make_panel(T, 1000.0)], [jumped], [jumped], [make_panel(T + 4 * HOUR_MS + 15 * MINUTE_MS, 498_250.0)]
    )
    assert (event.tags, event.timestamp) == ({"type": "counter_reset"}, jumped.timestamp + 1)
    assert event.fields == {"rows": 1.0, "reason": "impossible step: 122099000101 energy_lifetime"}


def test_a_battery_whose_counter_fell_or_jumped_is_marked_and_one_that_says_nothing_new_is_not():
    def make_battery(minute: int, **fields: float) -> list[Reading]:
        return [Reading("battery", {"battery": "121917000001"}, T + minute * MINUTE_MS, {**fields})]

    silent = make_battery(1, state_of_charge=50.0)
    assert list_events(silent, make_battery(2, charged=5e5), silent, make_battery(17, charged=5e5 + 67.0)) == []
    for after in (9e5, 1000.0):
        (event,) = list_events(make_battery(2, charged=5e5), make_battery(17, charged=after))
        assert event.fields["reason"] == "impossible step: 121917000001 charged"


def test_a_roof_that_comes_back_makes_one_event():
    serials = [f"12209900010{index}" for index in range(6)]
    before = [make_panel(T, 1000.0, serial) for serial in serials]
    after = [make_panel(T + HOUR_MS, 1000.0 + WRAP_WH, serial) for serial in serials]
    (event,) = list_events(before, after)
    assert event.fields["rows"] == 6.0
    assert str(event.fields["reason"]).endswith("and 3 more")


def test_what_is_possible_is_not_marked():
    assert list_events([make_panel(T, 1000.0)], [make_panel(T + 4 * HOUR_MS, 2200.0)]) == []
    used = [minute + 34.0 * max(minute - 60, 0) for minute in range(90)]
    kettle = [[make_energy(T + minute * MINUTE_MS, delivered=wh)] for minute, wh in enumerate(used)]
    assert list_events(*kettle) == []


def test_a_meter_is_judged_by_the_highest_power_it_has_counted():
    day = [[make_energy(T + minute * MINUTE_MS, delivered=minute * 50.0)] for minute in range(26 * 60)]
    last = T + (26 * 60 - 1) * MINUTE_MS
    possible = make_energy(last + 4 * HOUR_MS, delivered=26 * 3000.0 + 30_000.0)
    impossible = make_energy(last + 4 * HOUR_MS, delivered=26 * 3000.0 + 60_000.0)
    assert list_events(*day, [possible]) == []
    (event,) = list_events(*day, [impossible])
    assert event.fields["reason"] == "impossible step: production a delivered"


def test_the_totals_of_all_inverters_may_not_gain_a_multiple_of_the_wrap():
    def make_total(stamp: int, wh: float) -> Reading:
        return Reading("production", {"source": "pdm"}, stamp, {"energy_lifetime": wh})

    assert len(list_events([make_total(T, 351_236.0)], [make_total(T + 8 * HOUR_MS, 351_236.0 + WRAP_WH)])) == 1


def test_the_tracker_stores_the_jump_as_it_is_and_the_event_once_it_is_committed():
    tracker = Tracker()
    tracker.accept(tracker.propose([make_panel(T, 1000.0)]))
    jumped = make_panel(T + 4 * HOUR_MS, 498_200.0)
    for _ in range(2):  # the first commit failed
        proposal = tracker.propose([jumped])
        assert [row.kind for row in proposal.rows] == ["inverter", "event"]
    tracker.accept(proposal)
    assert tracker.propose([jumped]).rows == ()
