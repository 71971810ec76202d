"""Inverter readings are new when their report date moved, and no report date is ever rewritten."""

from hypothesis import given
from hypothesis import strategies as st

from scraper.delta.inverters import MAX_SPANS, InverterDates, detect, shift
from tests.scraper.delta.samples import make_inverter, merge

T = 1_700_000_000_000
MINUTE = 60_000
YEAR = 365 * 24 * 60 * MINUTE


def run(*polls):
    state: InverterDates = {}
    out = []
    for poll in polls:
        state, new = detect(state, poll)
        out.append(list(new))
    return out


def test_a_report_is_new_when_its_date_moved():
    first, second = make_inverter("1", T, power=100.0), make_inverter("1", T + 5 * MINUTE, power=120.0)
    other = make_inverter("2", T, power=90.0)
    assert run([first, other], [first, other], [second, other]) == [[first, other], [], [second]]


def test_frozen_values_make_no_new_reading():
    """Old report date, same or other watts: stale, and no fresh timestamp is invented."""
    assert run([make_inverter("1", T, power=100.0)], [make_inverter("1", T, power=0.0)])[1] == []


def test_fields_that_come_later_for_the_same_report_go_out_alone():
    plain = make_inverter("1", T, power=100.0)
    rich = make_inverter("1", T, power=101.0, ac_voltage=230.0)
    assert run([plain], [rich], [rich]) == [[plain], [make_inverter("1", T, ac_voltage=230.0)], []]


def test_both_endpoints_in_one_poll_merge():
    plain, rich = make_inverter("1", T, power=100.0), make_inverter("1", T, temperature=31.0)
    assert run([plain, rich]) == [[plain, rich]]


def test_an_answer_that_lags_behind_is_ignored():
    early, late = make_inverter("1", T, power=1.0), make_inverter("1", T + 5 * MINUTE, power=2.0)
    assert run([early], [late], [early], [late]) == [[early], [late], [], []]


def test_reports_go_on_when_a_clock_that_was_a_year_ahead_is_right_again():
    """The wrong dates must not block the right ones for a year."""
    right, ahead = make_inverter("1", T, power=1.0), make_inverter("1", T + YEAR, power=2.0)
    after = [make_inverter("1", T + i * 5 * MINUTE, power=3.0 + i) for i in range(1, 4)]
    assert run([right], [ahead], *([a] for a in after)) == [[right], [ahead], *([a] for a in after)]


def test_a_night_does_not_open_a_new_span():
    evening, morning = make_inverter("1", T, power=1.0), make_inverter("1", T + 16 * 60 * MINUTE, power=2.0)
    state, _ = detect({}, [evening])
    state, _ = detect(state, [morning])
    assert state["1"].spans == ((evening.timestamp, morning.timestamp),)


def test_memory_is_bounded():
    state: InverterDates = {}
    for i in range(5 * MAX_SPANS):
        state, _ = detect(state, [make_inverter("1", T + i * YEAR, power=1.0)])
    assert len(state["1"].spans) == MAX_SPANS


def test_a_new_correction_of_the_gateway_clock_makes_no_report_new():
    state, _ = detect({}, [make_inverter("1", T, power=1.0)])
    assert detect(shift(state, -400_000), [make_inverter("1", T - 400_000, power=1.0)])[1] == ()


def test_the_state_before_is_untouched():
    """A commit that fails leaves everything as it was."""
    state, _ = detect({}, [make_inverter("1", T, power=1.0)])
    before = dict(state)
    detect(state, [make_inverter("1", T + MINUTE, power=2.0), make_inverter("2", T, power=1.0)])
    assert state == before


@given(
    st.lists(
        st.tuples(
            st.sampled_from("12"),
            st.one_of(st.integers(0, 12).map(lambda n: T + n * 5 * MINUTE), st.sampled_from([T - YEAR, T + YEAR])),
            st.dictionaries(st.sampled_from(["power", "max_power", "rssi"]), st.floats(0, 400), max_size=3),
        ),
        max_size=40,
    )
)
def test_no_report_date_ever_carries_two_values_of_one_field(polled):
    polls = [[make_inverter(serial, date, **fields)] for serial, date, fields in polled]
    out = [reading for poll in run(*polls) for reading in poll]
    merge(out)
    assert all(reading.fields for reading in out)
