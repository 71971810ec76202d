"""Why a load is unknown: each reason, and that none is given where nothing is to be said."""

import pytest

from receiver.energy.house import sum_powers
from receiver.sites.house_now import describe_member, explain_house_load
from receiver.sites.household import describe_household
from receiver.sites.model import NO_SITE
from receiver.sites.storage import StorageNow
from receiver.stores.base import Latest
from tests.receiver.sites.test_household import NOON, make_inverter, make_meter

BATTERY = StorageNow(has_battery=True, power=-500.0)
SILENT = Latest({"meter": "net-consumption", "phase": "b"}, NOON, {"measured": 0.0})
ROOF, NET = make_meter("production", 1000.0), make_meter("net-consumption", 300.0)
TOTAL = make_meter("total-consumption", 1300.0)


def explain(meters, inverters=(), storage=None):
    """The reason, of a load that is unknown."""
    now = describe_household(meters, inverters, NO_SITE, NOON, storage or StorageNow())
    assert now.site.load is None
    return now.load_unknown


def test_a_total_meter_beside_a_battery_is_named():
    """Gateways differ in whether the total includes the battery, so neither the load nor the grid is known."""
    assert explain([ROOF, TOTAL], storage=BATTERY) == "total-meter-beside-battery"
    assert explain([ROOF, TOTAL, make_meter("storage", -500.0)]) == "total-meter-beside-battery"
    assert explain([ROOF, TOTAL], storage=BATTERY._replace(power=None)) == "battery-power-unknown"


@pytest.mark.parametrize("age_s", [0, 121, 86_400])
@pytest.mark.parametrize("meter", ["production", "net-consumption", "pv3p", "storage"])
def test_a_silent_phase_is_named(meter, age_s):
    silent = Latest({"meter": meter, "phase": "b"}, NOON - 1000 * age_s, {"measured": 0.0})
    assert explain([ROOF, NET, make_meter(meter, 100.0), silent]) == "phase-silent"


def test_a_production_that_nobody_knows_is_named():
    blank = Latest({"inverter": "1"}, NOON, {"max_power": 290.0})
    for inverters in ([], [make_inverter("1", 200.0, age_s=1801)], [blank]):
        assert explain([NET], inverters) == "production-unknown"


def test_meters_that_contradict_each_other_are_named():
    assert explain([make_meter("production", -3000.0), NET]) == "meters-contradict"
    sold = make_meter("net-consumption", -4500.0)
    assert (
        explain([sold], [Latest({"inverter": "1"}, NOON, {"power": 5.0, "max_power": 3000.0})]) == "meters-contradict"
    )


def test_no_reason_is_given_where_no_meter_of_consumption_speaks():
    """A house without one is as it is; of one that is silent its age says it."""
    assert explain([ROOF]) is None
    assert explain([], [make_inverter("1", 200.0)]) is None
    assert explain([make_meter("production", 1.0, age_s=121), make_meter("net-consumption", 1.0, age_s=121)]) is None


def test_a_load_that_is_known_needs_no_reason():
    now = describe_household([TOTAL], [make_inverter("1", 200.0, age_s=1801)], NO_SITE, NOON)
    assert (now.site.load, now.site.net, now.load_unknown) == (1300.0, None, None)


def explain_house(*gateways):
    """The load of a house of several gateways, by their meters and inverters, and why it is unknown."""
    members = [
        describe_member((meters, inverters, (), (), (), (), ()), NO_SITE, NOON) for meters, inverters in gateways
    ]
    power = sum_powers([member.part for member in members])
    return power.load, explain_house_load(power, members)


def test_a_house_of_several_gateways_takes_the_reason_of_one_of_them():
    asleep = [make_inverter("1", 200.0, age_s=1801)]
    assert explain_house(([ROOF, NET, SILENT], ()), ([ROOF, NET], ())) == (None, "phase-silent")
    assert explain_house(([NET], asleep), ([ROOF], ())) == (None, "production-unknown")


def test_what_flows_past_one_gateway_contradicts_it_alone_and_not_the_house():
    """The meter of the one sees what the inverters of the other sell."""
    few = [Latest({"inverter": "1"}, NOON, {"power": 100.0, "max_power": 300.0})]
    sold = make_meter("net-consumption", -900.0)
    assert explain([sold], few) == "meters-contradict"
    assert explain_house(([sold], few), ([ROOF], ())) == (200.0, None)
    never = Latest({"meter": "production", "phase": "a"}, NOON, {"measured": 0.0})
    assert explain_house(([sold], few), ([never], ())) == (None, None)
