"""A stream as SolarNetwork configures it: the worked example of the reference, value by value."""

from decimal import Decimal
from typing import Any

import pytest

from scraper.cloud.parse.production_micro import parse_production_micro
from scraper.cloud.parse.rgm_stats import parse_rgm_stats
from scraper.cloud.rules.datum import Datum, count_up, make_datum, make_datum_rows
from scraper.cloud.rules.progress import find_next_start
from scraper.cloud.rules.streams import Property, list_routes, parse_stream, scale_value
from scraper.cloud.rules.values import list_meter_values, list_micro_values
from scraper.cloud.rules.windows import use_window
from scraper.errors import WrongUseError
from shared.readings import Reading
from tests.cloud_examples import read_example

SYSTEM = 4711023
LAG_S = 10_800.0


def list_reports(reply):
    return [(one.end_s, one.devices, reply.devices_total) for one in reply.intervals]


def write_datum(datum):
    """As the examples write them."""
    document = {"ts": datum.end_s}
    for (kind, name), value in datum.values.items():
        document.setdefault(kind, {})[name] = value
    return document


def count_all(found, config, before):
    for name in config.counters:
        found = {source: count_up(datum, name, before.get(source)) for source, datum in found.items()}
    return found


def test_the_first_pass_of_the_worked_example():
    config, expected = parse_stream(read_example("solarnetwork-config")), read_example("solarnetwork-expected-1")
    start, end = expected["filter"]
    used = use_window(start, end, expected["now"])
    assert [used.start_s, used.end_s] == expected["used"]
    micros = parse_production_micro(read_example("production_micro"))
    meters = parse_rgm_stats(read_example("rgm_stats"))
    values = {(SYSTEM, "inv"): list_micro_values(micros), (SYSTEM, "met"): list_meter_values(meters)}
    found = count_all(make_datum(list_routes(config), values), config, {})
    assert {source: list(map(write_datum, datum)) for source, datum in found.items()} == expected["datum"]
    following = find_next_start(
        used.end_s,
        [micros.meta, meters.meta],
        [*list_reports(micros), *list_reports(meters)],
        now_s=expected["now"],
        max_lag_s=config.max_lag_s,
    )
    assert following == expected["next_start"]


def test_the_second_pass_of_the_worked_example():
    document, expected = read_example("solarnetwork-config"), read_example("solarnetwork-expected-2")
    document["stream"]["serviceProperties"]["sourceIdMap"] = f"/{SYSTEM}/inv/sys=S1/INV"
    config = parse_stream(document)
    start, end = expected["filter"]
    used = use_window(start, end, expected["now"])
    assert [used.start_s, used.end_s] == expected["used"]
    micros = parse_production_micro(read_example("production_micro-revised"))
    found = make_datum(list_routes(config), {(SYSTEM, "inv"): list_micro_values(micros)})
    found = count_all(found, config, {"S1/INV": Decimal(544)})
    assert {source: list(map(write_datum, datum)) for source, datum in found.items()} == expected["datum"]
    reports = list_reports(micros)
    following = find_next_start(used.end_s, [micros.meta], reports, now_s=expected["now"], max_lag_s=LAG_S)
    assert following is expected["next_start"]


@pytest.mark.parametrize(
    ("powers", "mean"), [((52, 49, 45), 48), ((140, 137), 138), ((1244, 1244, None), 1244), ((731, 724, 739), 731)]
)
def test_the_power_of_meters_is_the_mean_of_their_channels(powers, mean):
    channels = [{"channel": n, "end_at": 900, "curr_w": watts, "wh_del": 1} for n, watts in enumerate(powers, 1)]
    document = {"intervals": [{"end_at": 900, "wh_del": 3}], "meter_intervals": [{"intervals": channels}]}
    values = list_meter_values(parse_rgm_stats(document))[900]
    assert (values["W"], values["WhExp"], values["PWA"], values["DevicesReporting"]) == (mean, 3, powers[0], 0)
    assert ("PWC" in values) == (len(powers) > 2 and powers[2] is not None)


def test_channels_of_an_end_that_the_meters_do_not_list_give_nothing():
    meter = {"intervals": [{"channel": 1, "end_at": 1800, "curr_w": 1, "wh_del": 1}]}
    reply = parse_rgm_stats({"intervals": [{"end_at": 900, "wh_del": None}], "meter_intervals": [meter]})
    assert list_meter_values(reply) == {900: {"DevicesReporting": 0}}


def test_phases_are_those_of_the_first_meter_that_has_them():
    values = list_meter_values(parse_rgm_stats(read_example("rgm_stats-two-meters")))
    assert [fields["PWA"] for fields in values.values()] == [198, 161]


@pytest.mark.parametrize(
    ("value", "multiplier", "scale", "scaled"),
    [
        (12.345, None, 2, "12.35"),
        (12.3, None, 2, "12.3"),
        (12, "0.001", None, "0.012"),
        (1500, "0.001", 0, "2"),
        (1000, None, 0, "1000"),
        (2500, "0.01", 3, "25"),
    ],
)
def test_values_are_multiplied_then_rounded(value, multiplier, scale, scaled):
    target = Property("", "x", "i", None if multiplier is None else Decimal(multiplier), scale)
    assert str(scale_value(value, target)) == scaled


def make_counted(amounts):
    return [Datum("s", place, {} if wh is None else {("i", "wh"): Decimal(wh)}) for place, wh in enumerate(amounts)]


@pytest.mark.parametrize(
    ("amounts", "before", "counted"),
    [
        ((181, 184, 179, 176, 131, 128), None, [181, 365, 544, 720, 851, 979]),
        ((176, 175, 171, 173, 170, 168), 544, [720, 895, 1066, 1239, 1409, 1577]),
        ((5, None, 7), 10, [15, 0, 7]),
    ],
)
def test_the_counter_adds_up(amounts, before, counted):
    found = count_up(make_counted(amounts), "wattHours", None if before is None else Decimal(before))
    assert [one.values["a", "wattHours"] for one in found] == counted


def test_a_value_becomes_a_reading_that_its_name_tags():
    datum = Datum("S1/INV", 900, {("i", "watts"): Decimal(2), ("a", "wh"): Decimal("3.5"), ("s", "n"): Decimal(12)})
    tags = [{"source_id": "S1/INV", "property": name} for name in ("watts", "wh", "n")]
    fields: list[dict[str, float | str]] = [{"instantaneous": 2.0}, {"accumulating": 3.5}, {"text": "12"}]
    assert make_datum_rows(datum) == [
        Reading("datum", tag, 900_000, field) for tag, field in zip(tags, fields, strict=True)
    ]


def test_only_mapped_devices_that_can_be_read_are_routed():
    document: dict[str, Any] = {
        "stream": {"sourceId": "home", "serviceProperties": {"upperCaseSourceId": True, "placeholders": {"s": "1"}}},
        "properties": [
            {"valueReference": "/{s}/inv/sys/W", "propertyName": "watts", "propertyType": "i"},
            {"valueReference": "/{s}/inv/7/W", "propertyName": "watts", "propertyType": "i"},
            {"valueReference": "/{s}/other/sys/W", "propertyName": "watts", "propertyType": "i"},
        ],
    }
    assert [route.source for route in list_routes(parse_stream(document))] == ["HOME/1/INV/SYS"]
    document["stream"]["serviceProperties"]["sourceIdMap"] = {"/2/inv/sys": "other"}
    assert list_routes(parse_stream(document)) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"properties": []}, "no .properties."),
        ({"properties": [{"valueReference": "/1/inv/sys/W"}]}, "propertyName"),
        ({"properties": 7}, "list of objects"),
        ({"expressions": [{"propertyName": "x", "propertyType": "i"}]}, "accumulating"),
        ({"stream": {"serviceProperties": {"deviceReportingMaximumLag": "soon"}}}, "PT3H"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_said(change, words):
    good = {"properties": [{"valueReference": "/1/inv/sys/W", "propertyName": "w", "propertyType": "i"}]}
    assert parse_stream(good).max_lag_s == LAG_S
    with pytest.raises(WrongUseError, match=words):
        parse_stream(good | change)
    with pytest.raises(WrongUseError, match="object"):
        parse_stream([])
