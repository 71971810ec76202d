"""Which meters one gateway has, as of its last answer, and when it is to be asked again."""

import structlog

from scraper.gateway.parse.meters import ConfiguredMeter
from shared.clock import Clock

METERS_S = 300.0
"""The list of meters is asked for this often (seconds)."""
SOON_S = 60.0
"""The same where meters should be there and are not (seconds)."""

_log = structlog.get_logger(__name__)


class MeterList:
    """The meters of one gateway.

    Attributes:
        known: As of the last answer; None before the first one.
        misses: Whether the gateway says that it has meters, and lists none.
    """

    def __init__(self, clock: Clock) -> None:
        self.known: list[ConfiguredMeter] | None = None
        self.misses = False
        self._clock = clock
        self._asked_at = 0.0

    def find_fresh(self) -> list[ConfiguredMeter] | None:
        """The meters, if it is too early to ask for them again."""
        pause_s = SOON_S if self.misses else METERS_S
        return self.known if self._clock.monotonic() - self._asked_at < pause_s else None

    def note_answer(self, meters: list[ConfiguredMeter], *, metered: bool | None) -> list[ConfiguredMeter]:
        """The gateway listed these; `metered`: whether it says that it has some."""
        self._asked_at = self._clock.monotonic()
        return self._keep(meters, metered=metered)

    def note_refusal(self, *, gone: bool, metered: bool | None) -> list[ConfiguredMeter]:
        """The gateway refuses the list: the last one holds, until the meters are `gone` for now."""
        self.expire()  # the memory of endpoints decides when it is asked again
        return self._keep([] if gone or self.known is None else self.known, metered=metered)

    def expire(self) -> None:
        """Ask again with the next question."""
        self._asked_at = self._clock.monotonic() - METERS_S

    def _keep(self, meters: list[ConfiguredMeter], *, metered: bool | None) -> list[ConfiguredMeter]:
        self.known = meters
        misses = metered is True and not meters
        if misses and not self.misses:
            _log.warning("the gateway says that it has meters, but lists none; it is asked again")
        elif self.misses and not misses:
            _log.info("the gateway lists its meters")
        self.misses = misses
        return meters
