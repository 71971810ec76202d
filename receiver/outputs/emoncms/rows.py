"""Rows as EmonCMS takes them. Pure."""

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from receiver.stores.base import SeriesPoints


class EmonRow(NamedTuple):
    """Values of one node at one time.

    Attributes:
        time: Seconds since 1970.
        node: Its name.
        values: By the name of the input; never empty.
    """

    time: int
    node: str
    values: dict[str, float]


def make_slot_rows(node: str, boundaries: Sequence[int], slots: Iterable[dict[str, float]]) -> list[EmonRow]:
    """A row for each slot of which something is known, at its start (`boundaries` are UTC milliseconds)."""
    return [EmonRow(start // 1000, node, values) for start, values in zip(boundaries, slots, strict=False) if values]


def make_panel_rows(node: str, series: Iterable[SeriesPoints]) -> list[EmonRow]:
    """The reports of inverters, each at its own time; ascending."""
    by_time: dict[int, dict[str, float]] = {}
    for one in series:
        serial = one.series.get_tag("inverter")
        for timestamp, fields in one.points:
            for field, end in (("power", "wNow"), ("max_power", "wMax")):
                value = fields.get(field)
                if isinstance(value, float):
                    by_time.setdefault(timestamp // 1000, {})[f"{serial}_{end}"] = value
    return [EmonRow(time, node, values) for time, values in sorted(by_time.items())]


def encode_post(row: EmonRow) -> bytes:
    """The form of `input/post`."""
    return urlencode({"node": row.node, "time": row.time, "fulljson": _write_json(row.values)}).encode()


def encode_bulk(rows: Sequence[EmonRow]) -> bytes:
    """The form of `input/bulk`."""
    return urlencode({"data": _write_json(rows)}).encode()


def _write_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
