"""Delivers messages: one task for each channel, in order, each attempt noted before it is made.

- A failed attempt is repeated after a back-off, without limit until a message is a week old.
- A message whose attempt was cut by the end of the process may have been sent. It is repeated only by a channel that
  tells a repetition by its id; every other channel never repeats it, and the log says so: at most once.
- A channel that cannot be reached holds up no other one.
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from typing import Any

import structlog

from receiver.alarms.book import Book
from receiver.alarms.book_file import BookError
from receiver.alarms.senders import AlarmSender, SendError
from receiver.metrics import Metrics
from shared.backoff import Backoff
from shared.clock import Clock
from shared.units import DAY_MS, MINUTE_S

LATE_MS = 7 * DAY_MS
"""A message that could not be sent for this long (milliseconds) is given up."""
_KEPT_MS = 400 * DAY_MS
"""Messages are remembered for this long (milliseconds): an end is told only where the beginning was."""
_FIRST_S = 10.0
_LONGEST_S = 15.0 * MINUTE_S
_IDLE_S = 30.0
_STOP_S = 5.0
_log = structlog.get_logger()


class AlarmDelivery:
    """The tasks.

    Args:
        book: Where messages are.
        senders: The channels.
        clock: When messages are due.
        metrics: Counts messages by channel and outcome.
    """

    def __init__(self, book: Book, senders: Sequence[AlarmSender], clock: Clock, metrics: Metrics) -> None:
        self._book = book
        self._clock = clock
        self._metrics = metrics
        self._senders = {sender.name: sender for sender in senders}
        self._backoffs = {
            name: Backoff(random.Random(), first_s=_FIRST_S, longest_s=_LONGEST_S, shortest_share=0.5)
            for name in self._senders
        }
        self._wakes = {name: asyncio.Event() for name in self._senders}
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._settling = asyncio.Lock()
        self._is_settled = False

    @property
    def channels(self) -> list[str]:
        """Names of the channels."""
        return list(self._senders)

    def start(self) -> None:
        """Begin to deliver."""
        self._tasks = [asyncio.create_task(self._run(name), name=f"alarms-{name}") for name in self._senders]

    def notice_messages(self) -> None:
        """There are new messages."""
        for event in self._wakes.values():
            event.set()

    async def stop(self) -> None:
        """End the tasks; an attempt that is under way may end first, for some seconds."""
        self._stopping.set()
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks, timeout=_STOP_S)
            for task in unfinished:
                task.cancel()
            if unfinished:
                await asyncio.wait(unfinished)

    async def settle(self) -> None:
        """Once after a start: decide about messages whose attempt was cut. Raises BookError."""
        async with self._settling:  # no channel takes a message before
            if self._is_settled:
                return
            repeating = [name for name, sender in self._senders.items() if sender.recognises_repetition]
            unsure = await self._book.settle_unfinished(repeating)
            self._is_settled = True
        if unsure:
            self._metrics.alarm_messages.labels("", "unsure").inc(unsure)
            _log.warning("the receiver ended while it sent; these messages may be missing, none is repeated", n=unsure)

    async def forget_old(self) -> None:
        """Give up what is too old, and forget what is older still. Raises BookError."""
        now = self._clock.now_ms()
        late = await self._book.forget(late_before=now - LATE_MS, before=now - _KEPT_MS)
        if late:
            self._metrics.alarm_messages.labels("", "late").inc(late)
            _log.error("messages of alarms could not be sent for a week and are given up", n=late)

    async def send_next(self, channel: str) -> float | None:
        """One attempt to send the next message of a channel that is due.

        Returns:
            Seconds after which to try again; 0 at once; None if nothing is due. Raises BookError.
        """
        await self.settle()
        notice = await self._book.take(channel, self._clock.now_ms())
        if notice is None:
            return None
        backoff = self._backoffs[channel]
        try:
            await self._senders[channel].send(notice)
        except SendError as error:
            await self._book.note(notice.id, "waiting")
            self._metrics.alarm_messages.labels(channel, "failed").inc()
            delay_s = backoff.draw_delay(error.retry_after_s)
            _log.warning("an alarm could not be sent", channel=channel, reason=str(error), again_in_s=round(delay_s))
            return delay_s
        backoff.succeed()
        await self._book.note(notice.id, "sent")
        self._metrics.alarm_messages.labels(channel, "sent").inc()
        _log.info("an alarm was sent", channel=channel, title=notice.title)
        return 0.0

    async def _run(self, channel: str) -> None:
        while not self._stopping.is_set():
            self._wakes[channel].clear()
            try:
                delay_s = await self.send_next(channel)
            except BookError as error:
                _log.error("messages of alarms wait", channel=channel, reason=str(error))
                delay_s = _LONGEST_S
            except Exception:  # noqa: BLE001 (the message is not sent again; the next one may be better)
                self._metrics.alarm_messages.labels(channel, "unsure").inc()
                _log.exception("sending an alarm failed", channel=channel)
                delay_s = _IDLE_S
            if delay_s is None:
                await self._rest(_IDLE_S, self._wakes[channel])
            elif delay_s > 0:
                await self._rest(delay_s)

    async def _rest(self, seconds: float, *wakes: asyncio.Event) -> None:
        """Wait for a time, for the end of the service, or for one of the events."""
        events = [asyncio.create_task(event.wait()) for event in (self._stopping, *wakes)]
        waits: list[asyncio.Task[Any]] = [asyncio.create_task(self._clock.sleep(seconds)), *events]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await wait
