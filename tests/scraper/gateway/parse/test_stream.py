"""Events of the meter stream."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.errors import BadReplyError
from scraper.gateway.parse.meters import ConfiguredMeter
from scraper.gateway.parse.phases import MeterValues
from scraper.gateway.parse.stream import parse_event
from scraper.gateway.parse.values import Notes

UNUSED = {"p": 0.0, "q": 0.0, "s": 0.0, "v": 0.0, "i": 0.0, "pf": 0.0, "f": 0.0}
PRODUCTION = {"p": 54.745, "q": 155.094, "s": 185.367, "v": 246.186, "i": 0.752, "pf": 0.31, "f": 50.0}
NET = {"p": 500.25, "q": -20.5, "s": 501.0, "v": 246.2, "i": 2.04, "pf": 0.99, "f": 50.06}
TOTAL = {"p": 554.995, "q": -175.594, "s": 582.0, "v": 246.2, "i": 2.792, "pf": 0.95, "f": 50.0}
OURS = {
    "power": 54.745, "reactive_power": 155.094, "apparent_power": 185.367, "voltage": 246.186, "current": 0.752,
    "power_factor": 0.31, "frequency": 50.0,
}  # fmt: skip


def make_section(*phases):
    return dict(zip(("ph-a", "ph-b", "ph-c"), [*phases, *[UNUSED] * (3 - len(phases))], strict=True))


def make_event(production=(PRODUCTION,), net=(NET,), total=(TOTAL,), **more):
    sections = {"production": production, "net-consumption": net, "total-consumption": total}
    return {name: make_section(*phases) for name, phases in sections.items()} | more


def make_line(document):
    return b"data: " + json.dumps(document).encode()


def make_meter(measurement, *, enabled=True, phases=1):
    return ConfiguredMeter(len(measurement), measurement, enabled, phases, "three", ())


BOTH = [make_meter("production"), make_meter("net-consumption")]


def list_names(readings):
    return [(reading.meter, reading.phase) for reading in readings]


def test_an_event_in_our_names_without_stamp_or_counters():
    notes = Notes()
    readings = parse_event(make_line(make_event()), BOTH, notes)
    assert readings[0] == MeterValues("production", "a", None, OURS, {})
    assert list_names(readings) == [("production", "a"), ("net-consumption", "a"), ("total-consumption", "a")]
    assert (notes.refused, notes.missing, notes.unknown) == ({}, set(), set())


def test_framing_does_not_matter():
    plain = json.dumps(make_event()).encode()
    expected = parse_event(plain, BOTH)
    for text in (b"data:" + plain, b"data: " + plain + b"\r\n", b"  " + plain + b"\n"):
        assert parse_event(text, BOTH) == expected


@pytest.mark.parametrize("text", [b"", b"\r\n", b": keep-alive", b"event: message", b"id: 7", b"retry: 3000"])
def test_lines_without_data_give_nothing(text):
    assert parse_event(text, BOTH) == []


def test_meters_decide_which_phases_count():
    live = (PRODUCTION, PRODUCTION, PRODUCTION)
    for phases in (1, 2, 3):
        readings = parse_event(make_line(make_event(production=live)), [make_meter("production", phases=phases)])
        assert list_names(readings) == [("production", phase) for phase in "abc"[:phases]]


def test_without_meters_live_voltage_decides():
    ghost = UNUSED | {"v": 11.5, "p": -1.0}
    readings = parse_event(make_line(make_event(production=(PRODUCTION, ghost, PRODUCTION), net=(), total=())), None)
    assert list_names(readings) == [("production", "a"), ("production", "c")]


def test_a_metered_phase_of_zeros_is_there_and_unknown_and_one_that_is_not_metered_is_left_out():
    for phases in (2, 3):
        split = [make_meter("production", phases=phases)]
        readings = parse_event(make_line(make_event(production=(PRODUCTION, PRODUCTION))), split)
        assert [(one.phase, one.values.get("power")) for one in readings] == [
            ("a", 54.745), ("b", 54.745), ("c", None)
        ][:phases]  # fmt: skip


def test_a_phase_that_the_first_event_lacks_is_known_to_be_there():
    first = make_event() | {"production": {"ph-b": PRODUCTION, "ph-c": 7}}
    readings = parse_event(make_line(first), [make_meter("production", phases=3)])
    assert [one.values for one in readings] == [{"frequency": 50.0}, OURS, {"frequency": 50.0}]
    dark = make_event() | {"production": {"ph-b": UNUSED}}
    assert parse_event(make_line(dark), [make_meter("production", phases=3)]) == []


def test_without_a_consumption_meter_the_consumption_sections_are_noise():
    for meters in (
        [make_meter("production")],
        [make_meter("production"), make_meter("net-consumption", enabled=False)],
    ):
        assert list_names(parse_event(make_line(make_event()), meters)) == [("production", "a")]


@pytest.mark.parametrize("kind", ["net-consumption", "total-consumption"])
def test_either_consumption_meter_makes_both_sections_real(kind):
    readings = parse_event(make_line(make_event()), [make_meter(kind), make_meter("production")])
    assert list_names(readings) == [("production", "a"), ("net-consumption", "a"), ("total-consumption", "a")]


@pytest.mark.parametrize("off", [[], [make_meter("production", enabled=False)]])
@pytest.mark.parametrize("kind", ["net-consumption", "total-consumption"])
def test_what_the_gateway_computes_from_a_production_meter_that_is_off_is_left_out(kind, off):
    readings = parse_event(make_line(make_event()), [*off, make_meter(kind)])
    assert list_names(readings) == [(kind, "a")]


def test_a_computed_section_without_the_production_of_others_is_left_out():
    meters = [*BOTH, make_meter("pv3p")]
    assert "total-consumption" not in {reading.meter for reading in parse_event(make_line(make_event()), meters)}


@pytest.mark.parametrize("kind", ["net-consumption", "total-consumption"])
def test_no_wire_carries_the_current_of_a_computed_section(kind):
    values = {
        r.meter: r.values for r in parse_event(make_line(make_event()), [make_meter(kind), make_meter("production")])
    }
    computed = next(name for name in ("net-consumption", "total-consumption") if name != kind)
    assert values[computed].keys() == {"power", "reactive_power", "voltage", "frequency"}
    assert values[kind].keys() == OURS.keys()


def test_a_phase_that_drops_out_is_unknown_and_so_is_what_is_computed_from_it():
    dropped = UNUSED | {"f": 60.0}
    split = [make_meter("production", phases=2), make_meter("net-consumption", phases=2)]
    readings = parse_event(make_line(make_event((dropped, PRODUCTION), (NET, NET), (NET, TOTAL))), split)
    assert {(r.meter, r.phase): r.values.get("power") for r in readings} == {
        ("production", "a"): None, ("production", "b"): 54.745,
        ("net-consumption", "a"): 500.25, ("net-consumption", "b"): 500.25,
        ("total-consumption", "a"): None, ("total-consumption", "b"): 554.995,
    }  # fmt: skip


def test_a_house_of_three_phases_may_have_production_on_one():
    meters = [make_meter("production", phases=1), make_meter("net-consumption", phases=3)]
    readings = parse_event(make_line(make_event((PRODUCTION,), (NET, NET, NET), (TOTAL, NET, NET))), meters)
    totals = [r.values["power"] for r in readings if r.meter == "total-consumption"]
    assert totals == [554.995, 500.25, 500.25]


def test_no_meters_give_no_readings():
    assert parse_event(make_line(make_event()), []) == []


def test_other_sections_count_when_their_meter_does():
    storage = make_event(storage=make_section(PRODUCTION))
    assert ("storage", "a") not in list_names(parse_event(make_line(storage), BOTH))
    assert ("storage", "a") in list_names(parse_event(make_line(storage), [*BOTH, make_meter("storage")]))


def test_unknown_sections_are_noted_and_left_out():
    notes = Notes()
    strange = make_line(make_event(wind=make_section(PRODUCTION), version=2))
    assert parse_event(strange, BOTH, notes) == parse_event(make_line(make_event()), BOTH)
    assert notes.unknown == {"stream.wind", "stream.version"}
    assert parse_event(strange, None) == parse_event(make_line(make_event()), None)


def test_missing_sections_and_phases_are_tolerated():
    assert list_names(parse_event(make_line({"production": {"ph-a": PRODUCTION}}), BOTH)) == [("production", "a")]
    assert parse_event(make_line({}), BOTH) == []


def test_damaged_sections_and_phases_lose_only_themselves():
    notes = Notes()
    damaged = make_event() | {"production": None, "net-consumption": {"ph-a": 7}}
    assert list_names(parse_event(make_line(damaged), BOTH, notes)) == []
    assert notes.refused == {"stream.production": 1, "stream.ph-a": 1}


@pytest.mark.parametrize("bad", [None, "7", True, math.nan, math.inf, 2**80, [1]])
def test_a_bad_value_loses_only_itself(bad):
    notes = Notes()
    readings = parse_event(make_line(make_event(production=(PRODUCTION | {"i": bad},))), BOTH, notes)
    assert readings[0].values == {name: value for name, value in OURS.items() if name != "current"}
    assert notes.refused == {"stream.i": 1}


def test_fields_that_came_or_went_are_noted():
    notes = Notes()
    changed = PRODUCTION | {"thd": 1.0}
    del changed["q"]
    parse_event(make_line(make_event(production=(changed,))), BOTH, notes)
    assert notes.missing == {"stream.q"}
    assert notes.unknown == {"stream.thd"}


def test_negative_zero_is_zero():
    readings = parse_event(make_line(make_event(production=(PRODUCTION | {"p": -0.0},))), BOTH)
    assert str(readings[0].values["power"]) == "0.0"


# The total of 8.3.5433


def test_a_total_that_repeats_the_net_is_computed_instead():
    readings = parse_event(
        make_line(make_event(total=(NET,))), [make_meter("production"), make_meter("total-consumption")]
    )
    assert readings[2].values == {
        "power": 554.995,
        "reactive_power": -175.594,
        "voltage": 246.2,
        "frequency": 50.06,
    }
    assert readings[1].values["power"] == 500.25


def test_the_repair_works_phase_by_phase():
    phases = [make_meter("production", phases=2), make_meter("total-consumption", phases=2)]
    readings = parse_event(
        make_line(make_event(production=(PRODUCTION, PRODUCTION), net=(NET, NET), total=(NET, TOTAL))), phases
    )
    totals = {r.phase: r.values for r in readings if r.meter == "total-consumption"}
    assert totals["a"]["power"] == totals["b"]["power"] == 554.995
    assert "apparent_power" not in totals["a"]
    assert totals["b"]["apparent_power"] == 582.0, "the meter's own"


def test_the_repair_does_not_depend_on_the_order_of_sections():
    reverse = dict(reversed(make_event(total=(NET,)).items()))
    assert parse_event(make_line(reverse), BOTH)[0].values["power"] == 554.995


def test_an_honest_total_is_left_alone():
    measured = [make_meter("production"), make_meter("total-consumption")]
    assert parse_event(make_line(make_event()), measured)[2].values["apparent_power"] == 582.0


@pytest.mark.parametrize("production", [(PRODUCTION | {"p": 0.0},), (PRODUCTION | {"p": -0.0},)])
def test_without_production_net_and_total_are_rightly_equal(production):
    measured = [make_meter("production"), make_meter("total-consumption")]
    readings = parse_event(make_line(make_event(production=production, total=(NET,))), measured)
    assert readings[-1].values["power"] == 500.25
    assert readings[-1].values["apparent_power"] == 501.0


# Damage

WHOLE = make_line(make_event())


@given(st.integers(0, len(WHOLE) - 1))
def test_an_event_cut_anywhere_gives_nothing(length):
    try:
        assert parse_event(WHOLE[:length], None) == []
    except BadReplyError:
        return


@given(st.binary())
def test_garbage_raises_only_the_error_for_it(garbage):
    try:
        parse_event(b"data: " + garbage, None)
    except BadReplyError:
        return


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.dictionaries(
    st.sampled_from(["production", "net-consumption", "total-consumption", "ph-a", "p", "v", "x"]), inner) | st.lists(inner)))  # fmt: skip
def test_events_of_any_shape_give_finite_numbers_or_the_error_for_it(document):
    try:
        readings = parse_event(json.dumps(document).encode(), None)
    except BadReplyError:
        return
    assert all(math.isfinite(value) for reading in readings for value in reading.values.values())


@pytest.mark.parametrize("text", [b"data: []", b"data: 7", b"data: null", b"data: ", b"data: {", b"dat"])
def test_what_is_no_event_is_a_bad_reply(text):
    with pytest.raises(BadReplyError):
        parse_event(text, BOTH)
