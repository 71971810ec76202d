"""Imported energies in sums beyond one gateway's windows: totals of a lifetime, and houses of several gateways."""

from receiver.energy.balance import QUANTITIES, build_site_energy
from receiver.energy.energy import WindowEnergy
from receiver.energy.house import HouseMember
from receiver.energy.house_quarters import HouseEnergy
from receiver.outputs.lifetime.totals import sum_years
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


def test_a_house_does_not_add_what_one_gateway_measured_to_what_the_other_imported():
    sums = HouseEnergy([HouseMember(), HouseMember()])
    measured = build_site_energy(0, QUARTER_MS, [WindowEnergy(5.0, 1.0)] * len(QUANTITIES), 0, None)
    imported = build_site_energy(0, QUARTER_MS, [WindowEnergy(7.0, 0.0, 0.0, 7.0)] * len(QUANTITIES), 0, None)
    assert sums.add_quarter(0, [measured, imported]).production == UNKNOWN
