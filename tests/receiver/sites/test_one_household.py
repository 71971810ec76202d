"""The power of a site and the sums of its live stream are the same numbers."""

from hypothesis import given
from hypothesis import strategies as st

from receiver.live.solar import QUIET_W, LatestPowers
from receiver.sites.household import METER_SPEAKS_MS, describe_household
from receiver.sites.model import MeterCorrection, Site
from receiver.stores.base import Latest
from shared.fields import REPORT_SPEAKS_MS

NOON = 1_750_000_000_000
METERS = ("production", "net-consumption", "total-consumption", "storage")
ages_ms = st.sampled_from([0, 1_000, METER_SPEAKS_MS, METER_SPEAKS_MS + 1, REPORT_SPEAKS_MS, REPORT_SPEAKS_MS + 1])
watts = st.floats(-5_000, 5_000).map(lambda power: round(power, 1))
meters = st.lists(
    st.builds(
        lambda meter, phase, age, power: Latest({"meter": meter, "phase": phase}, NOON - age, {"power": power}),
        st.sampled_from(METERS), st.sampled_from("ab"), ages_ms, watts,
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
    """Production differs by what inverters draw at night, which the live form counts as none."""
    powers = LatestPowers()
    powers.seed(meters, inverters)
    sums = powers.sum_up(NOON, site)
    household = describe_household(meters, inverters, site, NOON)
    if sums is None:
        assert household.site.load is None or household.site.production is None
        return
    assert household.site.load is not None
    assert household.site.production is not None
    assert abs(sums.c - household.site.load) <= 0.5
    if household.site.battery is None or household.site.net is None:
        assert sums.n == sums.c - sums.p
    else:
        assert abs(sums.n - household.site.net) <= 0.5
    parts = [household.site.production]
    if household.inverters is None:
        parts = [power or 0.0 for (meter, _), power in household.powers.items() if meter == "production"]
    if all(power >= QUIET_W for power in parts):
        assert abs(sums.p - household.site.production) <= 0.5
