"""The sums of meters in `/production.json`: only what is valid, and what the gateway did not make up."""

from scraper.gateway.parse.eim import parse_eim
from scraper.gateway.parse.values import Notes

READ = 1718213330


def make_section(measurement, watts, **changes):
    return {
        "type": "eim",
        "activeCount": 1,
        "measurementType": measurement,
        "readingTime": READ,
        "wNow": watts,
    } | changes


def make_page(*consumption, production=None):
    inverters = {"type": "inverters", "activeCount": 24, "readingTime": READ, "wNow": 5739, "whLifetime": 174174}
    made = make_section("production", 5712.4) if production is None else production
    return {"production": [inverters, made], "consumption": [*consumption]}


def read(page, notes=None):
    return {one.meter: one.values for one in parse_eim(page, notes)}


def test_each_valid_section_gives_its_power_under_a_phase_of_its_own():
    page = make_page(make_section("total-consumption", 2000.0), make_section("net-consumption", -3712.4))
    assert read(page) == {
        "production": {"power": 5712.4}, "total-consumption": {"power": 2000.0}, "net-consumption": {"power": -3712.4},
    }  # fmt: skip
    assert {(one.phase, one.timestamp_s, *one.counters) for one in parse_eim(page)} == {("eim", READ)}


def test_sections_that_are_off_or_have_no_time_say_nothing():
    net = make_section("net-consumption", -3712.4)
    assert read(make_page(net | {"activeCount": 0})).keys() == {"production"}
    assert read(make_page(net | {"readingTime": 0})).keys() == {"production"}
    assert read(make_page(net, production=make_section("production", -1.0, activeCount=0))) == {}


def test_a_total_that_repeats_the_net_is_left_out():
    page = make_page(make_section("total-consumption", -300.0), make_section("net-consumption", -300.0))
    assert read(page).keys() == {"production", "net-consumption"}


def test_one_bad_value_costs_one_value():
    notes = Notes()
    page = make_page(make_section("net-consumption", "n/a"), make_section("total-consumption", 4294967292))
    assert read(page, notes) == {"production": {"power": 5712.4}, "total-consumption": {"power": -4.0}}
    assert (notes.refused["eim.wNow"], notes.odd) == (1, {"eim.wNow unsigned"})


def test_production_without_a_name_is_production():
    page = make_page(production={key: v for key, v in make_section("", 7.0).items() if key != "measurementType"})
    assert read(page) == {"production": {"power": 7.0}}


def test_other_replies_give_nothing():
    pages: list[object] = [[], {}, None, {"production": 3, "consumption": [1]}, {"production": [{"type": []}]}]
    for page in pages:
        assert parse_eim(page) == []
