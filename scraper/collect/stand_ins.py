"""Polls of the meters while a stream is silent: they count only if the stream does not deliver that time after all.

A gateway that holds events back sends them later, and they are then dated back. So what was polled meanwhile waits: it
is left out where the events of that time come, and stored where the stream ends instead.
"""

from collections.abc import Sequence
from typing import NamedTuple

from scraper.delta.stamps import PERIOD_MS
from scraper.gateway.parse.phases import MeterValues
from shared.units import SECOND_MS

SILENT_S = 5.0
"""A stream that usually sends one event at a time is silent after this (seconds)."""
_BURSTS = 2.0
"""One that sends many at once is silent after the time of so many bursts: early firmware 7 fills a buffer of 22 s."""


class StandIn(NamedTuple):
    """One poll: its monotonic time (seconds), and what it gave."""

    at_s: float
    values: Sequence[MeterValues]


class StandIns:
    """What was polled while the stream was silent, and whether it is."""

    def __init__(self) -> None:
        self._waiting: list[StandIn] = []
        self._heard_s: float | None = None
        self._events = 1

    def is_silent(self, now_s: float) -> bool:
        """Whether the stream has been silent for longer than usual; `now_s`: monotonic time."""
        pause_s = max(SILENT_S, _BURSTS * self._events * PERIOD_MS / SECOND_MS)
        return self._heard_s is not None and now_s - self._heard_s > pause_s

    def add(self, now_s: float, values: Sequence[MeterValues]) -> None:
        """Hold a poll back."""
        self._waiting.append(StandIn(now_s, values))

    def take_uncovered(self, now_s: float, events: int) -> list[StandIn]:
        """The stream sent events that were made up to now: the polls of before their time; all others are dropped."""
        first_s = now_s - events * PERIOD_MS / SECOND_MS
        self._heard_s, self._events = now_s, events
        waiting, self._waiting = self._waiting, []
        return [one for one in waiting if one.at_s < first_s]

    def take_all(self) -> list[StandIn]:
        """The stream has ended: every poll that waits."""
        self._heard_s = None
        waiting, self._waiting = self._waiting, []
        return waiting
