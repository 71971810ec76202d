"""The simulator's own record of what it really sent, to be compared with what arrived in a store.

An entry is written only after the last byte of its reply has been handed to the operating system.
"""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from simulator.clock import read_real_ms


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One thing that left the device.

    Attributes:
        number: 0 for the first entry of all, then 1, 2, ...
        kind: `stream`, `readings`, `inverters`, `device_data` (measurements), `faulty` (measurements that a fault
            changed), `write` (a document that was put in the place of another), or `request` (one answered request).
        sent_ms: the host's wall time, ms, when the first byte was about to leave.
        time: the device's own clock at that moment, epoch seconds.
        values: for measurements the JSON exactly as sent; for a request `method`, `path`, `status`, `login`;
            for a write `method`, `target`, `content_type`, `body`, as they came.
    """

    number: int
    kind: str
    sent_ms: int
    time: float
    values: Any


class Ledger:
    """Entries in the order they were sent, in memory and, if wanted, in a file of JSON lines.

    Args:
        file: appended to and flushed with every entry, so that it survives a kill of the simulator.
        keep: how many entries stay in memory, the newest; None keeps all. A day of the stream is 86,400.
    """

    def __init__(self, file: Path | None = None, keep: int | None = None) -> None:
        self.entries: deque[LedgerEntry] = deque(maxlen=keep)
        self._count = 0
        self._lines = file.open("a", encoding="utf-8") if file is not None else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[LedgerEntry]:
        return iter(self.entries)

    def list_kind(self, kind: str) -> list[LedgerEntry]:
        """The entries of one kind."""
        return [entry for entry in self.entries if entry.kind == kind]

    def record(self, kind: str, values: Any, *, time: float, sent_ms: int | None = None) -> None:
        """Add an entry; `sent_ms` defaults to now."""
        entry = LedgerEntry(self._count, kind, read_real_ms() if sent_ms is None else sent_ms, time, values)
        self._count += 1
        self.entries.append(entry)
        if self._lines is not None:
            self._lines.write(json.dumps(asdict(entry), separators=(",", ":")) + "\n")
            self._lines.flush()

    def close(self) -> None:
        """Close the file; the entries in memory stay."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None
