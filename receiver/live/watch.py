"""Leases of viewers of live values: while a gateway has one, its scraper is asked to post at once."""

from shared.clock import Clock

LEASE_S = 30.0
"""A lease lasts this many seconds."""


class Watch:
    """Leases by gateway. Callers pass serials they have authorised, so the number of leases is bounded by those."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def renew(self, gateway: str) -> None:
        """Begin or renew the lease of a gateway whose live values are read now."""
        self._until[gateway] = self._clock.monotonic() + LEASE_S

    def is_watched(self, gateway: str) -> bool:
        """Whether live values of the gateway were read within the last `LEASE_S` seconds."""
        until = self._until.get(gateway)
        if until is None:
            return False
        if until <= self._clock.monotonic():
            del self._until[gateway]
            return False
        return True
