"""Tables as people read them: local times beside timestamps, and no more digits than a measurement has. Pure.

JSON is for programs and exact. In tables for people, CSV and Parquet, each instant in milliseconds has the local time
beside it, and numbers are rounded by their unit.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from receiver.calendar.local import to_local
from receiver.stores.kinds import STORED

Row: TypeAlias = Mapping[str, object]
"""One line of a table: column to number, text, truth or None. None and what is absent are empty in CSV."""

LOCAL: Final = "local_"
"""The column with this before its name is the local time of that instant."""
INSTANTS: Final = frozenset({
    "timestamp", "last_timestamp", "start", "stop", "since", "began", "ended", "judged", "unallocated_since",
})  # fmt: skip
"""Columns in milliseconds since 1970."""
_WITHOUT_LOCAL = frozenset({"stop"})
"""The end of a window is the start of the next."""
_DIGITS: Mapping[str, int] = MappingProxyType({
    "Wh": 1, "W": 1, "var": 1, "VA": 1, "V": 2, "A": 3, "Hz": 3, "C": 1, "%": 1, "s": 1, "min": 1, "ms": 0, "B": 0,
    "": 4,
})  # fmt: skip
"""Decimals by unit. Shares, power factors and money, which have none, have four."""
_ENDINGS: Mapping[str, str] = MappingProxyType({"_wh": "Wh", "_w": "W", "_seconds": "s"})
_UNITS: Mapping[str, str] = MappingProxyType({
    name: field.unit for kind in STORED.values() for name, field in kind.fields.items()
})  # fmt: skip
_NO_UNITS: Mapping[str, str] = MappingProxyType({})


class TableColumn(NamedTuple):
    """One column.

    Attributes:
        name: Of it.
        instant: The column whose local time it has, or None.
        decimals: So many are kept of its numbers.
    """

    name: str
    instant: str | None
    decimals: int


class TableForm:
    """The columns of a table, and how its lines are made.

    Args:
        columns: Names; those of local times are added after their instants.
        zone: Whose local times; None: each row has its own `time_zone`.
        units: Of columns whose name does not tell it.
    """

    def __init__(self, columns: Sequence[str], zone: ZoneInfo | None, units: Mapping[str, str] = _NO_UNITS) -> None:
        self.zone = zone
        self.columns = [
            TableColumn(name, _find_instant(name), _DIGITS[units.get(name, find_unit(name))])
            for name in _add_local_columns(columns)
        ]
        self.names = [column.name for column in self.columns]

    def make_line(self, row: Row) -> list[object]:
        """The values of the columns; local times as text (ISO 8601 with the offset from UTC)."""
        zone = self.zone or _find_zone(row.get("time_zone"))
        return [_make_cell(row, column, lambda time: to_local(time, zone).isoformat()) for column in self.columns]

    def make_plain_line(self, row: Row) -> list[object]:
        """As `make_line`, with local times as milliseconds since 1970: for files that know time zones."""
        return [_make_cell(row, column, int) for column in self.columns]


def find_unit(column: str) -> str:
    """The unit of the numbers of a column."""
    ending = next((unit for ending, unit in _ENDINGS.items() if column.endswith(ending)), None)
    return ending or _UNITS.get(column, "")


def _add_local_columns(columns: Sequence[str]) -> list[str]:
    names: list[str] = []
    for name in columns:
        names.append(name)
        if name in INSTANTS - _WITHOUT_LOCAL and LOCAL + name not in columns:
            names.append(LOCAL + name)
    return names


def _find_instant(column: str) -> str | None:
    name = column.removeprefix(LOCAL)
    return name if name != column and name in INSTANTS else None


def _make_cell(row: Row, column: TableColumn, show: Callable[[int], object]) -> object:
    if column.instant is not None:
        time = row.get(column.instant)
        return show(time) if isinstance(time, int) else None
    value = row.get(column.name)
    return round(value, column.decimals) + 0.0 if isinstance(value, float) else value  # + 0.0: no minus before a zero


@lru_cache(maxsize=64)
def _find_zone(name: object) -> ZoneInfo:
    return ZoneInfo(name if isinstance(name, str) else "UTC")
