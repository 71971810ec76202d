"""Tables as Parquet, row group by row group, so that a long one is never in memory whole.

Parquet takes pyarrow, which is large for a small machine: the extra `parquet` of the package installs it. Local times
are timestamps with their time zone, numbers are rounded as in CSV.
"""

import importlib
import importlib.util
import io
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from receiver.api.tables import INSTANTS, Row, TableColumn, TableForm
from receiver.queries.refusals import make_refusal
from shared.fields import KINDS

PARQUET: Final = "application/vnd.apache.parquet"
_TRUTHS = frozenset({"in_progress"})
_COUNTS = frozenset({"resets"})
_TEXTS = frozenset({"name", "panel", "array", *(tag for kind in KINDS.values() for tag in kind.tags)})


def check_parquet() -> None:
    """Raises RefusedError where pyarrow is not installed."""
    if not has_parquet():
        raise make_refusal(
            "format",
            "parquet needs pyarrow, which this receiver does not have: install envoy-relay[receiver,parquet] or choose "
            "csv",
        )


@cache
def has_parquet() -> bool:
    """Whether pyarrow is installed."""
    return importlib.util.find_spec("pyarrow") is not None


class ParquetPieces:
    """Writes a table.

    Args:
        form: Its columns; its zone is that of all local times.
        about: What the file says of itself, by name.
    """

    def __init__(self, form: TableForm, about: dict[str, str]) -> None:
        self._arrow: Any = importlib.import_module("pyarrow")  # it comes without types
        parquet: Any = importlib.import_module("pyarrow.parquet")
        self._form = form
        zone = form.zone.key if form.zone else "UTC"
        fields = [(column.name, self._choose_type(column, zone)) for column in form.columns]
        self._schema = self._arrow.schema(fields, metadata=about)
        self._sink = _Sink()
        self._writer = parquet.ParquetWriter(self._sink, self._schema, compression="zstd")

    def encode(self, rows: Iterable[Row]) -> bytes:
        """The bytes of one row group."""
        lines = [self._form.make_plain_line(row) for row in rows]
        if lines:
            columns = [
                self._arrow.array(values, type=field.type)
                for values, field in zip(zip(*lines, strict=True), self._schema, strict=True)
            ]
            self._writer.write_table(self._arrow.table(columns, schema=self._schema))
        return self._sink.take()

    def finish(self) -> bytes:
        """The last bytes of the file."""
        self._writer.close()
        return self._sink.take()

    def _choose_type(self, column: TableColumn, zone: str) -> Any:
        if column.instant is not None:
            return self._arrow.timestamp("ms", tz=zone)
        if column.name in INSTANTS | _COUNTS:
            return self._arrow.int64()
        if column.name in _TRUTHS:
            return self._arrow.bool_()
        return self._arrow.string() if column.name in _TEXTS else self._arrow.float64()


class _Sink(io.BytesIO):
    """A file that is taken away while it is written."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._length = 0

    def write(self, data: Any) -> int:
        """As files do."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._length += len(piece)
        return len(piece)

    def tell(self) -> int:
        """As files do."""
        return self._length

    def take(self) -> bytes:
        """What was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
