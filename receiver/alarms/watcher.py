"""Watches: every gateway is judged once a minute, and what turned is kept with the messages that tell of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from receiver.alarms.book import Book, NewMessage
from receiver.alarms.definitions import DEFINITIONS, Severity
from receiver.alarms.facts import Condition
from receiver.alarms.hours import QuietHours, find_digest_day
from receiver.alarms.judgement import judge_disks, judge_gateway, judge_outputs
from receiver.alarms.messages import make_digest, make_notice, name_notice
from receiver.alarms.reading import FactsReader, read_disks
from receiver.alarms.states import AlarmKey, AlarmState, AlarmTurn, Phase, advance, is_over, name_key
from receiver.metrics import Metrics
from receiver.outputs.base import OutputState
from receiver.sites.model import Site
from receiver.stores.base import GatewaySummary, StoreUnavailableError
from shared.clock import Clock

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Habits:
    """When and to whom alarms are told.

    Attributes:
        quiet: Hours in which only critical alarms are told.
        digest: Time of the daily digest.
        link: Where the page is, if people can open it.
        disks: The receiver's directories whose disks are watched, by what they are for.
    """

    quiet: QuietHours | None = None
    digest: time | None = None
    link: str | None = None
    disks: Mapping[str, Path]


class Watcher:
    """Judges and keeps.

    Args:
        reader: Asks the store.
        book: Keeps states and messages.
        channels: Names of the channels that messages are made for.
        site_of: What the owner says of a gateway, by serial.
        list_outputs: How far every output is.
        habits: When alarms are told.
        clock: What time it is.
        metrics: Shows what fires.
    """

    def __init__(
        self,
        reader: FactsReader,
        book: Book,
        channels: Sequence[str],
        *,
        site_of: Callable[[str], Site],
        list_outputs: Callable[[], Sequence[OutputState]],
        habits: Habits,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._reader = reader
        self._book = book
        self._channels = channels
        self._site_of = site_of
        self._list_outputs = list_outputs
        self._habits = habits
        self._clock = clock
        self._metrics = metrics
        self._states: dict[AlarmKey, AlarmState] | None = None
        self._zone = ZoneInfo("UTC")
        self._digest_day: str | None = None

    @property
    def states(self) -> Mapping[AlarmKey, AlarmState] | None:
        """All alarms that are known; None while the book could not be read."""
        return self._states

    async def load(self) -> None:
        """Read the states from the book, once. Raises BookError."""
        if self._states is None:
            self._states = await self._book.load()
            self._count(self._states)

    async def run_once(self) -> bool:
        """Judge everything once.

        Returns:
            Whether there are new messages.

        Raises:
            BookError: Nothing was kept; the next pass judges again.
        """
        await self.load()
        states = dict(self._states or {})
        now = self._clock.now_ms()
        messages: list[NewMessage] = []
        changes: dict[AlarmKey, AlarmState | None] = {}
        for condition in await self._judge(now):
            key = name_key(condition)
            step = advance(states.get(key), condition, now)
            if step.state != states.get(key):
                changes[key] = step.state
            if step.turn is not None and step.state is not None:
                messages += self._make_messages(key, step.state, step.turn, now)
        states.update({key: state for key, state in changes.items() if state is not None})
        gone = [key for key, state in states.items() if changes.get(key, state) is None or is_over(state, now)]
        changes.update(dict.fromkeys(gone))
        for key in gone:
            del states[key]
        day, digests = self._make_digests(states, now)
        messages += digests
        await self._book.commit(changes, messages, now)
        self._states, self._digest_day = states, day
        self._count(states)
        self._metrics.alarms_judged.set(now / 1000)
        return bool(messages)

    async def _judge(self, now: int) -> list[Condition]:
        """Every condition that can be asked about; a store that is away says nothing of any gateway."""
        found = [*judge_disks(read_disks(self._habits.disks)), *judge_outputs(self._list_outputs())]
        try:
            summaries = await self._reader.list_gateways(now)
        except StoreUnavailableError as error:
            _log.warning("alarms of gateways cannot be judged; they stay as they are", reason=str(error))
            return found
        if summaries:
            self._zone = self._site_of(summaries[0].gateway).zone
        for summary in summaries:
            found += await self._judge_gateway(summary, now)
        return found

    async def _judge_gateway(self, summary: GatewaySummary, now: int) -> list[Condition]:
        try:
            return judge_gateway(await self._reader.read(summary, now))
        except StoreUnavailableError as error:
            _log.warning("alarms cannot be judged; they stay as they are", gateway=summary.gateway, reason=str(error))
        except Exception:  # noqa: BLE001 (whatever is wrong with this gateway, the others are watched)
            _log.exception("alarms cannot be judged; they stay as they are", gateway=summary.gateway)
        return []

    def _make_messages(self, key: AlarmKey, state: AlarmState, turn: AlarmTurn, now: int) -> list[NewMessage]:
        site = self._site_of(key.gateway)
        zone = site.zone if key.gateway else self._zone
        is_critical = DEFINITIONS[key.alarm].severity is Severity.CRITICAL
        quiet = None if is_critical else self._habits.quiet
        not_before = now if quiet is None else quiet.find_end(now, zone)
        began = state.began or state.since
        return [
            NewMessage(
                channel,
                make_notice(channel, key, state, turn, zone=zone, name=site.name, link=self._habits.link),
                not_before,
                None if turn is AlarmTurn.BEGAN else name_notice(channel, key, AlarmTurn.BEGAN, began),
            )
            for channel in self._channels
        ]

    def _make_digests(self, states: Mapping[AlarmKey, AlarmState], now: int) -> tuple[str | None, list[NewMessage]]:
        """The digest of today where it is due; the book takes it once."""
        at = self._habits.digest
        day = None if at is None else find_digest_day(at, now, self._zone)
        if day is None or day == self._digest_day:
            return self._digest_day, []
        return day, [NewMessage(channel, make_digest(channel, day, states, now), now) for channel in self._channels]

    def _count(self, states: Mapping[AlarmKey, AlarmState]) -> None:
        gauge = self._metrics.alarms_firing
        gauge.clear()
        for key in list_firing(states):
            gauge.labels(key.alarm, key.gateway).inc()


def list_firing(states: Mapping[AlarmKey, AlarmState]) -> Iterable[AlarmKey]:
    """The alarms that fire."""
    return [key for key, state in states.items() if state.phase is Phase.FIRING]
