"""The power of a site and the sums of its live stream are the same numbers."""

from hypothesis import given
from hypothesis import strategies as st

from receiver.live.solar import LatestPowers
from receiver.sites.household import METER_SPEAKS_MS, describe_household
from receiver.sites.model import MeterCorrection, Site
from receiver.stores.base import Latest
from shared.fields import REPORT_SPEAKS_MS

NOON = 1_750_000_000_000
METERS = ("production", "net-consumption", "total-consumption", "storage")
ages_ms = st.sampled_from([0, 1_000, METER_SPEAKS_MS, METER_SPEAKS_MS + 1, REPORT_SPEAKS_MS, REPORT_SPEAKS_MS + 1])
watts = st.floats(-5_000, 5_000).map(lambda power: round(power, 1))
answers = st.one_of(watts.map(lambda power: {"power": power, "measured": 1.0}), st.just({"measured": 0.0}))
meters = st.lists(
    st.builds(
        lambda meter, phase, age, fields: Latest({"meter": meter, "phase": phase}, NOON - age, fields),
        st.sampled_from(METERS), st.sampled_from("ab"), ages_ms, answers,
    ),
    max_size=8,
    unique_by=lambda entry: tuple(entry.tags.values()),
)  # fmt: skip
inverters = st.lists(
    st.builds(
        lambda serial, age, power: Latest({"inverter": serial}, NOON - age, {"power": power}),
        st.sampled_from("123"), ages_ms, watts,
    ),
    max_size=3,
    unique_by=lambda entry: entry.tags["inverter"],
)  # fmt: skip
sites = st.sampled_from([
    Site(),
    Site(netting="phases"),
    Site(meters={"net-consumption": MeterCorrection(reversed=frozenset("a"))}),
    Site(meters={"production": MeterCorrection(role="ignore")}),
])  # fmt: skip


@given(meters=meters, inverters=inverters, site=sites)
def test_live_sums_are_those_of_the_household(meters, inverters, site):
    powers = LatestPowers()
    powers.seed(meters, inverters)
    sums = powers.sum_up(NOON, site)
    power = describe_household(meters, inverters, site, NOON).site
    if power.production is None or power.load is None or power.net is None:
        assert sums is None
        return
    assert sums is not None
    assert abs(sums["p"] - power.production) <= 0.5
    assert abs(sums["c"] - power.load) <= 0.5
    assert abs(sums["n"] - power.net) <= 0.5
