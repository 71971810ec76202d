"""How many lines of one sort the log takes: a flood of refusals is counted, not written down one by one."""

from shared.clock import Clock

BURST = 10
"""Lines of one sort that may come at once."""
SECONDS_A_LINE = 6.0
"""In the long run one line of a sort comes in so many seconds."""


class LineLimit:
    """A bucket of lines for each sort.

    Args:
        clock: Monotonic time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}  # sort to (lines, when counted)
        self._left_out: dict[str, int] = {}

    def take(self, sort: str) -> int | None:
        """Count one line.

        Args:
            sort: One of a few fixed words; nothing of a request.

        Returns:
            How many of this sort were left out since the last one that was written; None if this one is left out, too.
        """
        now = self._clock.monotonic()
        lines, counted = self._buckets.get(sort, (float(BURST), now))
        lines = min(float(BURST), lines + (now - counted) / SECONDS_A_LINE)
        if lines < 1:
            self._buckets[sort] = (lines, now)
            self._left_out[sort] = self._left_out.get(sort, 0) + 1
            return None
        self._buckets[sort] = (lines - 1, now)
        return self._left_out.pop(sort, 0)
