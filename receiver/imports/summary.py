"""What an import did, told in sentences. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from shared.readings import Reading

STORED = "already stored"
MEASURED = "another value was measured for that time, and stays"


class Skipped(NamedTuple):
    """A row that is not taken, and why, in words for people."""

    reason: str


ImportedRow = Reading | Skipped


@dataclass
class ImportSummary:
    """What became of every row of a file.

    Attributes:
        rows: Rows that were read.
        taken: Rows of which something was written (or would be, in a dry run).
        first: The earliest time of those, milliseconds since 1970; None: none was taken.
        last: The latest.
        skipped: Reasons, and how many rows each cost.
    """

    rows: int = 0
    taken: int = 0
    first: int | None = None
    last: int | None = None
    skipped: Counter[str] = field(default_factory=Counter)

    def take(self, timestamp: int) -> None:
        """Count a row that was written."""
        self.taken += 1
        self.first = timestamp if self.first is None else min(self.first, timestamp)
        self.last = timestamp if self.last is None else max(self.last, timestamp)

    def describe(self, *, dry_run: bool) -> Iterator[str]:
        """Sentences for people: rows, range, skipped and why."""
        verb = "would be written" if dry_run else "written"
        yield f"{self.rows} rows read, {self.taken} {verb}"
        if self.first is not None and self.last is not None:
            yield f"from {_format_time(self.first)} to {_format_time(self.last)}"
        for reason, count in sorted(self.skipped.items()):
            yield f"{count} skipped: {reason}"
        if self.taken and not dry_run:
            yield "start the receiver now: it computes energies and roll-ups of these times"


def _format_time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
