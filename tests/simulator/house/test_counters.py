"""Running totals equal the plain sum, independent of earlier queries."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.house.counters import Totals


def make_values(minute):
    return [float(minute % 7), 1.0]


@given(start=st.integers(-500, 500), minutes=st.lists(st.integers(-900, 900), min_size=1, max_size=6))
def test_totals_are_the_sums_since_the_start_in_any_order(start, minutes):
    totals = Totals(start, 2, make_values)
    for minute in minutes:
        sign = 1.0 if minute >= start else -1.0
        between = [make_values(m) for m in range(min(start, minute), max(start, minute))]
        assert (
            totals.sum_until(minute) == [sign * sum(column) for column in zip(*between, strict=True)]
            if between
            else [0, 0]
        )


def test_an_hour_is_added_up_once():
    """A second question about the same far time asks for the minutes of its own hour only."""
    asked = []

    def count(minute):
        asked.append(minute)
        return [1.0]

    totals = Totals(0, 1, count)
    assert totals.sum_until(6000) == [6000.0]
    asked.clear()
    assert totals.sum_until(6010) == [6010.0]
    assert asked == list(range(6000, 6010))
