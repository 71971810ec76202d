"""Whether a gateway is silent now, by the events that its scraper records. Pure."""

from collections.abc import Sequence

from receiver.stores.base import Latest


def find_open_gap(events: Sequence[Latest]) -> int | None:
    """Start of the newest gap if it has no end yet. An `end` before the start belongs to the gap before."""
    for event in events:
        if event.tags["type"] == "gap":
            end = event.fields.get("end")
            return event.timestamp if not isinstance(end, float) or end < event.timestamp else None
    return None
