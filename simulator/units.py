"""Lengths of time in seconds, and energy. The simulator has its own: it imports none of the other packages."""

from typing import Final

MINUTE_S: Final = 60
HOUR_S: Final = 60 * MINUTE_S
DAY_S: Final = 24 * HOUR_S

JOULES_PER_WH: Final = 3600
