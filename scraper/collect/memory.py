"""What must outlive the process, in the outbox beside the rows: whose data it holds, its stamps, clock correction, gap.

Guarantee: a change is committed in the transaction of the readings that it belongs to, and shows only after that.
"""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from scraper.delta.host_clock import StepRecord
from scraper.delta.stamps import StampState
from scraper.outbox.thread import OutboxThread
from shared.readings import Reading

NOTHING = msgspec.Raw(b"null")


class MemoryState(msgspec.Struct, frozen=True):
    """The values as they were committed last.

    Attributes:
        serial: The serial number of the gateway whose readings the outbox holds; empty until it is known.
        epoch: Steps back of the host's clock so far (see `scraper.delta.stamps`).
        newest_stamp_ms: The newest stamp given to a committed sample.
        last_poll_ms: When inverters last answered; updated once a minute where there are no meters.
        clock_correction_ms: Gateway clock minus host clock, as far as report dates are corrected by it.
        gap_start_ms: The time since which samples are missing; None while they arrive.
        steps: The latest steps of the host's clock, oldest first.
        outage_start_ms: The time since which the house is cut off from the grid; None while it is not.
        cloud: What the cloud source keeps, as it wrote it; null where there is none.
    """

    serial: str = ""
    epoch: int = 0
    newest_stamp_ms: int = 0
    last_poll_ms: int = 0
    clock_correction_ms: int = 0
    gap_start_ms: int | None = None
    steps: tuple[StepRecord, ...] = ()
    outage_start_ms: int | None = None
    cloud: msgspec.Raw = NOTHING


class MemoryChange(msgspec.Struct, frozen=True, kw_only=True):
    """Some values of a `MemoryState`; those that are left out stay as they are."""

    serial: str | UnsetType = UNSET
    epoch: int | UnsetType = UNSET
    newest_stamp_ms: int | UnsetType = UNSET
    last_poll_ms: int | UnsetType = UNSET
    clock_correction_ms: int | UnsetType = UNSET
    gap_start_ms: int | UnsetType | None = UNSET
    steps: tuple[StepRecord, ...] | UnsetType = UNSET
    outage_start_ms: int | UnsetType | None = UNSET
    cloud: msgspec.Raw | UnsetType = UNSET


NO_CHANGE = MemoryChange()

_NAMES = MemoryState.__struct_fields__
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(MemoryState)


class DurableMemory:
    """Small values that survive a restart. One commit at a time: once the scraper runs, only its `Recorder` commits.

    Attributes:
        state: The values as they are now.
    """

    def __init__(self, outbox: OutboxThread) -> None:
        self._outbox = outbox
        self.state = MemoryState()

    async def load(self) -> None:
        """Read what the last process left."""
        found = await self._outbox.read_memory()
        self.state = MemoryState() if found is None else _decoder.decode(found)

    async def commit(self, readings: Sequence[Reading], change: MemoryChange = NO_CHANGE) -> None:
        """Commit readings (none is fine) and a change in one transaction.

        Raises OutboxUnavailableError: neither is known to be committed, and the state stays.
        """
        if change is NO_CHANGE:
            await self._outbox.append(readings)
        else:
            await self._append(readings, self._apply(change))

    async def start_over(self, serial: str) -> None:
        """Forget everything: the outbox is empty and belongs to this gateway from now on."""
        await self._append([], MemoryState(serial=serial))

    @property
    def last_sample_ms(self) -> int:
        """When samples last came, as far as a start after a kill can know; 0 before the first."""
        return max(self.state.newest_stamp_ms, self.state.last_poll_ms)

    @property
    def stamps(self) -> StampState:
        """Where the stamps of committed samples stand."""
        return StampState(self.state.epoch, self.state.newest_stamp_ms)

    def _apply(self, change: MemoryChange) -> MemoryState:
        values = {name: value for name in _NAMES if (value := getattr(change, name)) is not UNSET}
        return msgspec.structs.replace(self.state, **values)

    async def _append(self, readings: Sequence[Reading], state: MemoryState) -> None:
        await self._outbox.append(readings, memory=_encoder.encode(state))
        self.state = state
