"""Enlighten's array layout (`array_layout_x.json`), taken for words on panels. Pure.

Enphase does not publish the form. What is read here is what owners have shown of the answer that
their browser gets: `arrays`, each with `label`,
`azimuth`, at times `tilt`, and `modules`, each with `x`, `y` and `inverter.serial_num`. x grows to the right and y
downwards, as the page draws them. Everything else in it (ids, dimensions, rotation of the drawing) is left aside; where
one of these has another form the whole layout is refused, for a place that is guessed is worse than none.
"""

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

from receiver.sites.layouts.words import LayoutError, PastedPanels, PastedWords, check_words
from receiver.strict_json import refuse_duplicates

_SAME_LINE = 0.4
"""Modules whose coordinate differs by less than this part of the distance between neighbours are in one line."""
_SCATTERED = 6
"""More cells than this many times the modules: they lie in no rows and columns."""
_FEW = 4
_PATH = re.compile(r" - at `\$\.?(.*)`$")
_Label = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class EnlightenInverter(msgspec.Struct):
    """The inverter of a module."""

    serial_num: str


class EnlightenModule(msgspec.Struct):
    """One panel, somewhere in the drawing of its array."""

    x: float
    y: float
    inverter: EnlightenInverter


class EnlightenArray(msgspec.Struct):
    """Panels that face one way."""

    label: _Label
    modules: Annotated[list[EnlightenModule], msgspec.Meta(max_length=1000)]
    azimuth: Annotated[float, msgspec.Meta(ge=0, le=360)] | None = None
    tilt: Annotated[float, msgspec.Meta(ge=0, le=90)] | None = None


class EnlightenLayout(msgspec.Struct):
    """The whole document."""

    arrays: Annotated[list[EnlightenArray], msgspec.Meta(min_length=1)]


def parse_enlighten(text: str) -> PastedPanels:
    """What the layout says; the document, or its `arrays` alone. Raises LayoutError."""
    data = text.encode()
    try:
        if text.startswith("["):
            arrays = msgspec.json.decode(data, type=list[EnlightenArray])
        else:
            arrays = msgspec.json.decode(data, type=EnlightenLayout).arrays
        refuse_duplicates(data)
    except msgspec.ValidationError as error:
        raise LayoutError(_explain(str(error))) from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise LayoutError("it begins like JSON and is none, or is not whole: copy the whole answer again") from error
    labels = [array.label for array in arrays]
    if len(set(labels)) < len(labels):
        raise LayoutError("arrays: two of them have the same label; give one another label and try again")
    panels: dict[str, PastedWords] = {}
    for number, array in enumerate(arrays):
        for serial, words in _place(number, array).items():
            if serial in panels:
                raise LayoutError(f"arrays[{number}].modules: an inverter stands there for the second time")
            panels[serial] = words
    if not panels:
        raise LayoutError("arrays: none of them has modules")
    return check_words(panels)


def _place(number: int, array: EnlightenArray) -> PastedPanels:
    """The panels of one array by rows and columns. Raises LayoutError."""
    modules = array.modules
    pitch = _find_pitch(modules)
    rows = _find_lines([module.y for module in modules], pitch * _SAME_LINE)
    columns = _find_lines([module.x for module in modules], pitch * _SAME_LINE)
    if len(modules) > _FEW and max(rows) * max(columns) > _SCATTERED * len(modules):
        raise LayoutError(f"arrays[{number}].modules: x and y do not lie in rows and columns; place them by hand")
    panels: dict[str, PastedWords] = {}
    for module, row, column in zip(modules, rows, columns, strict=True):
        serial = module.inverter.serial_num
        if serial in panels:
            raise LayoutError(f"arrays[{number}].modules: an inverter stands there for the second time")
        panels[serial] = {"array": array.label, "row": row, "column": column}
        for name, value in (("azimuth", array.azimuth), ("tilt", array.tilt)):
            if value is not None:
                panels[serial][name] = value
    return panels


def _find_pitch(modules: Sequence[EnlightenModule]) -> float:
    """How far the nearest two modules are from each other, along the axis on which they are further apart."""
    distances = [
        max(abs(one.x - other.x), abs(one.y - other.y)) for i, one in enumerate(modules) for other in modules[:i]
    ]
    return min(distances, default=1.0)


def _find_lines(places: Sequence[float], tolerance: float) -> list[int]:
    """For each place the number of its row or column, from 1."""
    numbers: dict[float, int] = {}
    line, begun = 0, 0.0
    for place in sorted(set(places)):
        if line == 0 or place - begun > tolerance:
            line, begun = line + 1, place
        numbers[place] = line
    return [numbers[place] for place in places]


def _explain(message: str) -> str:
    """A sentence that names the field, from what the decoder says; it quotes names and rules, never a value."""
    path = _PATH.search(message)
    rule = _PATH.sub("", message)
    where = (path[1] if path else "") or "the document"
    return f"{where}: {rule[:1].lower()}{rule[1:]}; this is not the array layout that is known here"
