"""What every window of an answer says of itself. Pure."""

from zoneinfo import ZoneInfo

from receiver.calendar.local import to_local

COLUMNS = ("start", "stop", "local_start", "in_progress")


def describe_window(start: int, stop: int, zone: ZoneInfo, now_ms: int) -> dict[str, float | int | str | bool | None]:
    """`COLUMNS` of one window.

    Args:
        start: First millisecond of it (UTC).
        stop: Its end, not part of it (UTC milliseconds).
        zone: The zone of `local_start`, which is ISO 8601 with the offset from UTC.
        now_ms: UTC milliseconds; a window that has not ended by then is in progress.
    """
    return {
        "start": start,
        "stop": stop,
        "local_start": to_local(start, zone).isoformat(),
        "in_progress": stop > now_ms,
    }
