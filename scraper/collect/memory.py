"""What must outlive the process, kept beside the outbox: whose data it holds, its stamps, clock correction, gap.

Each value has an entry of its own and one owner, so that parts which run side by side never overwrite each other's.
A value that belongs to readings is committed in their transaction: pass `entries` along, then `accept` the change.
"""

from typing import Any

import msgspec

from scraper.delta.stamps import StampState
from scraper.outbox.thread import OutboxThread


class Kept(msgspec.Struct):
    """The values as they were committed last.

    Attributes:
        serial: Of the gateway whose readings the outbox holds; empty until one is known.
        epoch: Steps back of the host's clock so far (see `scraper.delta.stamps`).
        newest_stamp_ms: The newest stamp given to a committed sample.
        last_poll_ms: When inverters last answered; kept once a minute where there are no meters.
        clock_correction_ms: Gateway clock minus host clock, as far as report dates are corrected by it.
        gap_start_ms: Since when samples are missing; None while they come.
    """

    serial: str = ""
    epoch: int = 0
    newest_stamp_ms: int = 0
    last_poll_ms: int = 0
    clock_correction_ms: int = 0
    gap_start_ms: int | None = None


class DurableMemory:
    """Small values that survive a restart.

    Attributes:
        kept: The values as they are now.
    """

    def __init__(self, outbox: OutboxThread) -> None:
        self._outbox = outbox
        self.kept = Kept()

    async def load(self) -> None:
        """Read what the last process kept."""
        found = {name: await self._outbox.meta_get(name) for name in Kept.__struct_fields__}
        values = {name: msgspec.json.decode(text) for name, text in found.items() if text is not None}
        self.kept = msgspec.convert(values, Kept)

    def entries(self, **changes: Any) -> dict[str, str]:
        """Changed values as the outbox keeps them."""
        return {name: msgspec.json.encode(value).decode() for name, value in changes.items()}

    def accept(self, **changes: Any) -> None:
        """The changed values are committed."""
        for name, value in changes.items():
            setattr(self.kept, name, value)

    @property
    def last_sample_ms(self) -> int:
        """When samples last came, as far as a start after a kill can know; 0 before the first."""
        return max(self.kept.newest_stamp_ms, self.kept.last_poll_ms)

    @property
    def stamps(self) -> StampState:
        """Where the stamps of committed samples stand."""
        return StampState(self.kept.epoch, self.kept.newest_stamp_ms)
