"""What must outlive the process, kept beside the outbox: whose data it holds, its stamps, clock correction, gap."""

import msgspec

from scraper.delta.stamps import StampState
from scraper.outbox_thread import OutboxThread


class Kept(msgspec.Struct, forbid_unknown_fields=False):
    """The persisted values; every one has a default, so that an older or newer file can be read."""

    serial: str = ""
    lane: int = 0
    newest_stamp_ms: int = 0
    clock_correction_ms: int = 0
    gap_start_ms: int | None = None


class Memory:
    """Small values that survive a restart.

    Attributes:
        kept: The values as they are now.
    """

    _NAME = "memory"

    def __init__(self, outbox: OutboxThread) -> None:
        self._outbox = outbox
        self.kept = Kept()

    async def load(self) -> None:
        """Read what the last process kept."""
        text = await self._outbox.meta_get(self._NAME)
        if text:
            self.kept = msgspec.json.decode(text, type=Kept)

    async def save(self) -> None:
        """Keep the values as they are now."""
        await self._outbox.meta_set(self._NAME, msgspec.json.encode(self.kept).decode())

    def with_clock_correction(self, correction_ms: int) -> dict[str, str]:
        """What to keep in the transaction that records a new correction of the gateway's clock."""
        changed = msgspec.structs.replace(self.kept, clock_correction_ms=correction_ms)
        return {self._NAME: msgspec.json.encode(changed).decode()}

    @property
    def stamps(self) -> StampState:
        """Where the meter stamps stood."""
        return StampState(self.kept.lane, self.kept.newest_stamp_ms)

    async def remember_stamps(self, state: StampState) -> None:
        """Keep where the meter stamps stand, if they moved."""
        if state != self.stamps:
            self.kept.lane, self.kept.newest_stamp_ms = state
            await self.save()
