"""Production of gateways without a production meter."""

import math

import pytest

from scraper.gateway.info import GatewayInfo
from scraper.gateway.parse.meters import ConfiguredMeter
from scraper.gateway.parse.production import choose_production
from scraper.gateway.parse.values import Notes
from shared.readings import Reading

NOW = 1718213400_000
READ = 1718213300
API = {"wattHoursToday": 2900, "wattHoursSevenDays": 15195, "wattHoursLifetime": 8485676, "wattsNow": 887}
SECTION = {"type": "inverters", "activeCount": 24, "readingTime": READ, "wNow": 5739, "whLifetime": 174174}
EIM = {"type": "eim", "activeCount": 1, "measurementType": "production", "readingTime": READ, "wNow": 1.0}
ENERGY = {"production": {"pcu": API | {"wattsNow": 2682}, "rgm": API, "eim": API}, "consumption": {"eim": API}}


def make_info(version=(8, 2, 127), *, metered=False):
    return GatewayInfo("122012345678", "", "D", version, metered, web_tokens=True, time_s=None)


def make_production(*sections):
    return {"production": list(sections)}


def choose(gateway=None, meters=(), notes=None, **replies):
    return choose_production(gateway or make_info(), meters, received_ms=NOW, notes=notes, **replies)


def test_the_inverters_section_has_its_own_time():
    assert choose(production=make_production(SECTION)) == Reading(
        "production", {"source": "inverters"}, READ * 1000, {"power": 5739.0, "energy_lifetime": 174174.0}
    )


def test_a_total_that_has_wrapped_gives_way_to_the_true_one():
    """Firmware 7 without meters: 1,193,046 Wh (2^32 J) were lost from the section, not from `/api/v1/production`."""
    wrapped, true = SECTION | {"whLifetime": 351236}, API | {"wattHoursLifetime": 1544282}
    old = choose(make_info((7, 3, 517)), production=make_production(wrapped), api=true)
    assert old is not None
    assert (old.tags["source"], old.fields["energy_lifetime"]) == ("api", 1544282.0)
    for version, other in (((8, 2, 127), true), ((7, 3, 517), API | {"wattHoursLifetime": 360000})):
        kept = choose(make_info(version), production=make_production(wrapped), api=other)
        assert kept is not None
        assert (kept.tags["source"], kept.fields["energy_lifetime"]) == ("inverters", 351236.0)


@pytest.mark.parametrize("api", [None, {}, API | {"wattHoursLifetime": None}, API | {"wattHoursLifetime": 0}])
def test_while_the_true_total_is_not_known_one_that_may_have_wrapped_is_not_believed(api):
    """One answer that failed, or a start with zeros: the wrapped total would stand in the store once."""
    wrapped = make_production(SECTION | {"whLifetime": 351236})
    for version, is_absent, believed in (
        ((7, 3, 517), False, False),
        ((7, 3, 517), True, True),
        ((8, 2, 127), False, True),
    ):
        reading = choose(make_info(version), production=wrapped, api=api, api_is_absent=is_absent)
        assert reading is not None
        assert (reading.fields["power"], "energy_lifetime" in reading.fields) == (5739.0, believed)
    unused = choose(make_info((7, 3, 517), metered=True), production=wrapped, api=API | {"wattHoursLifetime": 0})
    assert unused is not None
    assert unused.fields["energy_lifetime"] == 351236.0


def test_sections_are_found_by_type_and_not_by_place():
    assert choose(production=make_production(EIM, None, SECTION)) == choose(production=make_production(SECTION))


def test_totals_are_stamped_on_arrival():
    assert choose(api=API) == Reading(
        "production", {"source": "api"}, NOW, {"power": 887.0, "energy_lifetime": 8485676.0, "energy_today": 2900.0}
    )


def test_the_energy_endpoint_gives_what_the_inverters_made():
    reading = choose(energy=ENERGY)
    assert reading is not None
    assert reading.tags == {"source": "pdm"}
    assert reading.fields["power"] == 2682.0


def test_the_best_source_that_exists_is_taken():
    def find_source(**replies):
        reading = choose(**replies)
        assert reading is not None
        return reading.tags["source"]

    assert find_source(energy=ENERGY, production=make_production(SECTION), api=API) == "pdm"
    assert find_source(production=make_production(SECTION), api=API) == "inverters"
    assert find_source(production=make_production(EIM), api=API) == "api"
    assert find_source(energy={"error": "none"}, production={}, api=API) == "api"


@pytest.mark.parametrize(
    "change", [{"readingTime": 0}, {"activeCount": 0}, {"readingTime": None}, {"activeCount": "x"}]
)
def test_leftover_numbers_are_no_reading_and_no_reason_to_change_the_series(change):
    assert choose(production=make_production(SECTION | change), api=API) is None


def test_zeros_after_a_start_are_not_a_plant_that_never_produced():
    zeros = dict.fromkeys(API, 0)
    assert choose(api=zeros) is None
    assert choose(api=zeros | {"wattsNow": 689}) is None
    assert choose(energy={"production": {"pcu": zeros}}, api=API) is None


def test_a_morning_without_energy_yet_is_a_reading():
    reading = choose(api=API | {"wattHoursToday": 0, "wattsNow": 0})
    assert reading is not None
    assert reading.fields == {"power": 0.0, "energy_lifetime": 8485676.0, "energy_today": 0.0}


@pytest.mark.parametrize(
    ("version", "metered", "enabled", "taken"),
    [
        ((8, 2, 4264), True, False, False),
        ((8, 3, 5169), True, False, False),
        ((8, 2, 127), True, False, True),
        ((8, 2, 4264), True, True, True),
        ((8, 2, 4264), False, False, True),
        ((3, 9, 36), None, False, True),
    ],
)
def test_stalled_totals_of_unused_meter_hardware_are_refused(version, metered, enabled, taken):
    meters = [ConfiguredMeter(1, "production", enabled, 1, "three", ())]
    reading = choose(make_info(version, metered=metered), meters, api=API)
    assert (reading is not None) is taken


def test_unknown_meters_on_stalling_firmware_are_not_trusted():
    assert choose(make_info((8, 2, 4264), metered=True), None, api=API) is None


@pytest.mark.parametrize("bad", [None, "7", math.nan, 2**80])
def test_a_bad_value_loses_only_itself(bad):
    notes = Notes()
    reading = choose(production=make_production(SECTION | {"wNow": bad}), notes=notes)
    assert reading is not None
    assert reading.fields == {"energy_lifetime": 174174.0}
    assert notes.refused == {"inverters.wNow": 1}


def test_fields_that_came_or_went_are_noted():
    notes = Notes()
    choose(api={"wattsNow": 1, "wattHoursLifetime": 5, "wattHoursSevenDays": 1, "wattsMax": 3}, notes=notes)
    assert notes.missing == {"api.wattHoursToday"}
    assert notes.unknown == {"api.wattsMax"}


@pytest.mark.parametrize(
    "strange", [None, [], "text", 7, {}, {"production": {}}, {"production": [7]}, {"production": []}]
)
def test_replies_of_another_shape_give_nothing(strange):
    assert choose(energy=strange, production=strange, api=None) is None
