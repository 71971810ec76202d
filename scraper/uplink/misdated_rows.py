"""Rows that the receiver refuses for their time: what becomes of them depends on which clock is wrong."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from scraper.delta.host_clock import StepRecord, is_possible, move_reading
from scraper.outbox import OutboxRow
from scraper.uplink.replies import Wait
from shared.problems import Rejection
from shared.wire import decode_reading, encode_reading

KnownSteps = Callable[[], Awaitable[Sequence[StepRecord]]]
"""The steps of this host's clock up to now."""

LOOK_S = 60.0
"""How often to look whether somebody has set a clock (seconds)."""
NOT_SET = Wait(
    "the clock of this host is not set: set it; readings are kept and get the right time then", LOOK_S, person=True
)
DISAGREE = Wait(
    "the clocks of this host and of the receiver disagree: set the one that is wrong (`envoy-scraper check` compares "
    "them); readings are kept meanwhile",
    LOOK_S,
    person=True,
)


async def give_no_steps() -> Sequence[StepRecord]:
    """The steps of a clock that never stepped."""
    return ()


def find_early(rows: Sequence[OutboxRow], rejected: Mapping[int, str], now_ms: int) -> set[int]:
    """Numbers of rows that are of the future by the receiver's clock and not by ours: they will be taken one day."""
    return {
        row.seq
        for row in rows
        if rejected.get(row.seq) == Rejection.IN_THE_FUTURE
        and is_possible(decode_reading(row.payload).timestamp, now_ms)
    }


def find_misdated(
    rows: Sequence[OutboxRow], rejected: Mapping[int, str], steps: Sequence[StepRecord], now_ms: int
) -> bool:
    """Whether a row was refused for a stamp that a step of our clock explains."""
    codes = (Rejection.IN_THE_FUTURE, Rejection.TOO_OLD)
    refused = (row for row in rows if rejected.get(row.seq) in codes)
    return any(move_row(row, steps, now_ms) is not None for row in refused)


def move_row(row: OutboxRow, steps: Sequence[StepRecord], now_ms: int) -> bytes | None:
    """The row's reading with the time that a right clock would have given it; None if it keeps its own."""
    moved = move_reading(
        decode_reading(row.payload), seq=row.seq, committed_ms=row.committed_ms, steps=steps, now_ms=now_ms
    )
    return None if moved is None else encode_reading(moved)
