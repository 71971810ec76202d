"""What an import did, told in sentences. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from shared.readings import Reading

STORED = "already stored"
MEASURED = "another value was measured for that time, and stays"
IMPORTED = "another energy was imported for that time before, and stays"


class Skipped(NamedTuple):
    """A row that is not taken.

    Attributes:
        reason: Why, in words for people.
        line: Where it stands in the file; None where that says nothing.
    """

    reason: str
    line: int | None = None


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
        lines: Of each reason the first line, where rows have lines.
        remarks: What was left out of rows that were taken, and of how many.
        times: How the times of the file were read; None where they are instants.
    """

    rows: int = 0
    taken: int = 0
    first: int | None = None
    last: int | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    lines: dict[str, int] = field(default_factory=dict)
    remarks: Counter[str] = field(default_factory=Counter)
    times: str | None = None

    def skip(self, skipped: Skipped) -> None:
        """Count a row that is not taken."""
        self.skipped[skipped.reason] += 1
        if skipped.line is not None:
            self.lines.setdefault(skipped.reason, skipped.line)

    def take(self, timestamp: int) -> None:
        """Count a row that was written."""
        self.taken += 1
        self.first = timestamp if self.first is None else min(self.first, timestamp)
        self.last = timestamp if self.last is None else max(self.last, timestamp)

    def describe(self, *, dry_run: bool) -> Iterator[str]:
        """Sentences for people: rows, range, skipped and why."""
        verb = "would be written" if dry_run else "written"
        yield f"{self.rows} rows read, {self.taken} {verb}"
        if self.times is not None:
            yield self.times
        if self.first is not None and self.last is not None:
            yield f"from {format_time(self.first)} to {format_time(self.last)}"
        for remark, count in sorted(self.remarks.items()):
            yield f"{count} of them without {remark}"
        for reason, count in sorted(self.skipped.items()):
            where = f" (first in line {self.lines[reason]})" if reason in self.lines else ""
            yield f"{count} skipped: {reason}{where}"
        if self.taken and not dry_run:
            yield "start the receiver now: it computes energies and roll-ups of these times"


def format_time(ms: int) -> str:
    """An instant for people."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
