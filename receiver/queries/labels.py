"""What every window of an answer says of itself. Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from receiver.queries.refusals import refusal
from receiver.queries.times import Range

COLUMNS = ("start", "stop", "local_start", "in_progress")


def window(start: int, stop: int, zone: ZoneInfo, now_ms: int) -> dict[str, float | int | str | bool | None]:
    """`COLUMNS` of one window.

    Args:
        start: First millisecond of it (UTC).
        stop: Its end, not part of it (UTC milliseconds).
        zone: In which `local_start` is told, in ISO 8601 with the offset from UTC.
        now_ms: UTC milliseconds; a window that has not ended by then is in progress.
    """
    local = datetime.fromtimestamp(start / 1000, UTC).astimezone(zone)
    return {"start": start, "stop": stop, "local_start": local.isoformat(), "in_progress": stop > now_ms}


def until_now(asked: Range, now_ms: int) -> Range:
    """A range without what lies in the future, and not empty. Raises RefusedError where nothing else is in it."""
    if asked.start > now_ms:
        raise refusal("start", "is in the future: there is no energy of it yet, choose an earlier one")
    return Range(asked.start, max(min(asked.stop, now_ms), asked.start + 1))
