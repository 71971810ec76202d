"""The reports of Enlighten: energies of quarter hours, hours or days as the manufacturer's cloud counted them. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from receiver.calendar.local import to_ms
from receiver.errors import ReceiverSettingError
from receiver.imports.formats.decimal_marks import DecimalMark, read_decimal
from receiver.imports.formats.enlighten_times import DateOrder, read_time
from receiver.imports.formats.local_clock import LocalClock
from receiver.imports.formats.summary import ImportedRow, Skipped
from receiver.rollups.taken_over import is_of_quarters
from shared import wire
from shared.fields import KINDS
from shared.readings import FieldValue, Reading

SOURCE = "enlighten"
TIME_COLUMN = "date/time"
_KIND = "imported_energy"
_COLUMNS = {
    "energy produced": "production",
    "energy delivered": "production",
    "energy consumed": "load",
    "exported to grid": "exported",
    "imported from grid": "imported",
    "stored in batteries": "charged",
    "discharged from batteries": "discharged",
}
"""Its names in the English page, without their units, and ours."""
_UNITS = {"wh": 1.0, "kwh": 1e3, "mwh": 1e6}
_HEADING = re.compile(r"(?P<name>.*?)\s*\((?P<unit>[a-z]+)\)")
_UNKNOWN = frozenset({"", "-", "--", "n/a", "na", "null"})
_TOTAL = "total"
DAY = timedelta(days=1)


class EnergyColumn(NamedTuple):
    """One column of a report.

    Attributes:
        place: Where it stands.
        heading: As it is written.
        quantity: Our name.
        factor: Wh of one unit.
    """

    place: int
    heading: str
    quantity: str
    factor: float


def find_columns(header: Sequence[str]) -> list[EnergyColumn]:
    """The columns of energies. Raises ReceiverSettingError with a sentence if this is no header of a report."""
    headings = [cell.strip() for cell in header]
    if not headings or headings[0].lower() != TIME_COLUMN:
        raise ReceiverSettingError(
            "line 1 is no header of an Enlighten report, which begins with Date/Time: set the language of the "
            "Enlighten page to English, and export the report again"
        )
    columns: list[EnergyColumn] = []
    for index, heading in enumerate(headings[1:], start=1):
        found = _HEADING.fullmatch(heading.lower())
        quantity = _COLUMNS.get(found["name"]) if found else None
        if found is None or quantity is None:
            continue
        if found["unit"] not in _UNITS:
            raise ReceiverSettingError(f"line 1, column {index + 1}: the unit is none of Wh, kWh and MWh")
        if any(column.quantity == quantity for column in columns):
            raise ReceiverSettingError(f"line 1, column {index + 1}: a second column of {quantity}")
        columns.append(EnergyColumn(index, heading, quantity, _UNITS[found["unit"]]))
    if not columns:
        raise ReceiverSettingError(
            "line 1 names no energy that is known, e.g. Energy Produced (Wh): set the language of the Enlighten page "
            "to English, and export the report again"
        )
    return columns


def is_row(cells: Sequence[str]) -> bool:
    """Whether a line has a row, and neither nothing nor the sums below the rows."""
    return any(cell.strip() for cell in cells) and not cells[0].strip().lower().startswith(_TOTAL)


class EnlightenReader:
    """Reads the rows of one report, in their order.

    Args:
        columns: From `find_columns`.
        order: Of its dates.
        step: The length of its windows.
        zone: The site's, for times without an offset.
        now_ms: Wall time, milliseconds since 1970.
        mark: Of its decimals.
    """

    def __init__(
        self,
        columns: Sequence[EnergyColumn],
        order: DateOrder,
        step: timedelta,
        zone: ZoneInfo,
        now_ms: int,
        mark: DecimalMark,
    ) -> None:
        self._columns = columns
        self._mark = mark
        self._order = order
        self._step = step
        self._clock = LocalClock(zone)
        self._now_ms = now_ms

    def read_row(self, line: int, cells: Sequence[str]) -> ImportedRow:
        """One row as a reading of `imported_energy`, or why it is none."""
        moment = read_time(cells[0], self._order)
        if moment is None:
            return Skipped(f"no time in column Date/Time with the {self._order.replace('-', ' ')}", line)
        window = self._find_window(moment)
        if isinstance(window, Skipped):
            return window._replace(line=line)
        fields: dict[str, FieldValue] = {}
        for column in self._columns:
            text = cells[column.place].strip() if column.place < len(cells) else ""
            energy = _read_energy(text, column, self._mark)
            if isinstance(energy, Skipped):
                return energy._replace(line=line)
            if energy is not None:
                fields[column.quantity] = energy
        if not fields:
            return Skipped("no energies", line)
        start, stop = window
        return Reading(_KIND, {"source": SOURCE}, start, {**fields, "duration": (stop - start) / 1000})

    def _find_window(self, moment: datetime) -> tuple[int, int] | Skipped:
        is_day = self._step == DAY
        if is_day and moment.tzinfo is None:
            start, stop = self._clock.find_day(moment)
        else:
            found = self._clock.find_instant(moment) if moment.tzinfo is None else to_ms(moment)
            if isinstance(found, Skipped):
                return found
            start = found
            stop = self._clock.find_end_of_day(start) if is_day else start + round(self._step.total_seconds() * 1000)
        if not wire.EARLIEST_MS <= start < stop <= self._now_ms:
            return Skipped("a time before 2000, or one that is not over yet")
        if not is_of_quarters(start, stop - start):
            return Skipped("a window that does not begin with a quarter hour")
        return start, stop


def _read_energy(text: str, column: EnergyColumn, mark: DecimalMark) -> float | Skipped | None:
    """Wh of a cell; None where it says nothing."""
    if text.lower() in _UNKNOWN:
        return None
    number = read_decimal(text, mark)
    if number is None:
        return Skipped(f"no number in column {column.heading}: use a {mark} for decimals")
    energy = number * column.factor
    if not 0 <= energy <= KINDS[_KIND].fields[column.quantity].largest:
        return Skipped(f"an energy that is none in column {column.heading}")
    return energy
