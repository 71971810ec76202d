"""A pasted table (from a spreadsheet, or CSV) taken for words on panels. Pure."""

import csv
import io

from receiver.sites.layouts.words import LayoutError, PastedPanels, PastedWords, check_words

COLUMNS = ("serial", "name", "array", "row", "column", "azimuth", "tilt")
"""The order of the columns where no heading says another one."""
_OTHER_NAMES = {"inverter": "serial"}
_WHOLE = ("row", "column")
_DEGREES = ("azimuth", "tilt")
_MOST = 5000


def parse_table(text: str) -> PastedPanels:
    """What the table says, one panel a line. Raises LayoutError.

    Cells are parted by tabs, semicolons or commas, whichever stands first. A line of headings may come first. An empty
    cell says nothing of its panel.
    """
    parting = next((sign for sign in "\t;," if sign in text.partition("\n")[0]), ",")
    try:
        lines = [line for line in csv.reader(io.StringIO(text), delimiter=parting, strict=True) if any(line)]
    except csv.Error as error:
        raise LayoutError("its quotation marks do not close: remove them, or close them") from error
    if not lines:
        raise LayoutError("it has no panels")
    columns = list(COLUMNS)
    first = [_OTHER_NAMES.get(cell.strip().lower(), cell.strip().lower()) for cell in lines[0]]
    if "serial" in first:
        if unknown := [number for number, name in enumerate(first, 1) if name not in COLUMNS]:
            raise LayoutError(f"heading {unknown[0]} is not known here: there are {', '.join(COLUMNS)}")
        if len(set(first)) < len(first):
            raise LayoutError("two headings are the same: keep one of the two")
        columns, lines = first, lines[1:]
    if len(lines) > _MOST:
        raise LayoutError(f"it has more than {_MOST} lines; is it the right table?")
    panels: dict[str, PastedWords] = {}
    for number, line in enumerate(lines, 1):
        serial, words = _read_line(number, line, columns)
        if serial in panels:
            raise LayoutError(f"panel {number}: its serial stands there for the second time")
        panels[serial] = words
    if not panels:
        raise LayoutError("it has headings and no panels")
    return check_words(panels)


def _read_line(number: int, line: list[str], columns: list[str]) -> tuple[str, PastedWords]:
    if len(line) > len(columns):
        raise LayoutError(f"panel {number}: it has more than the {len(columns)} cells {', '.join(columns)}")
    cells = {name: cell.strip() for name, cell in zip(columns, line, strict=False) if cell.strip()}
    serial = cells.pop("serial", "")
    if not serial:
        raise LayoutError(f"panel {number}: its serial is missing")
    words: PastedWords = {}
    for name, cell in cells.items():
        words[name] = _read_number(number, name, cell) if name in (*_WHOLE, *_DEGREES) else cell
    return serial, words


def _read_number(number: int, name: str, cell: str) -> int | float:
    try:
        value = float(cell)
    except ValueError:
        value = float("nan")
    if not abs(value) <= _MOST or (name in _WHOLE and value != int(value)):
        kind = "a whole number" if name in _WHOLE else "a number of degrees"
        raise LayoutError(f"panel {number}: {name} must be {kind}")
    return int(value) if value == int(value) else value
