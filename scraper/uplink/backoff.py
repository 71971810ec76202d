"""How long to wait before trying the receiver again: full-jitter exponential, for ever. Pure but for the dice.

stamina wraps one call with a limit; this loop has no limit on purpose (nothing may be given up), spans many
different calls and obeys Retry-After, so its delay is computed here.
"""

import random

FIRST_S = 1.0
LONGEST_S = 300.0


class Backoff:
    """Delays between 0 and 1, 2, 4, ... 300 seconds; full jitter so that many scrapers do not return together."""

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng or random.Random()
        self._failures = 0

    def success(self) -> None:
        """Start from the shortest delay again."""
        self._failures = 0

    def delay(self, retry_after_s: float | None = None) -> float:
        """Seconds to wait after one more failure, never sooner than `retry_after_s`."""
        ceiling = min(LONGEST_S, FIRST_S * 2**self._failures)
        self._failures = min(self._failures + 1, 16)
        # Spread beyond Retry-After too: a thousand scrapers were told the same number of seconds.
        return max(self._rng.uniform(0, ceiling), self._rng.uniform(1.0, 1.1) * (retry_after_s or 0.0))
