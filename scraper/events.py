"""`event` readings: marks in the data for what the numbers alone do not show. The one place that makes them. Pure."""

from collections.abc import Sequence

from shared.fields import MAX_TEXT, EventType
from shared.readings import FieldValue, Reading

_NAMED = 3


def make_event(
    event_type: EventType,
    start_ms: int,
    reason: str | None = None,
    *,
    end_ms: int | None = None,
    rows: int | None = None,
) -> Reading:
    """An `event` reading.

    Args:
        event_type: Its `type` tag.
        start_ms: When it began, milliseconds since 1970.
        reason: Why, in a few words.
        end_ms: When it ended; None while it lasts and for what has no length.
        rows: How many readings it concerns; None if that is not known.
    """
    fields: dict[str, FieldValue] = {}
    if end_ms is not None:
        fields["end"] = float(end_ms)
    if rows is not None:
        fields["rows"] = float(rows)
    if reason is not None:
        fields["reason"] = reason
    return Reading("event", {"type": event_type}, start_ms, fields)


def name_some(names: Sequence[str], intro: str = "") -> str:
    """A reason that names the first few and counts the others, no longer than the receiver takes."""
    more = "" if len(names) <= _NAMED else f" and {len(names) - _NAMED} more"
    return (intro + ", ".join(names[:_NAMED]))[: MAX_TEXT - len(more)] + more
