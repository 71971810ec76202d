"""The columns that describe a window in an answer. Pure."""

from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # pydantic takes that of the standard library from Python 3.12 on

from receiver.calendar.local import to_local


@with_config(ConfigDict(extra="forbid"))
class WindowEntry(TypedDict):
    """One window of time."""

    start: Annotated[int, Field(description="First millisecond of it, since 1970.")]
    stop: Annotated[int, Field(description="Its end, which is not part of it, milliseconds since 1970.")]
    local_start: Annotated[str, Field(description="`start` in the time zone of the answer, ISO 8601.")]
    in_progress: Annotated[bool, Field(description="It has not ended yet: all it says is of its time so far.")]


COLUMNS: Final = tuple(WindowEntry.__annotations__)


def describe_window(start: int, stop: int, zone: ZoneInfo, now_ms: int) -> WindowEntry:
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
