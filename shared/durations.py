"""Lengths of time for people, in their largest fitting unit. Pure.

The library humanize was considered: it calls 119 minutes "an hour" and follows the locale of the process, so it is
neither exact enough for a token's last hours nor the same on every machine.
"""

from shared.units import DAY_S, HOUR_S, MINUTE_S

_UNITS = (
    (365.25 * DAY_S, "year", "years"),
    (DAY_S, "day", "days"),
    (HOUR_S, "hour", "h"),
    (MINUTE_S, "minute", "min"),
    (1, "second", "s"),
)
_FEWEST = 2
"""A unit is taken from so many of it on, so that what is cut off is less than a third of the length."""


def describe_duration(seconds: float, *, short: bool = False) -> str:
    """A length of time: "42 seconds", "119 minutes", "5 hours", "365 days", "3 years". What remains is cut off.

    Args:
        seconds: How long, whatever the sign.
        short: Whether room is scarce: "42 s", "119 min", "5 h".
    """
    length = abs(seconds)
    for unit_s, name, abbreviation in _UNITS:
        count = int(length // unit_s)
        if count >= _FEWEST:
            return f"{count} {abbreviation}" if short else f"{count} {name}s"
    if short:
        return f"{int(length)} s"
    return "1 second" if length >= 1 else "less than a second"


def describe_age(seconds: float, *, short: bool = False) -> str:
    """How long ago: "42 seconds ago"; what is ahead by a clock's error of less than a second is now."""
    if seconds < 1:
        return "now" if seconds > -1 else f"in {describe_duration(seconds, short=short)}"
    return f"{describe_duration(seconds, short=short)} ago"


def describe_expiry(left_s: float) -> str:
    """When something that ends does so, from the seconds it has left: "expires in 5 hours", "expired 3 minutes ago"."""
    if left_s > 0:
        return f"expires in {describe_duration(left_s)}"
    return f"expired {describe_age(max(1, -left_s))}"
