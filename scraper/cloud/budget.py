"""The calls that an application may make in a minute and a month, counted in a file before each call is sent.

The limits are the application's: they hold for every process that uses its key, so running scraper and commands count
in one file. A call that was counted and not sent costs nothing but a call; one that was sent and not counted would.
"""

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from scraper.cloud.counting import (
    BudgetState,
    CallLimits,
    NoCall,
    QuotaRefusal,
    count_call,
    count_reserve,
    find_refusal,
    learn,
    roll_over,
)
from scraper.cloud.errors import CloudLaterError, CloudQuotaError
from shared.clock import Clock
from shared.files import UnsafeFileError, hold_lock, read_private, write_private

log = structlog.get_logger()

BUDGET_FILE = "cloud-budget.json"
SHORTEST_PAUSE_S = 900.0
"""The cloud has nothing new more often (seconds)."""
_JITTER_MS = {"minute": (1_000, 5_000), "month": (10_000, 300_000)}
"""How much later than the end of a period the first call is made."""


class BudgetView(NamedTuple):
    """How the budget stands.

    Attributes:
        used: Calls of this month.
        left: Calls that ordinary reading may still make this month.
        reserve: Calls beyond them, for renewals, repairs and `check`.
        limits: Which count now.
        month_ends_ms: When the month is over.
        blocked_until_ms: No call before that; None if one may be made.
    """

    used: int
    left: int
    reserve: int
    limits: CallLimits
    month_ends_ms: int
    blocked_until_ms: int | None


class Budget:
    """The budget of one application, in one file.

    Args:
        state_dir: Where the file lies.
        limits: ENVOY_CLOUD_MINUTE and ENVOY_CLOUD_MONTH.
        clock: Time.
        rng: Dice for the moment after a period.
    """

    def __init__(self, state_dir: Path, limits: CallLimits, clock: Clock, rng: random.Random) -> None:
        self._path = state_dir / BUDGET_FILE
        self._limits = limits
        self._clock = clock
        self._rng = rng

    def take(self, *, from_reserve: bool = False) -> None:
        """Count one call, which may be sent when this returns.

        Args:
            from_reserve: Whether it may be one of the last tenth of the month.

        Raises:
            CloudQuotaError: It may not be sent.
            CloudLaterError: It cannot be counted, so it must not be sent.
        """
        now_ms = self._clock.now_ms()
        with self._hold_file():
            state = roll_over(self._load(), now_ms)
            refused = find_refusal(state, self._limits, from_reserve=from_reserve)
            if refused is None:
                self._save(count_call(state, now_ms, from_reserve=from_reserve))
        if refused is not None:
            raise self._make_error(refused)

    def count_token_call(self) -> None:
        """Count a call of the token endpoint, which is never refused: whether it counts at Enphase is not known."""
        now_ms = self._clock.now_ms()
        with self._hold_file():
            self._save(count_call(roll_over(self._load(), now_ms), now_ms, from_reserve=True))

    def note_refusal(self, refusal: QuotaRefusal) -> CloudQuotaError:
        """Learn from a 429. Returns the error to raise."""
        now_ms = self._clock.now_ms()
        with self._hold_file():
            state = learn(roll_over(self._load(), now_ms), self._limits, refusal, now_ms)
            self._save(state)
        log.warning(
            "the Enphase API gives no more calls for now",
            period=refusal.period,
            limit=refusal.limit,
            until_ms=state.blocked_until_ms,
        )
        limits = state.find_limits(self._limits)
        limit = limits.month if state.blocked_by == "month" else limits.minute
        return self._make_error(NoCall(state.blocked_by, state.blocked_until_ms, limit), refusal)

    def note_answer(self) -> None:
        """A call was answered: the next 429 is the first in a row."""
        with self._hold_file():
            state = self._load()
            if state.refusals:
                self._save(msgspec.structs.replace(state, refusals=0))

    def read_view(self) -> BudgetView:
        """How it stands now. Raises CloudLaterError if the file cannot be read."""
        now_ms = self._clock.now_ms()
        with self._hold_file():
            state = roll_over(self._load(), now_ms)
        limits = state.find_limits(self._limits)
        reserve = min(count_reserve(state, limits.month), max(0, limits.month - state.used))
        return BudgetView(
            state.used,
            max(0, limits.month - reserve - state.used),
            reserve,
            limits,
            state.month_ends_ms,
            state.blocked_until_ms or None,
        )

    def compute_pause_s(self, calls: int) -> float:
        """Seconds between two passes of so many calls each, so that the calls that are left last until the month ends.

        Raises CloudLaterError if the file cannot be read.
        """
        view = self.read_view()
        left_s = max(0.0, (view.month_ends_ms - self._clock.now_ms()) / 1000)
        if not view.left:
            return max(SHORTEST_PAUSE_S, left_s)
        return max(SHORTEST_PAUSE_S, float(-(-calls * left_s // view.left)))

    @contextlib.contextmanager
    def _hold_file(self) -> Iterator[None]:
        """Keep every other process from the file; what the disk says becomes our error."""
        try:
            with hold_lock(self._path):
                yield
        except (OSError, UnsafeFileError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise CloudLaterError(
                f"{self._path} cannot be read and written ({reason}): no call is made without its count"
            ) from error

    def _load(self) -> BudgetState:
        try:
            return msgspec.json.decode(read_private(self._path), type=BudgetState)
        except FileNotFoundError:
            return BudgetState()
        except (msgspec.DecodeError, RecursionError):
            # written whole or not at all: somebody else's hand. A count from 0 is corrected by the first 429.
            log.warning("the file of the cloud's budget makes no sense; counting begins from 0", file=str(self._path))
            return BudgetState()

    def _save(self, state: BudgetState) -> None:
        write_private(self._path, msgspec.json.encode(state))

    def _make_error(self, refused: NoCall, refusal: QuotaRefusal | None = None) -> CloudQuotaError:
        period = refused.period if refused.period in _JITTER_MS else "minute"
        retry_at_ms = refused.until_ms + round(self._rng.uniform(*_JITTER_MS[period]))
        who = "by its own count" if refusal is None else "by the word of the API"
        return CloudQuotaError(
            f"the {refused.limit} calls of this {period} are used up, {who}; the next one is made when it is over",
            retry_at_ms,
            period_end_ms=refused.until_ms,
            limit=refused.limit,
            period=period,
        )
