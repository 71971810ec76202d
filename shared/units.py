"""Lengths of time in milliseconds (`_MS`) and seconds (`_S`), and names for nothing else.

A day is 24 hours of UTC here; days of a calendar, which may be an hour shorter or longer, belong to the receiver.
"""

from typing import Final

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
QUARTER_MS: Final = 15 * MINUTE_MS
"""A quarter of an hour."""
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

MINUTE_S: Final = 60
HOUR_S: Final = 60 * MINUTE_S
DAY_S: Final = 24 * HOUR_S
