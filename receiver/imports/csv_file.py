"""Files of comma-separated values, plain or packed by gzip, row by row: a report of years needs no memory."""

import csv
from collections.abc import Iterator
from pathlib import Path

from receiver.errors import ReceiverSettingError
from receiver.imports.lines_file import read_lines


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Its rows with the numbers of their lines. Raises ReceiverSettingError with a sentence for what cannot be read."""
    try:
        lines = iter(read_lines(path))
        header = next(lines, "").removeprefix("\ufeff")
        delimiter = _choose_delimiter(header)
        yield 1, next(csv.reader([header], delimiter=delimiter), [])
        for number, line in enumerate(lines, start=2):
            yield number, next(csv.reader([line], delimiter=delimiter), [])
    except (ValueError, csv.Error) as error:
        raise ReceiverSettingError(f"{error}") from error


def find_delimiter(path: Path) -> str:
    """What stands between its columns: a comma, or a semicolon as in countries of the decimal comma.

    Raises ReceiverSettingError as `read_rows`.
    """
    try:
        return _choose_delimiter(next(read_lines(path), ""))
    except ValueError as error:
        raise ReceiverSettingError(f"{error}") from error


def _choose_delimiter(header: str) -> str:
    return ";" if header.count(";") > header.count(",") else ","
