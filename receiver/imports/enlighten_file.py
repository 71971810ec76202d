"""One report of Enlighten from its file: read once to see how it writes times, and once more for its rows."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from receiver.errors import ReceiverSettingError
from receiver.imports.csv_file import read_rows
from receiver.imports.formats.enlighten import EnlightenReader, find_columns, is_row
from receiver.imports.formats.enlighten_times import DateOrder, read_survey
from receiver.imports.formats.summary import ImportedRow


def read_report(path: Path, *, zone: ZoneInfo, order: DateOrder | None, now_ms: int) -> Iterator[ImportedRow]:
    """The rows of a report as readings of `imported_energy`.

    Args:
        path: The file.
        zone: The site's time zone.
        order: Of its dates; None: the file tells.
        now_ms: Wall time, milliseconds since 1970.

    Raises:
        ReceiverSettingError: The file is no report, or does not say how its times are written; a sentence with the
            remedy.
    """
    try:
        columns = find_columns(next(read_rows(path), (1, []))[1])
        survey = read_survey(cells[0] for _, cells in _list_rows(path))
        chosen = order or survey.choose_order()
        reader = EnlightenReader(columns, chosen, survey.find_step(chosen), zone, now_ms)
    except ReceiverSettingError as error:
        raise ReceiverSettingError(f"{path}: {error}") from error
    return (reader.read_row(line, cells) for line, cells in _list_rows(path))


def _list_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    return ((line, cells) for line, cells in read_rows(path) if line > 1 and is_row(cells))
