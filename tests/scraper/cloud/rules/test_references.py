"""SolarNetwork's value references, source maps and placeholders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.cloud.rules.references import (
    Reference,
    find_source,
    list_references,
    list_sources,
    parse_reference,
    parse_source_map,
)
from scraper.errors import WrongUseError

MAP = {"/12345/inv/sys": "S1/INV", "/12345/met/sys": "S1/GEN"}
SEGMENTS = st.text(st.characters(exclude_characters="/{}", exclude_categories=["C"]), min_size=1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/12345/inv/sys/W", Reference(12345, "inv", "sys", "W")),
        ("/12345/Meter/sys/WhExp", Reference(12345, "met", "sys", "WhExp")),
        ("/12345/INVERTER/7/a/b", Reference(12345, "inv", "7", "a/b")),
        ("/12345/bat/sys/W", None),
        ("/12345/inv/sys", None),
        ("12345/inv/sys/W", None),
    ],
)
def test_a_reference_has_four_levels_and_a_known_type(text, found):
    assert parse_reference(text) == found


def test_a_system_that_is_no_number_is_an_error():
    for text in ("/roof/inv/sys/W", "/{systemId}/inv/sys/W", "/1\u0662/inv/sys/W"):
        with pytest.raises(WrongUseError, match="must be a number"):
            parse_reference(text)


@given(st.integers(0, 10**9), st.sampled_from(["inv", "Inv", "met", "METER"]), SEGMENTS, SEGMENTS)
def test_any_reference_is_taken_apart(system, kind, device, field):
    found = parse_reference(f"/{system}/{kind}/{device}/{field}")
    assert found is not None
    assert (found.system_id, found.device_type, found.device_id, found.field) == (
        system,
        kind[:3].lower(),
        device,
        field,
    )


def test_a_map_may_be_an_object_or_a_text():
    assert parse_source_map(MAP) == MAP
    assert parse_source_map(" /12345/inv/sys = S1/INV ,nonsense, /12345/met/sys=S1/GEN") == MAP
    assert parse_source_map("/1/inv/sys=a=b") == {"/1/inv/sys": "a=b"}
    assert parse_source_map({"/1/Inverter/sys": "a"}) == {"/1/inv/sys": "a"}
    assert parse_source_map(None) is parse_source_map("") is parse_source_map({}) is None
    with pytest.raises(WrongUseError, match="sourceIdMap"):
        parse_source_map(["a"])


def test_each_device_of_the_map_fills_the_placeholders_once():
    assert list(list_references("/{systemId}/inv/sys/W", {}, MAP)) == [Reference(12345, "inv", "sys", "W")]
    both = {"/1/inv/sys": "a", "/2/inv/sys": "b"}
    expanded = list_references("/{systemId}/inv/{deviceId}/{what}", {"what": "W", "systemId": "9"}, both)
    assert list(expanded) == [Reference(1, "inv", "sys", "W"), Reference(2, "inv", "sys", "W")]
    assert list(list_references("/{systemId}/inv/sys/W", {"systemId": "9"}, None)) == [Reference(9, "inv", "sys", "W")]


def test_only_what_is_in_the_map_has_a_source():
    inverters, meters = Reference(12345, "inv", "sys", "W"), Reference(12346, "met", "sys", "W")
    assert find_source(inverters, MAP, source_id="x", upper_case=True) == "S1/INV"
    assert find_source(meters, MAP, source_id="x", upper_case=False) is None
    assert list_sources(MAP, "x") == ("S1/INV", "S1/GEN")


def test_without_a_map_each_device_has_a_source_of_its_own():
    reference = Reference(12345, "inv", "sys", "W")
    assert find_source(reference, None, source_id="home/pv", upper_case=False) == "home/pv/12345/inv/sys"
    assert find_source(reference, None, source_id="home/pv", upper_case=True) == "HOME/PV/12345/INV/SYS"
    assert list_sources(None, "home/pv") == ("home/pv",)
