"""What is to be rolled up of one gateway: its quarter hours, and the pieces that they make. No disk, no store."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from receiver.ingest.journal import RollupState
from shared.units import QUARTER_MS

_SETTLED_MS = 2 * QUARTER_MS
"""How long after its start a quarter is expected to get live readings: inverters report up to a quarter hour late."""


@dataclass
class GatewayMarks:
    """What is to be done for one gateway. Quarters are their starts, milliseconds since 1970.

    Attributes:
        state: What the journal says of it; None: nothing, so all of it is to be computed.
        in_journal: Quarters that are in the journal.
        told: Those of them whose readings the reader of the journal has heard of.
        fresh: Quarters with readings that no roll-up has seen.
        hours_due: Quarters whose hours and days are still to follow.
        failed: Quarters that could not be computed, set aside for a while.
        writing: Quarters of writes under way, and how many.
    """

    state: RollupState | None = None
    in_journal: set[int] = field(default_factory=set)
    told: set[int] = field(default_factory=set)
    fresh: set[int] = field(default_factory=set)
    hours_due: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    writing: Counter[int] = field(default_factory=Counter)

    @property
    def has_history(self) -> bool:
        """Whether a history is to be computed."""
        return self.state is None or self.state.backfill_until is not None

    @property
    def waiting(self) -> set[int]:
        """Every quarter that is not fully rolled up."""
        return self.fresh | self.hours_due | self.failed

    def list_unsettled(self, start: int, stop: int) -> list[tuple[int, int]]:
        """The time in [start, stop) (UTC milliseconds) whose roll-ups may still change, in order, without overlap.

        Up to a quarter hour beside a dirty one counts too: readings of meters reach over its boundaries.
        """
        if self.state is None:
            return [(start, stop)]
        # What is being rolled up right now is in none of the sets but `in_journal`.
        dirty = sorted(self.in_journal | self.waiting | self.writing.keys())
        stretches = [(quarter - QUARTER_MS, quarter + 2 * QUARTER_MS) for quarter in dirty]
        if self.state.backfill_until is not None:
            stretches.insert(0, (start, self.state.backfill_until))
        found: list[tuple[int, int]] = []
        for first, last in sorted((max(first, start), min(last, stop)) for first, last in stretches):
            if found and first <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], last))
            elif first < last:
                found.append((first, last))
        return found

    def list_settled(self, now_ms: int) -> set[int]:
        """Quarters that the journal may forget. None while hours wait: what they are of may lie in other quarters."""
        if self.hours_due:
            return set()
        busy = self.fresh | self.failed | self.writing.keys()
        return {quarter for quarter in self.in_journal - busy if quarter + _SETTLED_MS <= now_ms}


def list_stretches(quarters: Iterable[int], *, unit_ms: int, most_ms: int) -> list[tuple[int, int]]:
    """The time that these quarters cover, in pieces, the newest first.

    Args:
        quarters: Their starts, milliseconds since 1970, in any order.
        unit_ms: Pieces begin and end at multiples of it (`QUARTER_MS` or `HOUR_MS`).
        most_ms: No piece is longer, and none crosses a multiple of it, so that pieces are the same however they came.

    Returns:
        Start and stop of each piece.
    """
    pieces: list[tuple[int, int]] = []
    for start in sorted({quarter // unit_ms * unit_ms for quarter in quarters}, reverse=True):
        stop = start + unit_ms
        if pieces and pieces[-1][0] == stop and stop % most_ms:
            pieces[-1] = (start, pieces[-1][1])
        else:
            pieces.append((start, stop))
    return pieces
