"""The loop that empties the outbox into the receiver, without end.

Guarantees: rows leave the outbox only by a verdict that names their batch; the newest readings never wait behind a
backlog (each round posts the newest rows before the oldest); one bad row cannot block the others (bisection); neither
a receiver that refuses everything nor a clock that is wrong can turn the queue into dead letters.
"""

import asyncio
import contextlib
import functools
import random
import secrets
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from scraper.errors import OutboxError
from scraper.outbox import OutboxRow
from scraper.outbox.thread import OutboxThread
from scraper.uplink import misdated_rows
from scraper.uplink.misdated_rows import KnownSteps
from scraper.uplink.replies import PERSON_S, RIGHTS_S, Judgement, Meaning, Renew, Split, Wait, understand
from scraper.uplink.sender import NoAnswer, Sender
from scraper.uplink.signer import MOST_OFFSET_S, Signer
from shared import wire
from shared.backoff import Backoff
from shared.clock import Clock

log = structlog.get_logger()

MIN_ROWS = 16
"""Batches shrink to this on a bad line, so that something always gets through."""
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 300.0
TOO_LARGE = 413
SUSPICIOUS = 5
"""After this many refused single rows without one accepted, the receiver is what fails, not the rows."""


@dataclass
class UplinkState:
    """What `check`, the status port and the gateway's own status reading show.

    Attributes:
        problem: Why the last post failed, in words; None when it succeeded.
        person_needed: Whether somebody must act.
        watched: Whether somebody looks at live values now: post after every commit.
        last_success_ms: Wall time of the last verdict, or None.
    """

    problem: str | None = None
    person_needed: bool = False
    watched: bool = False
    last_success_ms: int | None = None
    posts: int = 0
    delivered: int = 0
    refused: int = 0


class _PausedError(Exception):
    def __init__(self, wait: Wait) -> None:
        super().__init__(wait.reason)
        self.wait = wait


class Uplink:
    """Delivers the queue of one gateway.

    Args:
        queue: Where committed rows wait.
        sender: Posts one batch.
        signer: Mints tokens.
        clock: Time.
        interval_s: Seconds between posts in steady state.
        rng: Spreads what is tried again.
        known_steps: The steps of this host's clock.
    """

    def __init__(
        self,
        queue: OutboxThread,
        sender: Sender,
        signer: Signer,
        clock: Clock,
        *,
        interval_s: float,
        rng: random.Random,
        known_steps: KnownSteps = misdated_rows.give_no_steps,
    ) -> None:
        self._known_steps = known_steps
        self._queue = queue
        self._sender = sender
        self._signer = signer
        self._clock = clock
        self._interval_s = interval_s
        self._rng = rng
        self._backoff = Backoff(rng, first_s=FIRST_WAIT_S, longest_s=LONGEST_WAIT_S)
        self._limit = wire.MAX_ROWS
        self._refused_in_a_row = 0
        self._without_rights = False
        self.state = UplinkState()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._queue.committed.clear()
            try:
                if self._without_rights:
                    await self._ask_for_rights()
                await self.drain()
            except _PausedError as paused:
                await self._clock.sleep(self._pause(paused.wait))
                continue
            except OutboxError as error:
                # What was delivered and could not be deleted is sent again later, which is harmless.
                await self._clock.sleep(self._pause(Wait(str(error))))
                continue
            if self.state.watched:
                await _wait_for_first(self._queue.committed.wait(), self._clock.sleep(self._interval_s))
            else:
                await self._clock.sleep(self._interval_s)

    async def drain(self) -> None:
        """Post until the outbox is empty: the newest rows first, then the oldest, in turn.

        Where the newest cannot be taken yet, because two clocks disagree, the oldest go on.
        """
        if self._clock.now_ms() < wire.EARLIEST_MS:
            raise _PausedError(misdated_rows.NOT_SET)
        rows = await self._queue.read_newest(self._limit, wire.MAX_BYTES)
        wait = False
        while rows:
            wait = wait or await self._deliver(rows)
            rows = await self._queue.read_oldest(self._limit, wire.MAX_BYTES)
            if rows and await self._deliver(rows):
                raise _PausedError(misdated_rows.DISAGREE)
            if rows and not wait:
                rows = await self._queue.read_newest(self._limit, wire.MAX_BYTES)

    async def drain_once(self) -> None:
        """One last attempt at the end of the process: what is not delivered now waits in the outbox."""
        with contextlib.suppress(_PausedError):
            await self.drain()

    def _pause(self, wait: Wait) -> float:
        if wait.reason != self.state.problem:
            log.warning("uplink waits", reason=wait.reason, person_needed=wait.person)
        self.state.problem = wait.reason
        self.state.person_needed = wait.person
        self.state.watched = False
        self._without_rights = wait.rights
        if wait.rights:  # somebody is likely to be at it now, and what is asked costs next to nothing
            return self._rng.uniform(1.0, 1.1) * RIGHTS_S
        return self._backoff.draw_delay(wait.after_s)

    async def _ask_for_rights(self) -> None:
        """Raise _PausedError while the receiver does not let this scraper write."""
        if isinstance(meaning := await self._post_renewed([]), Renew):
            raise _PausedError(self._select_not_accepted(meaning.receiver_now_s))
        if isinstance(meaning, Wait):
            raise _PausedError(meaning)
        self._without_rights = False

    async def _post_renewed(self, rows: Sequence[OutboxRow]) -> Meaning:
        """Post, and once more with a new token if the first is not accepted."""
        meaning = await self._post(rows)
        if isinstance(meaning, Renew):
            self._signer.renew(now_s=self._clock.now_ms() // 1000, receiver_now_s=meaning.receiver_now_s)
            meaning = await self._post(rows)
        return meaning

    async def _deliver(self, rows: Sequence[OutboxRow]) -> bool:
        """Post rows and obey the answer; True if some of them stay because two clocks disagree."""
        meaning = await self._post_renewed(rows)
        match meaning:
            case Judgement(verdict):
                return await self._settle(rows, verdict)
            case Split(code) if len(rows) > 1:
                # Newer rows first: an accepted one shows that the receiver is not why the others are refused.
                middle = len(rows) // 2
                newer_wait = await self._deliver(rows[middle:])
                return await self._deliver(rows[:middle]) or newer_wait
            case Split(code):
                await self._refuse(rows[0], code)
            case Renew(receiver_now_s):
                raise _PausedError(self._select_not_accepted(receiver_now_s))
            case Wait():
                raise _PausedError(meaning)
        return False

    def _select_not_accepted(self, receiver_now_s: int | None) -> Wait:
        """Why no token is accepted: a clock that is far off, or a key that the receiver does not know."""
        off_s = 0 if receiver_now_s is None else abs(receiver_now_s - self._clock.now_ms() // 1000)
        if off_s > MOST_OFFSET_S:
            return misdated_rows.DISAGREE
        return Wait(_NOT_ACCEPTED, RIGHTS_S, person=True, rights=True)

    async def _post(self, rows: Sequence[OutboxRow]) -> Meaning:
        batch = secrets.token_hex(8)
        body = wire.encode_batch(
            batch=batch, outbox=self._queue.outbox_id, rows=[(row.seq, row.payload) for row in rows]
        )
        self.state.posts += 1
        answer = await self._sender.post(body, self._signer.get_token(self._clock.now_ms() // 1000))
        if isinstance(answer, NoAnswer) or answer.status == TOO_LARGE:
            # A line that drops or crawls carries small batches better; a proxy may bound bodies more than we do.
            self._limit = max(MIN_ROWS, self._limit // 2)
        if isinstance(answer, NoAnswer):
            return Wait(answer.reason)
        return understand(
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            batch=batch,
            seqs=[row.seq for row in rows],
        )

    async def _settle(self, rows: Sequence[OutboxRow], verdict: wire.Verdict) -> bool:
        rejected = {row.seq: row.code for row in verdict.rejected}
        accepted = [row.seq for row in rows if row.seq not in rejected]
        early = misdated_rows.find_early(rows, rejected, self._clock.now_ms())
        moved = await self._restamp(rows, rejected)
        for seq in early | moved:
            rejected.pop(seq, None)
        await self._queue.settle(accepted, rejected)
        if rejected or verdict.ignored:
            codes = sorted(set(rejected.values()))
            ignored = verdict.ignored[: wire.MOST_IGNORED]
            log.warning("receiver left rows out", rejected=len(rejected), codes=codes, ignored=ignored)
        if not early:
            self._note_success(verdict)
        self.state.delivered += len(accepted)
        self.state.refused += len(rejected)
        return bool(early)

    async def _restamp(self, rows: Sequence[OutboxRow], rejected: dict[int, str]) -> frozenset[int]:
        """Give all rows that a wrong clock stamped the right time, now that the receiver has refused some of them."""
        if not rejected:
            return frozenset()
        steps, now_ms = await self._known_steps(), self._clock.now_ms()
        if not misdated_rows.find_misdated(rows, rejected, steps, now_ms):
            return frozenset()
        moved = await self._queue.restamp(functools.partial(misdated_rows.move_row, steps=steps, now_ms=now_ms))
        log.warning("readings that a wrong clock had stamped were given the right time", readings=len(moved))
        return moved

    def _note_success(self, verdict: wire.Verdict) -> None:
        if self.state.problem is not None:
            log.info("uplink works again")
        self._backoff.succeed()
        self._limit = min(wire.MAX_ROWS, self._limit * 2)
        self._refused_in_a_row = 0
        self.state.problem = None
        self.state.person_needed = False
        self.state.watched = verdict.watched
        self.state.last_success_ms = self._clock.now_ms()

    async def _refuse(self, row: OutboxRow, code: str) -> None:
        """A row that the receiver cannot take even alone becomes a dead letter."""
        self._refused_in_a_row += 1
        if self._refused_in_a_row > SUSPICIOUS:
            raise _PausedError(Wait(_REFUSES_ALL, PERSON_S, person=True))
        log.warning("row refused, kept as a dead letter", seq=row.seq, code=code)
        await self._queue.settle([], {row.seq: code})
        self.state.refused += 1


_NOT_ACCEPTED = (
    "the receiver does not accept this scraper's signature: ENVOY_RECEIVER_SECRET must equal RECEIVER_SECRET, or the "
    "key must be known to the receiver (`envoy-scraper key`, then `envoy-receiver keys add`); if the receiver has a "
    "RECEIVER_NAME, ENVOY_RECEIVER_NAME must be the same"
)
_REFUSES_ALL = "the receiver refuses every row as unreadable: scraper and receiver do not fit together, upgrade both"


async def _wait_for_first(*waits: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
