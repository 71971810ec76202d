"""Which slots are over, so that nothing of them is on its way any more. Pure.

EmonCMS wants ascending times, and a scraper posts its newest readings before the backlog of an outage. So a slot waits
until every phase has been read after it, and a hole waits until the scraper says that it has no backlog.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from enum import Enum

from receiver.outputs.emoncms.slots import PHASES
from receiver.sites.household import METER_GONE_MS
from receiver.stores.base import Latest, SeriesPoints
from shared.fields import MAX_GAP_MS
from shared.units import MINUTE_MS

BACKLOG_ROWS = 500.0
"""A scraper with more rows waiting has a backlog; about as many wait between two posts of a minute."""
SETTLE_MS = 20_000
"""What a scraper without a backlog had measured is here after this long (milliseconds)."""
HEARD_MS = MINUTE_MS
"""What it says of its backlog counts from so long after a hole on (milliseconds): it may have been said before it."""
HOLE_MS = MAX_GAP_MS + 10_000
"""After this long (milliseconds) without a later reading of a phase, a slot has a hole."""


class SlotState(Enum):
    """What is known of the end of a slot."""

    CLOSED = "closed"
    """Every phase was read after it."""
    OPEN = "open"
    """Its readings may be on their way."""
    SILENT = "silent"
    """Nothing at all was read after it."""
    HOLE = "hole"
    """Something was, but not everything that was there before it."""


def list_phases(meters: Iterable[Latest], start_ms: int) -> list[Latest]:
    """Those of the latest values of meters that belong to slots from a time on: not gone by then.

    Nothing is said of now: what was measured before a silence of days goes there, too.
    """
    return [one for one in meters if start_ms - one.timestamp <= METER_GONE_MS and one.tags["phase"] in PHASES]


def has_lost_meters(meters: Iterable[Latest], inverters: Iterable[Latest]) -> bool:
    """Whether inverters went on reporting for a day without the meters: reports need not wait for slots any more.

    A gateway of which nothing comes at all may have a backlog, however long it lasts.
    """
    newest = max(one.timestamp for one in meters)
    return any(one.timestamp - newest > METER_GONE_MS for one in inverters)


def judge_slot(times: Iterable[Sequence[int]], stop: int, newest: int, now_ms: int) -> SlotState:
    """Whether a slot is over.

    Args:
        times: When each phase was read, ascending, at least `MAX_GAP_MS` beyond the slot on both sides.
        stop: Its end.
        newest: When any phase was read last.
        now_ms: UTC milliseconds.
    """
    if newest < stop:
        return SlotState.SILENT
    steps = [_find_step(one, stop) for one in times]
    alive = [step for step in steps if step is not None]
    if alive and all(step <= MAX_GAP_MS for step in alive):
        return SlotState.CLOSED
    return SlotState.HOLE if now_ms - stop >= HOLE_MS else SlotState.OPEN


def has_no_backlog(gateway: Iterable[SeriesPoints]) -> bool:
    """Whether the scraper said last, in readings of kind `gateway`, that nothing of its readings waits."""
    waiting = [fields["outbox_rows"] for one in gateway for _, fields in one.points if "outbox_rows" in fields]
    return bool(waiting) and isinstance(waiting[-1], float) and waiting[-1] <= BACKLOG_ROWS


def _find_step(times: Sequence[int], stop: int) -> float | None:
    """From the last reading before the end of a slot to the first after it; None if none came shortly before it."""
    index = bisect_left(times, stop)
    if index == 0 or times[index - 1] < stop - MAX_GAP_MS:
        return None
    return times[index] - times[index - 1] if index < len(times) else float("inf")
