"""Imported energies in sums beyond one gateway's windows: totals of a lifetime, and houses of several gateways."""

from datetime import date

from receiver.energy.balance import QUANTITIES, build_site_energy
from receiver.energy.energy import WindowEnergy
from receiver.energy.house import HouseMember
from receiver.energy.house_quarters import HouseEnergy
from receiver.outputs.lifetime.totals import sum_years
from receiver.outputs.mqtt.payloads import make_today
from receiver.stores.base import Point
from shared.units import QUARTER_MS

UNKNOWN = WindowEnergy(None, 0.0)


def test_a_total_that_was_given_does_not_rise_by_what_is_imported():
    years = [
        Point(0, {"imported": 500.0, "imported_coverage": 0.0, "imported_taken_over": 500.0}),
        Point(
            1, {"imported": 70.0, "imported_coverage": 0.5, "imported_taken_over": 50.0, "imported_unallocated": 1.0}
        ),
        Point(2, {"exported": 9.0, "exported_coverage": 0.0, "exported_taken_over": 9.0}),
    ]
    assert sum_years(years) == {"imported": 21.0}, "what was never measured is unknown, not nothing"


def test_energies_of_today_are_those_that_were_measured():
    fields = {
        "production": 519.0, "production_coverage": 0.1, "production_taken_over": 500.0,
        "load": 700.0, "load_coverage": 0.0, "load_taken_over": 700.0,
        "imported": 30.0, "imported_coverage": 0.2, "exported": 4.0, "exported_coverage": 0.2,
        "self_consumption": 0.9, "self_sufficiency": 0.8,
    }  # fmt: skip
    today = make_today(date(2026, 6, 1), fields)
    assert (today["production_wh"], today["load_wh"], today["imported_wh"]) == (19.0, None, 30.0)
    assert (today["self_consumption"], today["self_sufficiency"]) == (None, None), "shares of what was imported"
    measured = {name: value for name, value in fields.items() if "taken_over" not in name}
    assert make_today(date(2026, 6, 1), measured)["self_sufficiency"] == 0.8


def test_a_house_does_not_add_what_one_gateway_measured_to_what_the_other_imported():
    sums = HouseEnergy([HouseMember(), HouseMember()])
    measured = build_site_energy(0, QUARTER_MS, [WindowEnergy(5.0, 1.0)] * len(QUANTITIES), 0, None)
    imported = build_site_energy(0, QUARTER_MS, [WindowEnergy(7.0, 0.0, 0.0, 7.0)] * len(QUANTITIES), 0, None)
    assert sums.add_quarter(0, [measured, imported]).production == UNKNOWN
