"""What the cloud source keeps beside the outbox, in the transactions of the rows that it speaks of."""

from collections.abc import Sequence

import msgspec

from scraper.cloud.rules.ledger import IntervalLedger
from scraper.collect.memory import DurableMemory, MemoryChange
from scraper.collect.recorder import Recorder
from scraper.errors import OutboxUnavailableError
from shared.readings import Reading


class StreamProgress(msgspec.Struct, frozen=True):
    """How far a stream of datum has come.

    Attributes:
        next_s: Device (`/4711023/inv/sys`) to where its next window begins (epoch seconds).
        counters: Source and name of a counter, as `source name`, to its last value, as text.
    """

    next_s: dict[str, int] = {}
    counters: dict[str, str] = {}


class CloudState(msgspec.Struct, frozen=True):
    """Everything that must outlive the process.

    Attributes:
        time_zone: IANA name of the system's time zone; empty until the cloud has said one.
        ledgers: Type to what of it was committed.
        absent: Type that the system does not have, to when that was seen last (epoch seconds).
        one_day: Whether the cloud gives one day in a call, whatever is asked.
        passed_s: When the last pass began (epoch seconds).
        quiet: How many passes up to the last one brought no energy.
        repaired: The last local day that was read again, as 2026-05-12.
        quota_until_s: Until when the last recorded lack of calls lasts (epoch seconds).
        is_blocked: Whether a person is needed, and an event says so.
        streams: How far streams of datum have come.
    """

    time_zone: str = ""
    ledgers: dict[str, IntervalLedger] = {}
    absent: dict[str, int] = {}
    one_day: bool = False
    passed_s: float = 0
    quiet: int = 0
    repaired: str = ""
    quota_until_s: float = 0
    is_blocked: bool = False
    streams: StreamProgress = StreamProgress()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(CloudState | None)


class KeptCloud:
    """The state, as it was committed last.

    Args:
        memory: Where it lies. Loaded.
        recorder: Commits it.

    Attributes:
        state: The values as they are now.
    """

    def __init__(self, memory: DurableMemory, recorder: Recorder) -> None:
        self._recorder = recorder
        self.state = _decoder.decode(memory.state.cloud) or CloudState()

    async def keep(self, rows: Sequence[Reading] = (), **changes: object) -> None:
        """Commit rows (none is fine) and changes of the state in one transaction.

        Raises OutboxUnavailableError: neither is known to be committed, and the state stays.
        """
        state = msgspec.structs.replace(self.state, **changes)
        if not rows and state == self.state:
            return
        change = MemoryChange(cloud=msgspec.Raw(_encoder.encode(state)))
        done = await (self._recorder.record(rows, change) if rows else self._recorder.keep(change))
        if not done:
            raise OutboxUnavailableError("what the cloud said cannot be stored; it is asked again at the next pass")
        self.state = state
