"""Which meters one gateway has, as of its last answer, and when it is to be asked again."""

from collections.abc import Sequence

import structlog

from scraper.gateway.parse.meters import ConfiguredMeter
from scraper.gateway.parse.phases import MeterValues
from shared.clock import Clock
from shared.units import DAY_S

METERS_S = 300.0
"""The list of meters is asked for this often (seconds)."""
SOON_S = 60.0
"""The same where meters should be there and are not (seconds)."""

SEEN_S = float(DAY_S)
"""A phase belongs to its meter for this long (seconds) after its last power."""

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
        self._seen_at: dict[tuple[str, str], float] = {}

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

    def note_values(self, values: Sequence[MeterValues]) -> None:
        """Remember which phases have a power: one that is silent later is no unused input."""
        now_s = self._clock.monotonic()
        self._seen_at |= {(one.meter, one.phase): now_s for one in values if "power" in one.values}
        self._seen_at = {phase: at_s for phase, at_s in self._seen_at.items() if now_s - at_s <= SEEN_S}
        self.known = None if self.known is None else self._mark_seen(self.known)

    def _mark_seen(self, meters: Sequence[ConfiguredMeter]) -> list[ConfiguredMeter]:
        return [
            meter._replace(seen=frozenset(phase for name, phase in self._seen_at if name == meter.measurement))
            for meter in meters
        ]

    def expire(self) -> None:
        """Ask again with the next question."""
        self._asked_at = self._clock.monotonic() - METERS_S

    def _keep(self, meters: list[ConfiguredMeter], *, metered: bool | None) -> list[ConfiguredMeter]:
        self.known = meters = self._mark_seen(meters)
        misses = metered is True and not meters
        if misses and not self.misses:
            _log.warning("the gateway says that it has meters, but lists none; it is asked again")
        elif self.misses and not misses:
            _log.info("the gateway lists its meters")
        self.misses = misses
        return meters
