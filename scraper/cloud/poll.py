"""The job of the cloud source: passes over the types, spread so that the month's calls last, and a repair each morning.

A type that cannot be read leaves the others alone. What needs a person, or a new period of calls, ends the pass; what
is in the outbox is delivered meanwhile.
"""

from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from scraper.cloud.errors import CloudError, CloudLaterError, CloudQuotaError
from scraper.cloud.kept import KeptCloud
from scraper.cloud.parse.systems import parse_system
from scraper.cloud.questions import Asker
from scraper.cloud.rules.pauses import find_day, find_day_to_repair, find_next_pass_s, find_repair_s
from scraper.cloud.rules.progress import Stretch
from scraper.collect.health import Health
from scraper.errors import BadReplyError, OutboxUnavailableError, PersonNeededError
from scraper.events import make_event
from shared.clock import Clock
from shared.fields import MAX_TEXT
from shared.units import HOUR_S, MINUTE_MS, SECOND_MS

log = structlog.get_logger()

LOOK_S = 60.0
"""How often to look whether a pass is due, or a person has acted (seconds)."""
_UNKNOWN_PAUSE_S = float(HOUR_S)
_LONG_MS = 10 * MINUTE_MS
"""A shorter wait for calls is no event."""


class Spreading(Protocol):
    """Who knows how many calls are left."""

    def compute_pause_s(self, calls: int) -> float:
        """Seconds between two passes of so many calls each, so that they last. Raises CloudLaterError."""
        ...


class CloudReader(Protocol):
    """Who reads something of the system."""

    @property
    def name(self) -> str:
        """For health and logs."""
        ...

    @property
    def calls(self) -> int:
        """Of a pass."""
        ...

    def is_due(self, now_s: float) -> bool:
        """Whether a pass asks anything."""
        ...

    async def read_new(self) -> bool:
        """Read until now; whether anything came that was worth it."""
        ...

    async def repair(self, day: Stretch) -> None:
        """Read a day that is over again."""
        ...


class CloudPoller:
    """Polls one system.

    Args:
        api: Asked.
        budget: Spreads the calls.
        kept: The state.
        readers: One for each type.
        health: Written.
        clock: Time.
        system_id: Which system.
    """

    def __init__(
        self,
        api: Asker,
        budget: Spreading,
        kept: KeptCloud,
        readers: Sequence[CloudReader],
        health: Health,
        clock: Clock,
        *,
        system_id: int,
    ) -> None:
        self._api = api
        self._budget = budget
        self._kept = kept
        self._readers = readers
        self._health = health
        self._clock = clock
        self._system_id = system_id
        self._not_before_s = 0.0
        if kept.state.passed_s:
            self._note_contact()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            now_s = self._read_second()
            due_s = self.find_due_s()
            if now_s >= due_s:
                await self.make_pass()
            else:
                await self._clock.sleep(min(due_s - now_s, LOOK_S))

    def find_due_s(self) -> float:
        """When the next pass is due (epoch seconds)."""
        state = self._kept.state
        if not state.passed_s or state.passed_s > self._read_second() + LOOK_S:  # a clock that was wrong
            return self._not_before_s
        calls = sum(reader.calls for reader in self._readers if reader.is_due(self._read_second()))
        try:
            pause_s = self._budget.compute_pause_s(max(1, calls))
        except CloudLaterError:
            pause_s = _UNKNOWN_PAUSE_S
        zone = self._find_zone()
        due_s = find_next_pass_s(state.passed_s, pause_s, state.quiet, zone)
        return max(self._not_before_s, min(due_s, find_repair_s(state.passed_s, zone)))

    async def make_pass(self) -> None:
        """Read every type once, and yesterday again if that is due. Raises nothing that passes."""
        now_s = self._read_second()
        self._not_before_s = now_s + LOOK_S
        try:
            if not self._kept.state.is_blocked:  # else each look would be written down
                await self._kept.keep(passed_s=now_s)
            await self._learn_place()
            is_lively = False
            for reader in self._readers:
                if reader.is_due(now_s):
                    is_lively |= await self._read(reader)
            await self._kept.keep(quiet=0 if is_lively else self._kept.state.quiet + 1)
            await self._repair()
        except PersonNeededError as error:
            await self._need_person(error)
        except CloudQuotaError as error:
            await self._await_calls(error)
        except OutboxUnavailableError as error:
            log.error("what the cloud said cannot be stored", reason=str(error))

    async def _learn_place(self) -> None:
        """Ask for the time zone, once."""
        if not self._kept.state.time_zone:
            started = self._clock.monotonic()
            try:
                system = parse_system(await self._api.fetch(f"systems/{self._system_id}"))
            except (CloudQuotaError, PersonNeededError):
                raise
            except (CloudError, BadReplyError) as error:
                self._note_failure("identify", error, started)
                return
            await self._kept.keep(time_zone=system.time_zone)
        self._note_contact()

    async def _read(self, reader: CloudReader) -> bool:
        started = self._clock.monotonic()
        try:
            is_lively = await reader.read_new()
        except (CloudQuotaError, PersonNeededError, OutboxUnavailableError) as error:
            self._health.note_failure(reader.name, seconds=self._clock.monotonic() - started, problem=str(error))
            raise
        except (CloudError, BadReplyError) as error:
            self._note_failure(reader.name, error, started)
            return False
        now_ms = self._clock.now_ms()
        self._health.note_success(reader.name, seconds=self._clock.monotonic() - started, now_ms=now_ms)
        self._note_contact()
        if self._health.person_needed is not None or self._kept.state.is_blocked:
            log.info("the cloud answers again")
            self._health.person_needed = None
            await self._kept.keep(is_blocked=False, passed_s=self._read_second())
        return is_lively

    async def _repair(self) -> None:
        """Read yesterday again, once a day; what fails for now is tried at the next pass."""
        zone = self._find_zone()
        day = find_day_to_repair(self._read_second(), zone)
        if day is None or self._kept.state.repaired == day.isoformat():
            return
        is_done = True
        for reader in self._readers:
            try:
                await reader.repair(find_day(day, zone))
            except CloudQuotaError:
                raise
            except (CloudError, BadReplyError) as error:
                is_done &= not isinstance(error, CloudLaterError)
                log.info("yesterday is not read again", type=reader.name, reason=str(error))
        if is_done:
            await self._kept.keep(repaired=day.isoformat())

    async def _need_person(self, error: PersonNeededError) -> None:
        """Say it once, and look again: nothing is asked of the cloud before somebody has acted."""
        if self._health.person_needed != str(error):
            log.error("somebody must act; what was read before is still delivered", reason=str(error))
        self._health.person_needed = str(error)
        # the pass that could not be made is made as soon as it can be
        rows = [] if self._kept.state.is_blocked else [make_event("grant", self._clock.now_ms(), _shorten(error))]
        try:
            await self._kept.keep(rows, passed_s=0.0, is_blocked=True)
        except OutboxUnavailableError as failure:
            log.error("the event of the grant cannot be stored", reason=str(failure))

    async def _await_calls(self, error: CloudQuotaError) -> None:
        """Wait for the next period. One that is long in coming is an event."""
        now_ms = self._clock.now_ms()
        end_ms = error.retry_at_ms or error.period_end_ms or now_ms + round(_UNKNOWN_PAUSE_S * SECOND_MS)
        self._not_before_s = max(self._not_before_s, end_ms / SECOND_MS)
        is_short = end_ms - now_ms < _LONG_MS
        if is_short or end_ms <= round(self._kept.state.quota_until_s * SECOND_MS) + _LONG_MS:
            return
        log.warning("no calls are left; nothing is read until the next period", until_ms=end_ms)
        period_end_ms = error.period_end_ms or end_ms
        event = make_event("quota", now_ms, _shorten(error), end_ms=period_end_ms)
        try:
            await self._kept.keep([event], quota_until_s=end_ms / SECOND_MS)
        except OutboxUnavailableError as failure:
            log.error("the event of the quota cannot be stored", reason=str(failure))

    def _find_zone(self) -> tzinfo:
        name = self._kept.state.time_zone
        try:
            return ZoneInfo(name) if name else UTC
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return UTC

    def _note_contact(self) -> None:
        self._health.time_zone = self._kept.state.time_zone
        self._health.note_success("identify", seconds=0.0, now_ms=self._clock.now_ms())

    def _note_failure(self, name: str, error: Exception, started: float) -> None:
        known = self._health.endpoints.get(name)
        if known is None or known.problem != str(error):
            log.info("not read", job=name, reason=str(error))
        self._health.note_failure(name, seconds=self._clock.monotonic() - started, problem=str(error))

    def _read_second(self) -> float:
        return self._clock.now_ms() / SECOND_MS


def _shorten(error: Exception) -> str:
    return str(error)[:MAX_TEXT]
