"""Rates as people write them (`0.32`, or `6-22: 0.34` and `22-6: 0.21`) to one price for each hour of the day. Pure."""

import re
from collections.abc import Iterator
from typing import Any

_SPAN = re.compile(r"(\d{1,2})-(\d{1,2})")
_HOURS = 24


def parse_hourly_rates(written: Any) -> list[Any]:
    """24 prices, not yet checked to be numbers. Raises ValueError unless every hour has exactly one."""
    if not isinstance(written, dict):
        return [written] * _HOURS
    rates: dict[int, Any] = {}
    for span, price in written.items():
        for hour in _parse_hours(span):
            if hour in rates:
                raise ValueError("an hour has two prices")
            rates[hour] = price
    if len(rates) < _HOURS:
        raise ValueError("an hour has no price")
    return [rates[hour] for hour in range(_HOURS)]


def _parse_hours(span: str) -> Iterator[int]:
    """`22-6` runs over midnight."""
    match = _SPAN.fullmatch(span)
    start, stop = (int(match[1]), int(match[2])) if match else (0, 0)
    if start == stop or start >= _HOURS or stop > _HOURS:
        raise ValueError("not hours")
    length = stop - start if stop > start else stop - start + _HOURS
    return (hour % _HOURS for hour in range(start, start + length))
