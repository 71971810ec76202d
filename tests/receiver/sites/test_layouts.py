"""Enlighten's array layout and tables taken for words on panels: by rows and columns, or refused by the field."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.sites.layouts import LayoutError, parse_layout


def make_module(serial: str, x: float, y: float) -> dict[str, Any]:
    """As owners have shown it: much of it means nothing here."""
    inverter = {"inverter_id": 123953859, "serial_num": serial}
    return {"module_id": 99515279, "rotation": 0, "x": x, "y": y, "inverter": inverter}


def make_layout(*arrays: dict[str, Any]) -> str:
    dimensions = {"x_min": -26, "x_max": 1120, "y_min": -56, "y_max": 918}
    return json.dumps({"system_id": 6277207, "rotation": 0, "dimensions": dimensions, "arrays": list(arrays)})


def make_array(label: str, *modules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"array_id": 8950494, "label": label, "x": 183, "y": 357, "azimuth": 270, "modules": list(modules), **more}


def test_modules_lie_in_rows_and_columns_of_their_array():
    """Portrait modules drawn by hand, not quite in line, with a chimney in the first row."""
    east = [("1", 100, 50), ("2", 303, 52), ("3", 98, 220), ("4", 201, 223), ("5", 300, 219)]
    text = make_layout(
        make_array("East", *(make_module(*each) for each in east), azimuth=90, tilt=30.5),
        make_array("West", make_module("6", 0, 0)),
    )
    panels = parse_layout(text)
    places = {serial: (words["array"], words["row"], words["column"]) for serial, words in panels.items()}
    assert places == {
        "1": ("East", 1, 1), "2": ("East", 1, 3), "3": ("East", 2, 1), "4": ("East", 2, 2), "5": ("East", 2, 3),
        "6": ("West", 1, 1),
    }  # fmt: skip
    assert (panels["1"]["azimuth"], panels["1"]["tilt"]) == (90, 30.5)
    assert panels["6"] == {"array": "West", "row": 1, "column": 1, "azimuth": 270}
    assert parse_layout(json.dumps(json.loads(text)["arrays"])) == panels


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ("{}", "the document: object missing required field `arrays`"),
        ('{"arrays": []}', "arrays: expected `array` of length >= 1"),
        (make_layout(make_array("")), "arrays[0].label: expected `str` of length >= 1"),
        (make_layout(make_array("East", {"x": 1, "y": 2})), "arrays[0].modules[0]: object missing required field"),
        (
            make_layout(make_array("East", {**make_module("1", 1, 2), "inverter": None})),
            "arrays[0].modules[0].inverter: expected `object`, got `null`",
        ),
        (make_layout(make_array("East", make_module("1", "canary", 2))), "arrays[0].modules[0].x: expected `float`"),  # type: ignore[arg-type]
        (make_layout(make_array("East", azimuth=400)), "arrays[0].azimuth: expected `float` <= 360"),
        (make_layout(make_array("East")), "arrays: none of them has modules"),
        (make_layout(make_array("East"), make_array("East")), "arrays: two of them have the same label"),
        (
            make_layout(make_array("A", make_module("1", 1, 2)), make_array("B", make_module("1", 1, 2))),
            "arrays[1].modules: an inverter stands there for the second time",
        ),
        (
            make_layout(make_array("A", *(make_module(str(n), 97 * n, n * n * 31) for n in range(9)))),
            "arrays[0].modules: x and y do not lie in rows and columns; place them by hand",
        ),
        (
            make_layout(make_array("A", make_module("1", 5, 5), make_module("2", 5, 5))),
            "1 and 2 have the same place",
        ),
        ('{"arrays": [', "it begins like JSON and is none, or is not whole"),
        ('{"arrays": 1, "arrays": 2}', "arrays: expected `array`"),
        ("", "it is empty"),
    ],
)
def test_what_is_not_known_is_refused_by_its_field(layout: str, said: str):
    with pytest.raises(LayoutError) as refused:
        parse_layout(layout)
    assert said in str(refused.value) or said.replace("1 and 2", "2 and 1") in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("parting", ["\t", ";", ","])
def test_a_table_of_a_spreadsheet(parting: str):
    lines = [["1", "East 1", "East", "1", "2", "90", "30.5"], ["2", "East 2", "", "", ""]]
    wanted = {
        "1": {"name": "East 1", "array": "East", "row": 1, "column": 2, "azimuth": 90, "tilt": 30.5},
        "2": {"name": "East 2"},
    }
    assert parse_layout("\n".join(parting.join(line) for line in lines)) == wanted
    named = [["Column", "row", "Serial"], ["2", "1", "7"], []]
    assert parse_layout("\r\n".join(parting.join(line) for line in named)) == {"7": {"row": 1, "column": 2}}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("serial,colour\n1,red", "heading 2 is not known here: there are serial, name, array, row, column"),
        ("serial,row,row\n1,1,1", "two headings are the same"),
        ("serial,name", "it has headings and no panels"),
        (",East 1", "panel 1: its serial is missing"),
        ("1,A\n1,B", "panel 2: its serial stands there for the second time"),
        ("1,A,East,canary,2", "panel 1: row must be a whole number"),
        ("1,A,East,1.5,2", "panel 1: row must be a whole number"),
        ("1,A,East,1,2,nan", "panel 1: azimuth must be a number of degrees"),
        ("1,A,East,1,2,361", "panel 1: azimuth must be degrees from 0 to 360"),
        ("1,A,East,1", "1 needs both row and column, or neither"),
        ("1,A,East,1,2,3,4,5", "panel 1: it has more than the 7 cells"),
        ('1,"A', "its quotation marks do not close"),
        ("a b,A", "panel 1: its serial must be a name as the readings have it"),
    ],
)
def test_a_wrong_table_is_refused_by_its_line(table: str, said: str):
    with pytest.raises(LayoutError) as refused:
        parse_layout(table)
    assert said in str(refused.value)


@given(st.text(max_size=60) | st.text(alphabet='[{"}]:,1x \n', max_size=60))
def test_no_text_at_all_is_an_unexpected_error(text: str):
    try:
        parse_layout(text)
    except LayoutError:
        return
