"""How long to wait before a new attempt: random-exponential, without limit.

The loops that wait have no limit on purpose (nothing may be given up), span many different calls and obey Retry-After:
libraries for a new attempt wrap one call, with a limit.
"""

import random

_MOST_DOUBLINGS = 16


class Backoff:
    """Delays whose ceiling doubles with each failure in a row; random, so that many programs do not return together.

    Args:
        rng: The dice.
        first_s: Ceiling after the first failure, in seconds.
        longest_s: No ceiling is higher.
        shortest_s: No delay is shorter.
        shortest_share: No delay is shorter than this share of its ceiling.
    """

    def __init__(
        self,
        rng: random.Random,
        *,
        first_s: float,
        longest_s: float,
        shortest_s: float = 0.0,
        shortest_share: float = 0.0,
    ) -> None:
        self._rng = rng
        self._first_s = first_s
        self._longest_s = longest_s
        self._shortest_s = shortest_s
        self._shortest_share = shortest_share
        self._failures = 0

    @property
    def ceiling_s(self) -> float:
        """The longest delay after the failures so far, in seconds; 0 after a success."""
        if not self._failures:
            return 0.0
        return min(self._longest_s, self._first_s * 2.0 ** (self._failures - 1))

    def succeed(self) -> None:
        """Start from the shortest delay again."""
        self._failures = 0

    def fail(self) -> None:
        """Count one more failure."""
        self._failures = min(self._failures + 1, _MOST_DOUBLINGS)

    def draw_delay(self, retry_after_s: float | None = None) -> float:
        """Seconds to wait after one more failure, never sooner than `retry_after_s`."""
        self.fail()
        ceiling_s = self.ceiling_s
        delay_s = self._rng.uniform(max(self._shortest_s, self._shortest_share * ceiling_s), ceiling_s)
        # Spread beyond Retry-After too: a thousand scrapers got the same number of seconds.
        return max(delay_s, self._rng.uniform(1.0, 1.1) * (retry_after_s or 0.0))
