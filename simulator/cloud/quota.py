"""How many calls an application may make in a calendar minute and a calendar month of UTC."""

import datetime as dt
from typing import Any

from simulator.faults import Faults
from simulator.units import MINUTE_S

_PLAN = "Usage limit exceeded for plan Watt"


class Quota:
    """The count of one application; refused calls count too.

    Args:
        faults: `api-quota` changes the limits.

    Attributes:
        minute: Calls that a minute has.
        month: Calls that a month has.
        moments: When each call was made (epoch seconds), oldest first, refused ones included.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.minute = 10
        self.month = 1000
        self.moments: list[float] = []

    def count_call(self, now: float) -> dict[str, Any] | None:
        """Count a call. Returns the document of the refusal if it is one too many."""
        self.moments.append(now)
        changed = self._faults.get("api-quota")
        limits = (self.minute, self.month) if changed is None else (int(changed["minute"]), int(changed["month"]))
        start = _find_month_start(now)
        spans = (
            ("minute", int(now // MINUTE_S * MINUTE_S), int(now // MINUTE_S * MINUTE_S) + MINUTE_S),
            ("month", start, _find_month_start(start + 32 * 86_400)),
        )
        for (period, begin, end), limit in zip(spans, limits, strict=True):
            if sum(begin <= moment < end for moment in reversed(self.moments)) > limit:
                bare = changed is not None and changed["bare"]
                return make_refusal() if bare else make_refusal(period, begin, end, limit)
        return None


def make_refusal(period: str = "", start: int = 0, end: int = 0, limit: int = 0) -> dict[str, Any]:
    """The document of a 429, with or without what it is about."""
    document: dict[str, Any] = {"message": "Too Many Requests", "details": _PLAN, "code": 429}
    if period:
        document |= {"period": period, "period_start": start, "period_end": end, "limit": limit}
    return document


def _find_month_start(moment: float) -> int:
    first = dt.datetime.fromtimestamp(moment, dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return int(first.timestamp())
