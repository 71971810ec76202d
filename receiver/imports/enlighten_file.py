"""One report of Enlighten from its file: read to see how it writes times and numbers, and once more for its rows."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from receiver.errors import ReceiverSettingError
from receiver.imports.csv_file import find_delimiter, read_rows
from receiver.imports.formats.decimal_marks import DecimalMark, choose_mark
from receiver.imports.formats.enlighten import DAY, EnergyColumn, EnlightenReader, find_columns, is_row
from receiver.imports.formats.enlighten_times import DateOrder, read_survey
from receiver.imports.formats.summary import ImportedRow, Skipped

_UNUSED = ZoneInfo("UTC")
"""Of times that all have offsets."""


class LocalZone(NamedTuple):
    """The time zone of a report's local times, and who says it, for people."""

    zone: ZoneInfo
    whence: str


class EnergyReport(NamedTuple):
    """The rows of a report as readings of `imported_energy`, and how it is read, for people."""

    rows: Iterator[ImportedRow]
    times: str


def read_report(path: Path, *, zone: LocalZone | None, order: DateOrder | None, now_ms: int) -> EnergyReport:
    """Read a report.

    Args:
        path: The file.
        zone: The site's time zone; None: nobody has said it.
        order: Of its dates; None: the file tells.
        now_ms: Wall time, milliseconds since 1970.

    Raises:
        ReceiverSettingError: The file is no report, or does not say how its times are written; a sentence with the
            remedy.
    """
    try:
        header = next(read_rows(path), (1, []))[1]
        columns = find_columns(header)
        survey = read_survey(cells[0] for _, cells in _list_rows(path))
        chosen = order or survey.choose_order()
        step = survey.find_step(chosen)
        # In the page's own files, which have commas between columns, a comma in a number is one of thousands.
        presumed = DecimalMark.POINT if find_delimiter(path) == "," else None
        mark = choose_mark(_list_numbers(path, columns), presumed=presumed)
    except ReceiverSettingError as error:
        raise ReceiverSettingError(f"{path}: {error}") from error
    needs_zone = survey.has_local or step == DAY
    if zone is None and needs_zone:
        raise ReceiverSettingError(
            f"{path}: its times are local ones, and neither the sites file nor the gateway says of which zone: add "
            "--time-zone, e.g. --time-zone Europe/Berlin"
        )
    reader = EnlightenReader(columns, chosen, step, _UNUSED if zone is None else zone.zone, now_ms, mark)
    local = f"local times of {zone.zone.key} ({zone.whence})" if zone and needs_zone else "times with offsets"
    dates = f", dates with the {chosen.replace('-', ' ')}" if survey.has_numbers else ""
    decimals = ", decimals with a comma" if mark is DecimalMark.COMMA else ""
    rows = (_read_row(reader, len(header), line, cells) for line, cells in _list_rows(path))
    return EnergyReport(rows, f"read as {local}{dates}{decimals}")


def _read_row(reader: EnlightenReader, width: int, line: int, cells: Sequence[str]) -> ImportedRow:
    if any(cell.strip() for cell in cells[width:]):  # 0,234 without quotes is two values, and both are wrong
        return Skipped("more values than columns: use a point for decimals, and none for thousands", line)
    return reader.read_row(line, cells)


def _list_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    return ((line, cells) for line, cells in read_rows(path) if line > 1 and is_row(cells))


def _list_numbers(path: Path, columns: Sequence[EnergyColumn]) -> Iterator[tuple[int, str]]:
    """The cells of energies, with their lines."""
    return (
        (line, cells[column.place].strip())
        for line, cells in _list_rows(path)
        for column in columns
        if column.place < len(cells)
    )
