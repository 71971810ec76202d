"""Meters that cannot be right: the suspect is named, with the remedy."""

import pytest

from scraper.check.doubts import RoofNow, find_doubts
from scraper.gateway.parse.phases import MeterValues

UNKNOWN = RoofNow()


def make_phase(meter: str, power: float | None, letter: str = "a", voltage: float = 230.0) -> MeterValues:
    values = {"voltage": voltage} if power is None else {"voltage": voltage, "power": power}
    return MeterValues(meter, letter, 1, values, {"delivered": 1.0, "received": 0.0})


def test_meters_that_agree_are_not_doubted():
    values = [make_phase("production", 3000.0), make_phase("net-consumption", -1000.0), make_phase("storage", -500.0)]
    assert find_doubts(values, RoofNow(2900.0, is_whole=True)) == []
    assert find_doubts([make_phase("production", -5.0), make_phase("net-consumption", 400.0)], UNKNOWN) == []


@pytest.mark.parametrize(
    ("production", "net", "suspect"), [(-3000.0, -500.0, "production"), (300.0, -2000.0, "net-consumption")]
)
def test_a_load_below_nothing_names_the_transformer_that_is_reversed(production, net, suspect):
    (doubt,) = find_doubts([make_phase("production", production), make_phase("net-consumption", net)], UNKNOWN)
    assert f"A transformer of {suspect} seems to be clamped on backwards" in doubt
    assert "'reversed'" in doubt


@pytest.mark.parametrize(("battery", "doubted"), [(2800.0, 0), (None, 0), (0.0, 1), (-500.0, 1)])
def test_a_battery_that_sells_is_no_transformer_that_is_reversed(battery, doubted):
    """At night, without a storage meter: 2.8 kW out of the battery, 2.5 kW of it to the grid."""
    values = [make_phase("production", -5.0), make_phase("net-consumption", -2500.0)]
    assert len(find_doubts(values, UNKNOWN, battery)) == doubted


@pytest.mark.parametrize(
    ("net", "most", "others", "battery", "doubted"),
    [
        (-4800.0, 4500.0, 0.0, 0.0, 1),
        (-4500.0, 4500.0, 0.0, 0.0, 1),
        (-4400.0, 4500.0, 0.0, 0.0, 0),
        (-4600.0, 4500.0, 0.0, 50.0, 0),
        (-4800.0, 4500.0, 1000.0, 0.0, 0),
        (-4800.0, 4500.0, 0.0, 1000.0, 0),
        (-4800.0, 4500.0, 0.0, -1000.0, 1),
        (-4800.0, 4500.0, 0.0, None, 0),
        (-4800.0, None, 0.0, 0.0, 0),
        (-2500.0, 0.0, 0.0, 0.0, 1),
        (2500.0, 0.0, 0.0, 0.0, 0),
    ],
)
def test_more_sold_than_can_be_made_names_the_meter_of_the_grid(net, most, others, battery, doubted):
    """Without a production meter. What the inverters can make, other inverters and a battery together."""
    values = [make_phase("net-consumption", net), make_phase("pv3p", others)]
    found = find_doubts(values, RoofNow(50.0, is_whole=True, most=most), battery)
    assert len(found) == doubted
    assert all("A transformer of net-consumption seems to be clamped on backwards" in doubt for doubt in found)
    unknown = [make_phase("net-consumption", net), make_phase("pv3p", None)]
    assert find_doubts(unknown, RoofNow(50.0, is_whole=True, most=most), battery) == []


def test_a_channel_that_is_copied_is_named():
    values = [make_phase("net-consumption", 500.0, letter) for letter in "ab"]
    (doubt,) = find_doubts(values, UNKNOWN)
    assert "net-consumption: phases a and b show the very same values" in doubt
    assert find_doubts([values[0], make_phase("net-consumption", 500.0, "b", voltage=230.4)], UNKNOWN) == []


@pytest.mark.parametrize(("measured", "reported", "doubted"), [(-1.0, 3010.0, 1), (2000.0, 3010.0, 0), (-5.0, 10.0, 0)])
def test_a_production_meter_is_compared_with_the_inverters(measured, reported, doubted):
    roof = RoofNow(reported, is_whole=True)
    assert len(find_doubts([make_phase("production", measured)], roof)) == doubted
    assert find_doubts([make_phase("production", measured), make_phase("production", None, "b")], roof) == []


@pytest.mark.parametrize(("measured", "reported", "doubted"), [(-1.0, 3010.0, 1), (3010.0, 300.0, 0)])
def test_a_production_meter_is_not_blamed_for_what_silent_inverters_make(measured, reported, doubted):
    assert len(find_doubts([make_phase("production", measured)], RoofNow(reported, is_whole=False))) == doubted
