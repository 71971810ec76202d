"""What is known about the paths of one gateway: which gave data, which were refused, and when these are asked again.

A path that never gave data and is refused is absent: it is asked again after 1, 5 and 15 minutes, then hourly. One that
gave data is out of order at first, and asked whenever its turn comes; refused for more than five minutes on end, it is
gone for now, and absent like the others until it answers.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx
import structlog

from scraper.errors import EndpointUnavailableError
from shared.clock import Clock
from shared.units import HOUR_S, MINUTE_S

AGAIN_S = (MINUTE_S, 5 * MINUTE_S, 15 * MINUTE_S, HOUR_S)
"""Seconds until a path that was refused is asked again: gateways refuse single paths for minutes after a start."""
AGAIN_EAGERLY_S = (*[10.0] * 6, *AGAIN_S)
"""The same of a path that must be there, and of every path of a gateway that has just started."""
GONE_S = 5 * MINUTE_S
"""A path that has been refused on end for longer than this (seconds) is gone for now."""
BOOT_S = 10 * MINUTE_S
"""A gateway has just started for this long after the signs of it (seconds)."""

_log = structlog.get_logger(__name__)


class Refusal(NamedTuple):
    """A path that was refused; times are monotonic, in seconds.

    Attributes:
        status: The last answer.
        times: How often in a row it was refused as absent, which makes the pauses longer.
        since: The first refusal in a row.
        last: The last one.
        again_at: When it may be asked again.
    """

    status: int
    times: int
    since: float
    last: float
    again_at: float

    @property
    def lasts(self) -> bool:
        """Whether the path is gone for now."""
        return self.last - self.since > GONE_S


@dataclass(slots=True)
class EndpointMemory:
    """What is known about the paths of one firmware seen with one login.

    Attributes:
        clock: Says when refused paths are asked again.
        must_exist: Paths that the gateway has by what it says of itself.
        refused: Path to how it was refused.
        worked: Paths that have given data: a 404 there is an outage at first, not an absence.
        started_at: When the last sign of a start of the gateway was seen (monotonic).
    """

    clock: Clock
    must_exist: frozenset[str] = frozenset()
    refused: dict[str, Refusal] = field(default_factory=dict)
    worked: set[str] = field(default_factory=set)
    started_at: float = -math.inf

    def may_ask(self, path: str) -> bool:
        """Whether `path` is not known to be refused, or it is time to see whether it still is."""
        return path not in self.refused or self.clock.monotonic() >= self.refused[path].again_at

    def check(self, path: str) -> None:
        """Raise EndpointUnavailableError if `path` was refused and is not to be asked yet."""
        if not self.may_ask(path):
            raise EndpointUnavailableError(path, self.refused[path].status)

    def mark_absent(self, path: str, status: int) -> EndpointUnavailableError:
        """Remember that this login cannot read `path` for now. Returns the error to raise."""
        known = self.refused.get(path)
        times = known.times if known else 0
        pauses = self._list_pauses(path)
        self._note(path, status, times + 1, pauses[min(times, len(pauses) - 1)])
        return EndpointUnavailableError(path, status)

    def mark_failing(self, path: str, status: int) -> bool:
        """Remember that `path` is out of order; it may be asked again at once. Returns whether it is gone for now."""
        known = self.refused.get(path)
        return self._note(path, status, known.times if known else 0, 0.0).lasts

    def mark_senseless(self, path: str, before: Refusal | None) -> bool:
        """As `mark_failing`, of a path that answers with a page: `before` is how it failed until now."""
        if before is not None:
            self.refused[path] = before
        return self.mark_failing(path, httpx.codes.OK)

    def _note(self, path: str, status: int, times: int, pause_s: float) -> Refusal:
        now, known = self.clock.monotonic(), self.refused.get(path)
        refusal = Refusal(status, times, known.since if known else now, now, now + pause_s)
        if refusal.lasts and known is not None and not known.lasts and path in self.worked:
            _log.warning("the gateway no longer gives what it gave; it is asked again", path=path, status=status)
        self.refused[path] = refusal
        return refusal

    def is_refused_for_good(self, path: str) -> bool:
        """Whether `path` has been refused for longer than a gateway takes to start: for minutes, again and again."""
        return path in self.refused and self.refused[path].lasts

    def is_absent(self, path: str) -> bool:
        """Whether `path` never gave data, and was refused for longer than a gateway takes to start."""
        return path not in self.worked and self.is_refused_for_good(path)

    def find_refusal(self, path: str) -> Refusal | None:
        """How `path` was refused; None if it was not, or answers again."""
        return self.refused.get(path)

    def _list_pauses(self, path: str) -> tuple[float, ...]:
        has_started = self.clock.monotonic() - self.started_at <= BOOT_S
        return AGAIN_EAGERLY_S if has_started or path in self.must_exist else AGAIN_S

    def note_start(self) -> None:
        """There are signs that the gateway has just started: ask every path again, and eagerly for a while.

        No endpoint tells how long a gateway has been up. What tells is that it was away, or that it answers 503 where
        it gave data.
        """
        now = self.clock.monotonic()
        if now - self.started_at > BOOT_S:
            self.started_at = now
            for path, refusal in self.refused.items():
                self.refused[path] = refusal._replace(times=0, again_at=min(refusal.again_at, now))

    def forget_refused(self) -> None:
        """The gateway was away: what it refused before it may give now."""
        self.refused.clear()
        self.started_at = self.clock.monotonic()

    def mark_present(self, path: str) -> None:
        """Remember that `path` has given data."""
        self.worked.add(path)
        self.refused.pop(path, None)
