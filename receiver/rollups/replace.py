"""Making stored rows of a derived kind equal to computed ones, touching only what differs.

Stores merge the fields of an identity, so a row that lost a field, or a row that is no more, has to be removed first.
Most runs change the last few rows and remove nothing. Events that roll-ups find stand among those of the scraper, so
that they are written like these and never removed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from typing import NamedTuple

from receiver.rollups.jumps import AFTER_MS, EVENT_TYPE, INTRO, withdraw
from receiver.stores.base import GatewayReading, Store
from shared.readings import Reading

_ROWS = 500
"""Rows of one write: readings that come in wait no longer than for that many."""


class EventsMade(NamedTuple):
    """A type of events that roll-ups make, among those of the scraper.

    Attributes:
        event_type: The type.
        intro: Begins the reason of each.
        withdraw: Makes the event of a time (UTC milliseconds) that is taken back.
    """

    event_type: str
    intro: str
    withdraw: Callable[[int], Reading]


async def replace_rows(
    store: Store, gateway: str, kind: str, rows: Sequence[Reading], *, start: int, stop: int, only_missing: bool = False
) -> None:
    """Have in the store what was computed of one kind for `start` <= timestamp < `stop`, and nothing else.

    A number that overflowed is unknown: a senseless reading must not keep its neighbours from being rolled up. A call
    that failed half-way may be repeated and ends the same.

    Args:
        store: Where the rows stand.
        gateway: Its serial.
        kind: A derived kind.
        rows: All of this kind and gateway in that time.
        start: First instant that is in (milliseconds since 1970).
        stop: First instant that is out.
        only_missing: Leave alone what is stored, because some of what it was computed from has expired.

    Raises:
        StoreUnavailableError: Nothing, something or all is done.
        ValueError: The store refuses a row permanently.
    """
    wanted = {(row.series, row.timestamp): row for row in _remove_overflows(rows)}
    stored = {
        (series, point.timestamp): point.fields
        for series, points in await store.read_points(gateway, kind, start=start, stop=stop)
        for point in points
    }
    if only_missing:
        changed = [row for identity, row in wanted.items() if identity not in stored]
    else:
        stale = [
            identity[1]
            for identity, fields in stored.items()
            if identity not in wanted or not fields.keys() <= wanted[identity].fields.keys()
        ]
        removed = range(min(stale), max(stale) + 1) if stale else range(0)
        if stale:
            await store.remove(gateway, kind, start=removed.start, stop=removed.stop)
        changed = [
            row for identity, row in wanted.items() if row.timestamp in removed or stored.get(identity) != row.fields
        ]
    for part in _split(changed):
        await _write(store, gateway, part)


async def store_jumps(store: Store, gateway: str, jumps: Sequence[Reading], *, start: int, stop: int) -> None:
    """Have in the store the events of counters that jumped in some quarter hours, each once.

    One that is none any more, for what came later shows the step to be possible, says so: events are never removed.

    Args:
        store: Where the events stand.
        gateway: Its serial.
        jumps: All of that time, from `receiver.rollups.jumps`.
        start: Where the first quarter hour begins (milliseconds since 1970).
        stop: Where the last one ends.

    Raises:
        StoreUnavailableError: Nothing, something or all is done.
        ValueError: The store refuses an event permanently.
    """
    made = EventsMade(EVENT_TYPE, INTRO, withdraw)
    await store_events(store, gateway, jumps, made, start=start + 1 + AFTER_MS, stop=stop + 1 + AFTER_MS)


async def store_events(
    store: Store, gateway: str, events: Sequence[Reading], made: EventsMade, *, start: int, stop: int
) -> None:
    """Have in the store the events that roll-ups make of one type, each once; those that are none any more say so.

    Args:
        store: Where the events stand.
        gateway: Its serial.
        events: All of [start, stop).
        made: How they are known.
        start: First instant that is in (milliseconds since 1970).
        stop: First instant that is out.

    Raises:
        StoreUnavailableError: Nothing, something or all is done.
        ValueError: The store refuses an event permanently.
    """
    stored = await store.read_points(
        gateway, "event", tags={"type": made.event_type}, fields=("end", "rows", "reason"), start=start, stop=stop
    )
    known = {point.timestamp: point.fields for series in stored for point in series.points}
    wanted = {event.timestamp: event for event in events}
    withdrawn = [
        made.withdraw(stamp)
        for stamp, fields in known.items()
        if stamp not in wanted and str(fields.get("reason")).startswith(made.intro)
    ]
    changed = [event for stamp, event in wanted.items() if known.get(stamp) != event.fields]
    if changed or withdrawn:
        await _write(store, gateway, [*changed, *withdrawn])


async def _write(store: Store, gateway: str, rows: Sequence[Reading]) -> None:
    refused = await store.write([GatewayReading(gateway, row) for row in rows])
    if refused:
        index, reason = min(refused.items())
        raise ValueError(f"the store refuses a row of {rows[index].kind} at {rows[index].timestamp}: {reason}")


def _remove_overflows(rows: Iterable[Reading]) -> Iterator[Reading]:
    """The rows without numbers that no store takes, and without rows of nothing else."""
    for row in rows:
        if all(isinstance(value, str) or isfinite(value) for value in row.fields.values()):
            yield row
        elif kept := {name: value for name, value in row.fields.items() if isinstance(value, str) or isfinite(value)}:
            yield Reading(row.kind, row.tags, row.timestamp, kept)


def _split(rows: Sequence[Reading]) -> Iterator[Sequence[Reading]]:
    return (rows[first : first + _ROWS] for first in range(0, len(rows), _ROWS))
