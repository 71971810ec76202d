"""The household now: only what still speaks of now counts, with the meters' roles put right."""

import pytest

from receiver.live.solar import LatestPowers
from receiver.sites.household import describe_household
from receiver.sites.model import NO_SITE, MeterCorrection, Site
from receiver.stores.base import Latest
from shared.units import DAY_MS

NOON = 1_750_000_000_000


def make_meter(name: str, power: float, *, age_s: float = 1.0, phase: str = "a") -> Latest:
    return Latest({"meter": name, "phase": phase}, NOON - round(age_s * 1000), {"power": power, "voltage": 230.0})


def make_inverter(serial: str, power: float, *, age_s: float = 60.0) -> Latest:
    return Latest({"inverter": serial}, NOON - round(age_s * 1000), {"power": power})


def test_production_and_net_make_load():
    now = describe_household(
        [make_meter("production", 3000.0), make_meter("net-consumption", -1000.0, age_s=7)], [], NO_SITE, NOON
    )
    assert now.site._asdict() == {
        "production": 3000.0, "load": 2000.0, "net": -1000.0, "imported": 0.0, "exported": 1000.0, "battery": None,
    }  # fmt: skip
    assert now.timestamp == NOON - 1000


def test_a_battery_takes_part():
    meters = [make_meter("production", 3000.0), make_meter("net-consumption", -1000.0), make_meter("storage", -500.0)]
    assert describe_household(meters, [], NO_SITE, NOON).site.load == 1500.0


@pytest.mark.parametrize(("age_s", "known"), [(120.0, True), (120.1, False)])
def test_meters_speak_of_now_for_two_minutes(age_s, known):
    now = describe_household([make_meter("production", 3000.0, age_s=age_s)], [], NO_SITE, NOON)
    assert (now.site.production == 3000.0) is known
    assert (now.timestamp is not None) is known


def test_inverters_stand_in_where_no_meter_sees_production():
    reports = [make_inverter("1", 200.0), make_inverter("2", 150.0), make_inverter("3", 100.0, age_s=1801)]
    now = describe_household([make_meter("net-consumption", 100.0)], reports, NO_SITE, NOON)
    assert (now.site.production, now.site.load) == (350.0, 450.0)
    alone = describe_household([], reports, NO_SITE, NOON)
    assert (alone.site.production, alone.site.load, alone.timestamp) == (350.0, None, NOON - 60_000)
    measured = describe_household([make_meter("production", 340.0)], reports, NO_SITE, NOON)
    assert measured.site.production == 340.0, "a meter knows better"


def test_a_report_without_its_power_makes_the_sum_of_inverters_unknown():
    blank = Latest({"inverter": "2"}, NOON - 60_000, {"max_power": 290.0})
    net, reports = make_meter("net-consumption", 100.0), [make_inverter("1", 200.0), blank]
    now = describe_household([net], reports, NO_SITE, NOON)
    assert (now.site.production, now.site.load, now.site.net) == (None, None, 100.0)
    old = Latest(blank.tags, NOON - 1_801_000, blank.fields)
    assert describe_household([net], [reports[0], old], NO_SITE, NOON).site.production == 200.0


def test_a_meter_that_has_lost_a_phase_gives_no_sum():
    """One that was read within a day belongs to the meter, also where its last answers had no power."""
    meters = [make_meter("production", 3000.0), make_meter("net-consumption", 100.0)]
    silent = make_meter("storage", -650.0, age_s=600)
    now = describe_household([*meters, silent, make_meter("storage", -650.0, phase="b")], [], NO_SITE, NOON)
    assert (now.site.battery, now.site.load, now.site.production) == (None, None, 3000.0)
    never = Latest({"meter": "production", "phase": "b"}, NOON, {"voltage": 230.0})
    assert describe_household([*meters, never], [], NO_SITE, NOON).site.production is None
    gone = make_meter("storage", -650.0, age_s=86_401)
    assert describe_household([*meters, gone], [], NO_SITE, NOON).site.load == 3100.0


def make_limited(power, most, age_s=60):
    """An inverter and the most that it ever made."""
    report = make_inverter("1", power, age_s=age_s)
    return Latest(report.tags, report.timestamp, {**report.fields, "max_power": most})


@pytest.mark.parametrize(("sold", "possible"), [(4499.0, True), (4500.0, False)])
def test_what_the_inverters_cannot_have_made_was_not_sold(sold, possible):
    """A transformer of the grid that is clamped on backwards, where no meter sees production."""
    meters, reports = [make_meter("net-consumption", -sold)], [make_limited(50.0, 3000.0)]
    now = describe_household(meters, reports, NO_SITE, NOON)
    assert (now.site.production, now.site.load) == ((sold, 0.0) if possible else (None, None))
    assert now.site.net == -sold
    powers = LatestPowers()
    powers.seed(meters, reports)
    assert (powers.sum_up(NOON, NO_SITE) is not None) is possible
    battery = describe_household([*meters, make_meter("storage", 1000.0)], reports, NO_SITE, NOON)
    assert battery.site.production == sold - 1000.0, "a battery gave its part"
    other = describe_household([*meters, make_meter("pv3p", 1000.0)], reports, NO_SITE, NOON)
    assert (other.site.production, other.site.load) == (sold, 0.0), "other inverters made their part"


@pytest.mark.parametrize(("sold", "production"), [(2500.0, None), (20.0, 20.0)])
def test_while_every_inverter_sleeps_nothing_is_sold(sold, production):
    """Beyond what meters differ."""
    totals, asleep = [Latest({"source": "pdm"}, NOON, {"power": 0.0})], [make_limited(0.0, 3000.0, age_s=10_800)]
    now = describe_household([make_meter("net-consumption", -sold)], asleep, NO_SITE, NOON, totals=totals)
    assert (now.site.production, now.site.load) == (production, None if production is None else 0.0)


@pytest.mark.parametrize("power", [{}, {"power": 1000.0, "measured": 0.0}])
@pytest.mark.parametrize("phases", ["a", "ab"])
def test_inverters_do_not_stand_in_for_a_production_meter_that_is_read_and_silent(phases, power):
    """Their reports are minutes old. Once the meter is not read any more, they are the best that is known."""
    net, report = make_meter("net-consumption", -400.0), make_inverter("1", 300.0)
    for age_ms, production, load in ((120_000, None, None), (120_001, 400.0, 0.0)):
        silent = [Latest({"meter": "production", "phase": phase}, NOON - age_ms, {**power}) for phase in phases]
        now = describe_household([*silent, net], [report], NO_SITE, NOON)
        assert (now.site.production, now.site.load, now.site.exported) == (production, load, 400.0)


def test_what_the_sites_file_corrects_is_corrected():
    wrong = MeterCorrection(role="net-consumption", reversed=frozenset("a"))
    site = Site(meters={"total-consumption": wrong, "net-consumption": MeterCorrection(role="ignore")})
    now = describe_household(
        [make_meter("production", 3000.0), make_meter("total-consumption", 1000.0)], [], site, NOON
    )
    assert (now.site.net, now.site.exported) == (-1000.0, 1000.0)


def test_netting_by_phases_is_the_sites():
    meters = [make_meter("net-consumption", 500.0), make_meter("net-consumption", -200.0, phase="b")]
    netted, each = (describe_household(meters, [], site, NOON).site for site in (NO_SITE, Site(netting="phases")))
    assert (netted.imported, netted.exported) == (300.0, 0.0)
    assert (each.imported, each.exported) == (500.0, 200.0)


def test_nothing_is_known_of_a_silent_house():
    now = describe_household([], [], NO_SITE, NOON)
    assert set(now.site) == {None}
    assert now.timestamp is None


def test_the_gateways_own_total_stands_in_where_it_lists_no_inverter():
    totals = [
        Latest({"source": name}, NOON - 60_000, {"power": power}) for name, power in (("api", 1.0), ("pdm", 900.0))
    ]
    now = describe_household([make_meter("net-consumption", 100.0)], [], NO_SITE, NOON, totals=totals)
    assert (now.site.production, now.site.load) == (900.0, 1000.0)
    listed = describe_household([], [make_inverter("1", 200.0)], NO_SITE, NOON, totals=totals)
    assert listed.site.production == 200.0


@pytest.mark.parametrize(("power", "production"), [(0.0, 0.0), (-4.0, -4.0), (16.0, None), (900.0, None)])
def test_at_night_the_gateways_own_total_says_that_nothing_is_made(power, production):
    """While no inverter reports, one that says more is not of now."""
    totals, asleep = [Latest({"source": "pdm"}, NOON, {"power": power})], [make_inverter("1", 0.0, age_s=1801)]
    meters = [make_meter("net-consumption", 400.0)]
    night = describe_household(meters, asleep, NO_SITE, NOON, totals=totals)
    assert (night.site.production, night.site.net) == (production, 400.0)
    assert night.site.load == (None if production is None else 400.0 + production)
    powers = LatestPowers()
    powers.seed(meters, asleep, totals)
    assert (powers.sum_up(NOON, NO_SITE) is None) is (production is None)


def test_a_total_that_is_old_does_not_hide_one_that_speaks_of_now():
    totals = [
        Latest({"source": "api"}, NOON - 60_000, {"power": 700.0}),
        Latest({"source": "pdm"}, NOON - 3 * DAY_MS, {"power": 900.0}),
    ]
    now = describe_household([make_meter("net-consumption", 100.0)], [], NO_SITE, NOON, totals=totals)
    assert (now.site.production, now.site.load) == (700.0, 800.0)


@pytest.mark.parametrize(("sum_age_s", "phase_age_s", "production"), [(1, 3600, 900.0), (3600, 1, 300.0)])
def test_the_sum_of_a_meter_and_its_phases_take_turns(sum_age_s, phase_age_s, production):
    """A gateway that refused its meters gives them again, or the other way round: nobody counts both."""
    meters = [
        make_meter("production", 900.0, age_s=sum_age_s, phase="eim"),
        make_meter("production", 100.0, age_s=phase_age_s, phase="a"),
        make_meter("production", 200.0, age_s=phase_age_s, phase="b"),
    ]
    assert describe_household(meters, [], NO_SITE, NOON).site.production == production


def test_import_billed_by_phase_is_unknown_where_only_the_sum_is_known():
    meters = [make_meter("production", 900.0, phase="eim"), make_meter("net-consumption", 100.0, phase="eim")]
    site = describe_household(meters, [], Site(netting="phases"), NOON).site
    assert (site.load, site.net, site.imported, site.exported) == (1000.0, 100.0, None, None)
    assert describe_household(meters, [], NO_SITE, NOON).site.imported == 100.0
