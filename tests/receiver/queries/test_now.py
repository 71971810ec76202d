"""The household now: only what still speaks of now counts, with the meters' roles put right."""

import pytest

from receiver.queries.now import power_now
from receiver.sites.model import NO_SITE, MeterCorrection, Site
from receiver.stores.base import Latest

NOON = 1_750_000_000_000


def meter(name: str, power: float, *, age_s: float = 1.0, phase: str = "a") -> Latest:
    return Latest({"meter": name, "phase": phase}, NOON - round(age_s * 1000), {"power": power, "voltage": 230.0})


def inverter(serial: str, power: float, *, age_s: float = 60.0) -> Latest:
    return Latest({"inverter": serial}, NOON - round(age_s * 1000), {"power": power})


def test_production_and_net_make_load():
    now = power_now([meter("production", 3000.0), meter("net-consumption", -1000.0, age_s=7)], [], NO_SITE, NOON)
    assert now.power._asdict() == {
        "production": 3000.0, "load": 2000.0, "net": -1000.0, "imported": 0.0, "exported": 1000.0, "battery": None,
    }  # fmt: skip
    assert now.timestamp == NOON - 1000


def test_a_battery_takes_part():
    meters = [meter("production", 3000.0), meter("net-consumption", -1000.0), meter("storage", -500.0)]
    assert power_now(meters, [], NO_SITE, NOON).power.load == 1500.0


@pytest.mark.parametrize(("age_s", "known"), [(120.0, True), (120.1, False)])
def test_meters_speak_of_now_for_two_minutes(age_s, known):
    now = power_now([meter("production", 3000.0, age_s=age_s)], [], NO_SITE, NOON)
    assert (now.power.production == 3000.0) is known
    assert (now.timestamp is not None) is known


def test_inverters_stand_in_where_no_meter_sees_production():
    reports = [inverter("1", 200.0), inverter("2", 150.0), inverter("3", 100.0, age_s=1801)]
    now = power_now([meter("net-consumption", 100.0)], reports, NO_SITE, NOON)
    assert (now.power.production, now.power.load) == (350.0, 450.0)
    alone = power_now([], reports, NO_SITE, NOON)
    assert (alone.power.production, alone.power.load, alone.timestamp) == (350.0, None, NOON - 60_000)
    measured = power_now([meter("production", 340.0)], reports, NO_SITE, NOON)
    assert measured.power.production == 340.0, "a meter knows better"


def test_what_the_sites_file_corrects_is_corrected():
    wrong = MeterCorrection(role="net-consumption", reversed=frozenset("a"))
    site = Site(meters={"total-consumption": wrong, "net-consumption": MeterCorrection(role="ignore")})
    now = power_now([meter("production", 3000.0), meter("total-consumption", 1000.0)], [], site, NOON)
    assert (now.power.net, now.power.exported) == (-1000.0, 1000.0)


def test_netting_by_phases_is_the_sites():
    meters = [meter("net-consumption", 500.0), meter("net-consumption", -200.0, phase="b")]
    netted, each = (power_now(meters, [], site, NOON).power for site in (NO_SITE, Site(netting="phases")))
    assert (netted.imported, netted.exported) == (300.0, 0.0)
    assert (each.imported, each.exported) == (500.0, 200.0)


def test_nothing_is_known_of_a_silent_house():
    now = power_now([], [], NO_SITE, NOON)
    assert set(now.power) == {None}
    assert now.timestamp is None
