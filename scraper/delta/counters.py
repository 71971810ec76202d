"""Lifetime counters: one reading a minute, and a mark whenever a counter went down.

A counter that falls (reset, replaced meter, wrap at 2^32 J on firmware < 8) is stored raw, next to the last value
before the fall and to a `counter_reset` event; the receiver leaves that step out when it computes energy. It must have
fallen in two readings in a row: a fall that the next one takes back was no reset, and is forgotten.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scraper.events import make_event, name_some
from shared.fields import KINDS, WRAP_WH, Interpolation
from shared.readings import Reading, Series
from shared.units import SECOND_MS

PERIOD_MS = 58 * SECOND_MS
"""A counter is due this long after the last stored one: a minute, less the jitter of a poll every minute."""
KINDS_COUNTED = frozenset({"meter_energy", "production"})
"""The kinds that are handled here."""

_COUNTERS = {
    kind: tuple(name for name, field in KINDS[kind].fields.items() if field.interpolation is Interpolation.COUNTER)
    for kind in KINDS_COUNTED
}


class CounterState(NamedTuple):
    """What is known of one series.

    Attributes:
        latest: Its latest reading, but for a doubtful one.
        stored_ms: When one was last stored (milliseconds since 1970).
        doubtful: A newer reading in which a counter fell; the next one tells whether that was a reset.
    """

    latest: Reading
    stored_ms: int
    doubtful: Reading | None = None


class CounterHistory(NamedTuple):
    """All counters; never changed in place. `event_ms` is the stamp of the last event, so that no two share one."""

    series: Mapping[Series, CounterState] = {}
    event_ms: int = 0


def detect(state: CounterHistory, readings: Sequence[Reading]) -> tuple[CounterHistory, tuple[Reading, ...]]:
    """The readings of one poll that are due, and at most one `counter_reset` event.

    Args:
        state: `CounterHistory()` at the start.
        readings: Of the kinds in `KINDS_COUNTED`. One that is not later than the last of its series is dropped, unless
            it is so much earlier that a clock must have stepped back.

    Returns:
        The next state (keep it only once the readings are committed) and what to store.
    """
    series = dict(state.series)
    out: list[Reading] = []
    resets: list[tuple[int, str]] = []
    for reading in readings:
        key = reading.series
        known = series.get(key)
        if known is None:
            series[key] = CounterState(reading, reading.timestamp)
            out.append(reading)
            continue
        newest = known.doubtful or known.latest
        if 0 <= newest.timestamp - reading.timestamp < PERIOD_MS:
            continue
        if known.doubtful is not None and (falls := _find_falls(known.latest, reading)):
            resets += [(known.doubtful.timestamp, fall) for fall in falls]
            known = _accept_reset(known, known.doubtful, out)
        series[key] = _follow(known, reading, out)
    if not resets:
        return CounterHistory(series, state.event_ms), tuple(out)
    event_ms = max(min(stamp for stamp, _ in resets), state.event_ms + 1)
    falls = [fall for _, fall in resets]
    out.append(make_event("counter_reset", event_ms, name_some(falls, "went down: "), rows=len(falls)))
    return CounterHistory(series, event_ms), tuple(out)


def _follow(known: CounterState, reading: Reading, out: list[Reading]) -> CounterState:
    """The state after a later reading, which goes to `out` if it is due; one in which a counter fell has to wait."""
    if _find_falls(known.latest, reading):
        return known._replace(doubtful=reading)
    if 0 <= reading.timestamp - known.stored_ms < PERIOD_MS:
        return CounterState(reading, known.stored_ms)
    out.append(reading)
    return CounterState(reading, reading.timestamp)


def _accept_reset(known: CounterState, fallen: Reading, out: list[Reading]) -> CounterState:
    """The state once a fall has proved to be a reset: both sides of it are stored, so that no energy is lost."""
    if known.stored_ms != known.latest.timestamp:
        out.append(known.latest)
    out.append(fallen)
    return CounterState(fallen, fallen.timestamp)


def forget_stored(state: CounterHistory) -> CounterHistory:
    """The state after a reconnect: every series is due at once, and falls across the gap are still seen."""
    return state._replace(series={key: known._replace(stored_ms=0) for key, known in state.series.items()})


def _find_falls(before: Reading, after: Reading) -> list[str]:
    """What fell from one reading of a series to the next, in words."""
    where = " ".join(before.tags[tag] for tag in KINDS[before.kind].tags)
    falls = []
    for name in _COUNTERS[before.kind]:
        old, new = before.fields.get(name), after.fields.get(name)
        if isinstance(old, float | int) and isinstance(new, float | int) and new < old:
            wrapped = 0.9 * WRAP_WH < old <= WRAP_WH and new < 0.1 * WRAP_WH
            falls.append(f"{where} {name}{' wrapped at 2^32 J' if wrapped else ''}")
    return falls
