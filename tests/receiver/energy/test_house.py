"""Several gateways of one house: whatever falls silent when, a sum is right or unknown, and says how much is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.energy.balance import QUANTITIES, SiteEnergy, compute_site_energy
from receiver.energy.house import HouseMember, MemberPower, sum_powers
from receiver.energy.house_quarters import HouseEnergy
from receiver.energy.meter_flows import MeterCounters
from receiver.energy.site import SitePower, compute_site_power
from receiver.energy.totals import sum_windows
from tests.receiver.energy.reference import approximate

MINUTE = 60_000
QUARTER = 15 * MINUTE
COUNT = 8
"""Quarter hours of a history; every counter is read at its start and at its end."""
HOUSE = HouseMember(grid="net")
GARAGE = HouseMember()
watts = st.integers(1, 4000)
quarters = st.lists(st.tuples(watts, watts, watts), min_size=COUNT, max_size=COUNT)
"""What the house's roof and the garage's make, and what the house uses, W."""
outages = st.lists(st.tuples(st.integers(1, (COUNT - 4) * 15), st.integers(2, 44)), max_size=3)
"""Minutes at which outages begin, and how many readings they cost: lines bridge one. All are over in the end."""


def _read_counters(rates: list[float], silent: list[tuple[int, int]]) -> list[tuple[int, float]]:
    """A counter of rates (W) by quarter hour, read each minute but in outages."""
    found, total = [], 5e6
    for minute in range(COUNT * 15 + 1):
        if not any(begin <= minute < begin + length for begin, length in silent):
            found.append((minute * MINUTE, total))
        if minute < COUNT * 15:
            total += rates[minute // 15] / 60
    return found


def _compute_quarters(counters) -> list[SiteEnergy]:
    spans = range(0, COUNT * QUARTER, QUARTER)
    return [compute_site_energy({}, counters, (-24 * 4 * QUARTER, time, time + QUARTER))[1] for time in spans]


def _compute_house(history, house_silent, garage_silent):
    """The quarter hours of the house, and its true energies in Wh."""
    nets = [used - roof - garage for roof, garage, used in history]
    house = {
        ("production", "a"): MeterCounters(
            _read_counters([row[0] for row in history], house_silent), [(0, 1.0), (COUNT * QUARTER, 1.0)]
        ),
        ("net-consumption", "a"): MeterCounters(
            _read_counters([max(net, 0) for net in nets], house_silent),
            _read_counters([max(-net, 0) for net in nets], house_silent),
        ),
    }
    garage = {("production", "a"): MeterCounters(_read_counters([row[1] for row in history], garage_silent), [])}
    sums = HouseEnergy([HOUSE, GARAGE])
    both = zip(_compute_quarters(house), _compute_quarters(garage), strict=True)
    found = [sums.add_quarter(index * QUARTER, energies) for index, energies in enumerate(both)]
    truth = {
        "production": [(roof + garage) / 4 for roof, garage, _ in history],
        "load": [used / 4 for _, _, used in history],
        "imported": [max(net, 0) / 4 for net in nets],
        "exported": [max(-net, 0) / 4 for net in nets],
    }
    return found, truth


@given(history=quarters, house_silent=outages, garage_silent=outages)
def test_what_is_known_is_true_whatever_falls_silent_when(history, house_silent, garage_silent):
    """No window has more than there was; those that are known throughout have all of it."""
    found, truth = _compute_house(history, house_silent, garage_silent)
    whole = sum_windows(found, 0, COUNT * QUARTER)
    for name, quarter_hours in truth.items():
        for window, expected in zip(found, quarter_hours, strict=True):
            known = getattr(window, name)
            assert known.wh is None or known.wh <= expected + 1e-3, (name, window)
            assert known.coverage < 0.999 or known.wh == approximate(expected), (name, window)
        total = getattr(whole, name)
        assert total.wh is None or total.wh <= sum(quarter_hours) + 1e-3, name
    # The counters of both tell in the end what was made, so nothing of it is missing in the window that holds all gaps.
    assert whole.production.wh == approximate(sum(truth["production"]))


@given(history=quarters)
def test_the_load_of_a_whole_day_is_what_the_house_used(history):
    """Also where the garage's production leaves through the meter of the house, whose own balance is then below 0."""
    found, truth = _compute_house(history, [], [])
    whole = sum_windows(found, 0, COUNT * QUARTER)
    for name, expected in truth.items():
        assert getattr(whole, name)[:3] == pytest.approx((sum(expected), 1.0, 0.0), abs=1e-3), name
    assert whole.discharged.wh is None


def test_a_gateway_that_is_silent_for_good_leaves_the_sum_unknown_from_then_on():
    sums = HouseEnergy([HOUSE, GARAGE])
    history = [(1000, 600, 400)] * COUNT
    house = _compute_quarters(
        {
            ("production", "a"): MeterCounters(_read_counters([1000.0] * COUNT, []), []),
            ("net-consumption", "a"): MeterCounters(
                _read_counters([0.0] * COUNT, []), _read_counters([1200.0] * COUNT, [])
            ),
        }
    )
    garage = _compute_quarters({("production", "a"): MeterCounters(_read_counters([600.0] * COUNT, []), [])})
    found = [
        sums.add_quarter(index * QUARTER, (house[index], garage[index] if index < COUNT // 2 else None))
        for index in range(COUNT)
    ]
    whole = sum_windows(found, 0, COUNT * QUARTER)
    assert whole.production[:3] == pytest.approx((sum(row[0] + row[1] for row in history) / 8, 0.5, 0.0))
    assert whole.load[:3] == pytest.approx((COUNT / 2 * 100.0, 0.5, 0.0))
    assert whole.exported[:3] == pytest.approx((COUNT * 300.0, 1.0, 0.0)), "the house measures that alone"
    # Shares compare the same time: what was sold while the garage was silent is none of its production's.
    assert whole.self_consumption == pytest.approx(0.25)


def _make_power(
    member: HouseMember, *, inverters: float | None = None, hides_load: bool = False, **meters: float | None
):
    powers = {(name.replace("_", "-"), "a"): power for name, power in meters.items()}
    power = compute_site_power(powers, inverters=inverters)
    measured = powers.get(("production", "a"), inverters)
    return MemberPower(member, power, measured, hides_load)


def test_production_that_leaves_through_the_other_gateways_meter_is_no_contradiction():
    """3 kW of the garage flow out through the meter of the house, whose own roof makes 1 kW."""
    house = _make_power(HOUSE, production=1000.0, net_consumption=-3500.0)
    assert house.power.load is None, "alone it makes no sense"
    found = sum_powers([house, _make_power(GARAGE, production=3000.0)])
    assert found == SitePower(4000.0, 500.0, -3500.0, 0.0, 3500.0, None)


def test_reports_of_the_house_are_not_raised_by_what_the_garage_sells():
    """Alone, inverters whose reports lag are believed to make what is sold; here the garage made it."""
    late = HouseMember(grid="net", is_late=True)
    house = _make_power(late, inverters=1000.0, net_consumption=-3500.0)
    assert house.power.production == 3500.0
    found = sum_powers([house, _make_power(GARAGE, production=3000.0)])
    assert (found.production, found.load) == (4000.0, 500.0)
    lagging = sum_powers([house, _make_power(GARAGE, production=2000.0)])
    assert (lagging.production, lagging.load) == (3500.0, 0.0), "the house's reports lag: what is sold was made"


def test_supplies_of_their_own_add_up():
    one = _make_power(HOUSE, production=1000.0, net_consumption=500.0)
    other = _make_power(HOUSE, production=2000.0, net_consumption=-1500.0)
    found = sum_powers([one, other])
    assert found == SitePower(3000.0, 2000.0, -1000.0, 500.0, 1500.0, None), "bought here and sold there: two bills"


def test_a_total_meter_is_the_load_and_the_net_is_what_both_roofs_leave_of_it():
    total = HouseMember(grid="total")
    house = _make_power(total, production=1000.0, total_consumption=2500.0)
    found = sum_powers([house, _make_power(GARAGE, production=3000.0)])
    assert found == SitePower(4000.0, 2500.0, -1500.0, 0.0, 1500.0, None)


def test_a_battery_of_one_gateway_is_in_the_load_of_the_house():
    house = _make_power(HOUSE, production=1000.0, net_consumption=-500.0)
    garage = _make_power(HouseMember(has_battery=True), production=500.0, storage=200.0)
    assert sum_powers([house, garage]) == SitePower(1500.0, 1200.0, -500.0, 0.0, 500.0, 200.0)


parts = st.none() | st.integers(-4000, 4000).map(float)


@given(roof=parts, net=parts, garage=parts, hides_load=st.booleans())
def test_a_part_is_not_the_sum(roof, net, garage, hides_load):
    house = _make_power(HOUSE, production=roof, net_consumption=net, hides_load=hides_load)
    found = sum_powers([house, _make_power(GARAGE, production=garage)])
    assert found.production == (None if roof is None or garage is None else roof + garage)
    assert found.net == net
    if None in (roof, net, garage) or hides_load:
        assert found.load is None
    else:
        assert found.load in (None, max(roof + garage + net, 0.0))


def test_a_house_without_consumption_meters_knows_what_its_roofs_make():
    found = sum_powers([_make_power(GARAGE, production=1000.0), _make_power(GARAGE, inverters=500.0)])
    assert found == SitePower(1500.0, None, None, None, None, None)
    sums = HouseEnergy([GARAGE, GARAGE])
    energy = sums.add_quarter(0, (None, None))
    assert [getattr(energy, name).wh for name in QUANTITIES] == [None] * len(QUANTITIES)
