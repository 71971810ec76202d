"""Report-date deltas: an inverter's reading is new when its report date moved.

The report date is the identity, so a date that went out is never used again with other values, whatever the gateway
does: cached answers of one endpoint that lag behind the other, a clock that was a year ahead and is right again.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from shared.readings import Reading
from shared.units import DAY_MS

SPAN_MS = DAY_MS
"""Longest silence within one span of dates, longer than the longest night: a larger jump is that of a clock."""
MAX_SPANS = 8
"""Spans remembered for one inverter; a gateway clock rarely jumps twice."""


class ReportHistory(NamedTuple):
    """What went out for one inverter.

    Attributes:
        date: The last report date that went out, milliseconds since 1970.
        fields: The fields that went out for that date.
        spans: Closed intervals of report dates that are used up, sorted. One interval in a healthy life.
    """

    date: int
    fields: frozenset[str]
    spans: tuple[tuple[int, int], ...]


InverterDates: TypeAlias = Mapping[str, ReportHistory]
"""Last report by inverter serial; never changed in place."""


def detect(state: InverterDates, readings: Sequence[Reading]) -> tuple[InverterDates, tuple[Reading, ...]]:
    """The readings that are new, and of known ones the fields that came later (a richer endpoint answered).

    Args:
        state: Empty at the start.
        readings: Of kind `inverter`, one or more per inverter; the timestamp is the (corrected) report date.

    Returns:
        The next state (keep it only once the readings are committed) and what to store.
    """
    changed: dict[str, ReportHistory] = {}
    out = []
    for reading in readings:
        serial = reading.tags["inverter"]
        known = changed.get(serial) or state.get(serial)
        after, new = _detect_one(known, reading)
        if new is not None:
            changed[serial] = after
            out.append(new)
    return ({**state, **changed} if changed else state), tuple(out)


def shift(state: InverterDates, by_ms: int) -> InverterDates:
    """The state after the correction of the gateway's clock changed by `by_ms`: the same report keeps being known.

    Without it every inverter's last report would look new under its newly corrected date.
    """
    return {
        serial: ReportHistory(known.date + by_ms, known.fields, tuple((a + by_ms, b + by_ms) for a, b in known.spans))
        for serial, known in state.items()
    }


def _detect_one(known: ReportHistory | None, reading: Reading) -> tuple[ReportHistory, Reading | None]:
    date, names = reading.timestamp, frozenset(reading.fields)
    if known is None:
        return ReportHistory(date, names, ((date, date),)), (reading if names else None)
    if date == known.date:
        missing = names - known.fields
        if not missing:
            return known, None
        fields = {name: value for name, value in reading.fields.items() if name in missing}
        late = Reading(kind=reading.kind, tags=reading.tags, timestamp=date, fields=fields)
        return known._replace(fields=known.fields | missing), late
    if not names or any(first <= date <= last for first, last in known.spans):
        return known, None
    return ReportHistory(date, names, _add_date(known.spans, date)), reading


def _add_date(spans: tuple[tuple[int, int], ...], date: int) -> tuple[tuple[int, int], ...]:
    """`spans` with `date` (which lies in none): the span below grows up to it if it is near, else a new one opens."""
    below = max((span for span in spans if span[1] < date), default=None)
    if below is not None and date - below[1] <= SPAN_MS:
        kept = [(first, date) if (first, last) == below else (first, last) for first, last in spans]
    else:
        kept = sorted([*spans, (date, date)])
    return tuple(kept[-MAX_SPANS:])
