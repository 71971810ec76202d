"""How many of the events that come are taken: one a second, however fast a gateway sends. Pure.

The receiver refuses readings of a series that are closer than that beyond a short burst. An event more or less is no
loss: the next one says the same a second later.
"""

BURST = 60
"""Events that may be ahead of their time: the jitter of a network, and a buffer that a gateway flushes."""


class Pace:
    """Counts events against the time that passes. What was quiet for a while may come at once."""

    def __init__(self) -> None:
        self._ahead = float(BURST)
        self._counted_s: float | None = None

    def take(self, count: int, monotonic_s: float) -> int:
        """How many of `count` events that arrived together at `monotonic_s` (seconds) are to be taken."""
        elapsed_s = 0.0 if self._counted_s is None else monotonic_s - self._counted_s
        self._counted_s = monotonic_s
        self._ahead = min(self._ahead, BURST) + elapsed_s
        taken = min(count, int(self._ahead))
        self._ahead -= taken
        return taken
