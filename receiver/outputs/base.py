"""What every output promises, and what a durable one is asked to deliver."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from shared.readings import Reading

_NOTHING: Mapping[str, int] = MappingProxyType({})


class OutputError(Exception):
    """A target did not take what it was given. The message is a sentence for the log, without a secret.

    Attributes:
        reason: A word for metrics: `unreachable`, `refused`, `busy` or `login`.
        retry_after_s: Not sooner, in seconds, where the target says so.
        is_general: Whether the target itself fails, so that nothing else would be taken, either.
    """

    def __init__(self, text: str, reason: str, retry_after_s: float | None = None, *, is_general: bool = False) -> None:
        super().__init__(text)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.is_general = is_general


class Slice(NamedTuple):
    """A stretch of time of one gateway.

    Attributes:
        gateway: Its serial.
        start: First instant that is in, milliseconds since 1970.
        stop: First instant that is out.
        kinds: Kinds that readings came of; None: any.
        is_late: Whether it was delivered before, and readings of it came afterwards.
        newest: What `Delivered.newest` said of the gateway so far, also before a restart.
    """

    gateway: str
    start: int
    stop: int
    kinds: frozenset[str] | None
    is_late: bool
    newest: Mapping[str, int] = _NOTHING


class Delivered(NamedTuple):
    """What a target took.

    Attributes:
        sent: Rows that it said yes to: lines, slots and reports, or statuses and days. Not what it had already.
        put_aside: Rows that it refuses for good; the first of them were named in the log.
        until: Up to where the slice was delivered, if not all of it: the rest is not complete yet, and comes again. Of
            late readings all of it comes again then.
        is_silent: Whether nothing is stored after `until`, so that it lacks nothing.
        newest: By name of what the target must not get in disorder the newest time that it took, as far as this slice
            changes it.
    """

    sent: int = 0
    put_aside: int = 0
    until: int | None = None
    is_silent: bool = False
    newest: Mapping[str, int] = _NOTHING


class OutputState(NamedTuple):
    """How far an output is with one gateway.

    Attributes:
        output: Its name.
        gateway: Serial.
        behind_ms: Age of the oldest instant that the target does not have yet; 0 while it is up to date.
        problem: Why it does not go on, as a sentence; None while it does.
    """

    output: str
    gateway: str
    behind_ms: int
    problem: str | None


class Target(Protocol):
    """Where a durable output delivers to. One call at a time."""

    @property
    def name(self) -> str:
        """Its name, for settings, log and metrics."""
        ...

    @property
    def period_s(self) -> float:
        """How often (seconds) there is something new to deliver."""
        ...

    @property
    def hold_ms(self) -> int:
        """For how long (milliseconds) an instant is waited for: its readings come a little later than it."""
        ...

    @property
    def slice_ms(self) -> int:
        """Slices begin and end at multiples of it, but for those of late readings: at full minutes."""
        ...

    def is_wanted(self, gateway: str) -> bool:
        """Whether the owner sends this gateway there."""
        ...

    async def deliver(self, part: Slice) -> Delivered:
        """Deliver all that the store has of a slice; delivering it again must be harmless.

        Raises:
            OutputError: Some of it may have been taken; the same slice comes again later.
            StoreUnavailableError: The same.
        """
        ...

    def forget(self, gateway: str) -> None:
        """Remember nothing of what was sent of a gateway: somebody wants it sent again, whatever the target has."""
        ...

    async def check(self, gateways: Sequence[str]) -> str:
        """Ask without writing whether these gateways' values would be taken, and say where they would go.

        Raises:
            OutputError: They would not; the message says why.
        """
        ...

    async def close(self) -> None:
        """Let go of connections. No call may follow."""
        ...


class Output(Protocol):
    """One configured output, as the receiver runs it."""

    @property
    def name(self) -> str:
        """Its name, for log and metrics."""
        ...

    def note(self, gateway: str, readings: Sequence[Reading]) -> None:
        """Take notice of readings that were stored just now. Called on the way of ingest: quick, and it never waits."""
        ...

    async def run(self) -> None:
        """Work until cancelled."""
        ...

    def list_states(self, now_ms: int) -> list[OutputState]:
        """How far it is with each gateway."""
        ...

    async def close(self) -> None:
        """Keep what must be kept, and let go of everything. No call may follow."""
        ...
