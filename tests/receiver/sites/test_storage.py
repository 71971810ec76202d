"""A household with batteries and a generator: what it uses is right, or unknown with the reason."""

import pytest

from receiver.live.solar import LatestPowers
from receiver.sites.household import describe_household
from receiver.sites.model import NO_SITE
from receiver.sites.storage import (
    BATTERY_STAYS_MS,
    GENERATOR_STAYS_MS,
    STATE_SPEAKS_MS,
    STORAGE_SPEAKS_MS,
    StorageNow,
    describe_storage,
)
from receiver.stores.base import Latest
from shared.readings import Reading
from shared.units import HOUR_MS
from tests.receiver.sites.test_household import NOON, make_meter

CHARGING = {"power": -3000.0, "batteries": 2.0, "measured": 2.0, "state_of_charge": 55.0}
ROOF = [make_meter("production", 5000.0), make_meter("net-consumption", -1000.0)]


def make_latest(age_ms=1000, **fields):
    """The latest values of a kind without tags."""
    return [Latest({}, NOON - age_ms, fields)]


def describe(storage=(), grid=(), generator=(), meters=ROOF):
    """The household now."""
    return describe_household(meters, [], NO_SITE, NOON, describe_storage((storage, grid, generator), NOON))


def test_without_a_storage_meter_the_load_takes_the_batteries_own_power():
    now = describe(make_latest(**CHARGING))
    assert (now.site.load, now.site.battery, now.site.exported) == (1000.0, -3000.0, 1000.0)
    assert now.storage.state_of_charge == 55.0
    assert now.load_unknown is None


def test_a_storage_meter_goes_before_the_batteries_own_power():
    now = describe(make_latest(**CHARGING), meters=[*ROOF, make_meter("storage", -2900.0)])
    assert (now.site.load, now.site.battery) == (1100.0, -2900.0)


@pytest.mark.parametrize(
    "storage",
    [
        make_latest(batteries=2.0, measured=0.0),
        make_latest(capacity=10_000.0, state_of_charge=50.0),
        make_latest(**CHARGING | {"measured": 1.0}),
        make_latest(STORAGE_SPEAKS_MS + 1, **CHARGING),
        make_latest(BATTERY_STAYS_MS, **CHARGING),
    ],
)
def test_a_battery_whose_power_is_not_known_makes_the_load_unknown(storage):
    now = describe(storage)
    assert (now.site.load, now.site.battery) == (None, None)
    assert (now.site.production, now.site.net, now.site.exported) == (5000.0, -1000.0, 1000.0)
    assert now.load_unknown == "battery-power-unknown"


def test_a_total_meter_says_nothing_of_the_load_beside_a_battery_that_is_not_known():
    meters = [make_meter("production", 5000.0), make_meter("total-consumption", 4000.0)]
    now = describe(make_latest(batteries=1.0, measured=0.0), meters=meters)
    assert (now.site.load, now.site.net) == (None, None)


def test_a_battery_that_was_not_listed_for_a_day_is_gone():
    now = describe(make_latest(BATTERY_STAYS_MS + 1, **CHARGING))
    assert (now.site.load, now.load_unknown) == (4000.0, None)


def test_while_a_generator_runs_the_load_is_unknown_and_nothing_is_bought_over_an_open_relay():
    """As captured on 8.2.127: what the consumption meter shows is the generator's."""
    meters = [make_meter("production", 0.9), make_meter("net-consumption", 2400.0)]
    now = describe(grid=make_latest(mode="generator"), generator=make_latest(running=1.0), meters=meters)
    assert now.site == (0.9, None, 0.0, 0.0, 0.0, None)
    assert now.load_unknown == "generator-runs"
    assert now.storage.grid_mode == "generator"


def test_while_a_generator_runs_and_the_relay_is_not_known_neither_is_what_is_bought():
    now = describe(generator=make_latest(running=1.0))
    assert now.site == (5000.0, None, None, None, None, None)


@pytest.mark.parametrize(("age_ms", "known"), [(STATE_SPEAKS_MS, True), (STATE_SPEAKS_MS + 1, False)])
def test_the_relay_speaks_of_now_for_two_heartbeats(age_ms, known):
    now = describe_storage(((), make_latest(age_ms, mode="islanded"), ()), NOON)
    assert now == StorageNow(grid_mode="islanded" if known else None)


MAY_RUN = [
    {"running": 1.0},
    {"running": 1.0, "known": 1.0},
    {"running": 0.0, "known": 0.0},
    {"known": 0.0},
    {"start_state_of_charge": 30.0},
]


@pytest.mark.parametrize("fields", MAY_RUN)
@pytest.mark.parametrize("age_ms", [STATE_SPEAKS_MS + 1, 12 * HOUR_MS, GENERATOR_STAYS_MS])
def test_a_generator_may_run_until_it_says_otherwise_for_a_day(age_ms, fields):
    now = describe(make_latest(**CHARGING), generator=make_latest(age_ms, **fields))
    assert now.site == (5000.0, None, None, None, None, -3000.0)
    assert now.load_unknown == "generator-runs"
    gone = describe(make_latest(**CHARGING), generator=make_latest(GENERATOR_STAYS_MS + 1, **fields))
    assert (gone.site.load, gone.load_unknown) == (1000.0, None)


@pytest.mark.parametrize("age_ms", [1000, STATE_SPEAKS_MS + 1, 10 * GENERATOR_STAYS_MS])
def test_a_generator_that_did_not_run_when_it_was_last_heard_of_does_not_run(age_ms):
    now = describe(make_latest(**CHARGING), generator=make_latest(age_ms, running=0.0, known=1.0))
    assert (now.site.load, now.load_unknown) == (1000.0, None)


def test_a_main_relay_that_is_closed_now_rules_out_a_generator_that_is_not_heard_of():
    """But not one that says of itself that it runs: then one of both is wrong."""
    closed = make_latest(mode="connected")
    silent = describe(make_latest(**CHARGING), closed, make_latest(HOUR_MS, running=1.0))
    assert (silent.site.load, silent.site.imported) == (1000.0, 0.0)
    assert describe(make_latest(**CHARGING), closed, make_latest(running=1.0)).site.load is None
    old = make_latest(STATE_SPEAKS_MS + 1, mode="connected")
    assert describe(make_latest(**CHARGING), old, make_latest(HOUR_MS, running=1.0)).site.load is None


def test_a_relay_that_told_of_a_generator_is_believed_until_either_says_otherwise():
    told = make_latest(HOUR_MS, mode="generator")
    assert describe(make_latest(**CHARGING), told).load_unknown == "generator-runs"
    stopped = make_latest(HOUR_MS - 1000, running=0.0)
    assert describe(make_latest(**CHARGING), told, stopped).site.load == 1000.0
    before = make_latest(HOUR_MS + 1000, running=0.0)
    assert describe(make_latest(**CHARGING), told, before).site.load is None
    old = make_latest(GENERATOR_STAYS_MS + 1, mode="generator")
    assert describe(make_latest(**CHARGING), old).site.load == 1000.0


@pytest.mark.parametrize(("net", "load"), [(150.0, 2150.0), (-800.0, 1200.0)])
def test_over_an_open_relay_nothing_is_known_to_be_bought_or_sold_and_the_load_is_known(net, load):
    meters = [make_meter("production", 5000.0), make_meter("net-consumption", net)]
    island = describe(make_latest(**CHARGING), make_latest(mode="islanded"), meters=meters)
    assert island.site == (5000.0, load, None, None, None, -3000.0)
    assert island.load_unknown is None
    powers = LatestPowers()
    powers.seed(meters, (), (), make_latest(**CHARGING), make_latest(mode="islanded"), ())
    assert powers.sum_up(NOON, NO_SITE) is None
    powers.see(Reading("grid", {}, NOON, {"mode": "connected"}))
    assert powers.sum_up(NOON, NO_SITE) is not None


def test_cut_off_without_a_generator_the_load_is_known():
    now = describe(make_latest(**CHARGING), grid=make_latest(mode="islanded"), generator=make_latest(running=0.0))
    assert now.site.load == 1000.0


@pytest.mark.parametrize("generator", [(), make_latest(running=0.0)])
def test_what_comes_in_over_an_open_relay_is_no_purchase_whatever_is_said_of_a_generator(generator):
    """A login that may not read the generator, or one that the controller does not start."""
    meters = [make_meter("production", 0.9), make_meter("net-consumption", 1200.0)]
    meters.append(make_meter("net-consumption", 1150.0, phase="b"))
    island = describe(make_latest(**CHARGING), make_latest(mode="islanded"), generator, meters)
    assert island.site == (0.9, None, None, None, None, -3000.0)
    assert island.load_unknown == "generator-runs"
    noise = describe((), make_latest(mode="islanded"), generator, [meters[0], make_meter("net-consumption", 12.0)])
    assert (noise.site.load, noise.load_unknown) == (12.9, None)


def test_live_sums_are_unknown_while_an_inverter_reports_without_its_power():
    """What comes later of the same report changes nothing."""
    powers, tags = LatestPowers(), {"inverter": "1"}
    report = Latest(tags, NOON - 2000, {"power": 300.0})
    other = Latest({"inverter": "2"}, NOON - 2000, {"power": 300.0})
    powers.seed([make_meter("net-consumption", 100.0)], [report, other])
    powers.see(Reading("inverter", tags, NOON - 2000, {"temperature": 30.0}))
    sums = powers.sum_up(NOON, NO_SITE)
    assert sums is not None
    assert (sums["p"], sums["c"]) == (600, 700)
    powers.see(Reading("inverter", tags, NOON - 1000, {"max_power": 300.0}))
    assert powers.sum_up(NOON, NO_SITE) is None


def test_live_sums_are_unknown_from_the_answer_on_in_which_a_phase_is_away_until_it_is_back():
    tags = {"meter": "net-consumption", "phase": "b"}
    powers = LatestPowers()
    powers.seed([make_meter("production", 5000.0), make_meter("net-consumption", -1000.0)])
    powers.see(Reading("meter", tags, NOON - 3000, {"power": -500.0, "measured": 1.0}))
    assert powers.sum_up(NOON, NO_SITE) == {"p": 5000, "c": 3500, "n": -1500}
    powers.see(Reading("meter", tags, NOON - 2500, {"voltage": 121.0}))  # its power did not change
    assert powers.sum_up(NOON, NO_SITE) is not None
    powers.see(Reading("meter", tags, NOON - 2000, {"frequency": 60.0, "measured": 0.0}))
    assert powers.sum_up(NOON, NO_SITE) is None
    powers.see(Reading("meter", tags, NOON - 1000, {"power": -400.0, "measured": 1.0}))
    assert powers.sum_up(NOON, NO_SITE) == {"p": 5000, "c": 3600, "n": -1400}


def test_live_sums_follow_the_same_rules():
    powers = LatestPowers()
    powers.seed(ROOF, (), (), make_latest(**CHARGING), (), ())
    sums = powers.sum_up(NOON, NO_SITE)
    assert sums is not None
    assert (sums["p"], sums["c"]) == (5000, 1000)
    powers.seed((), (), (), make_latest(0, batteries=2.0, measured=1.0), (), ())
    assert powers.sum_up(NOON, NO_SITE) is None
