"""What the cloud source keeps beside the outbox, in the transactions of the rows that it speaks of."""

from collections.abc import Mapping, Sequence

import msgspec

from scraper.cloud.rules.ledger import KEPT_S, IntervalLedger
from scraper.cloud.rules.packing import PackedLedger, pack_ledger, unpack_ledger
from scraper.cloud.rules.progress import Stretch
from scraper.cloud.rules.windows import Spoken
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


class RepeatedImport(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of the past that is read again (epoch seconds).

    Attributes:
        start_s, end_s: As it was wanted.
        next_s: How far it has come.
        revision: Under which all of it goes out.
    """

    start_s: int
    end_s: int
    next_s: int
    revision: int


class CloudState(msgspec.Struct, frozen=True):
    """Everything that must outlive the process.

    Attributes:
        time_zone: IANA name of the system's time zone; empty until the cloud has said one.
        ledgers: Type to what of it was committed, packed.
        absent: Type that the system does not have, to when that was seen last (epoch seconds).
        one_day: Whether the cloud gives one day in a call, whatever is asked.
        passed_s: When the last pass began (epoch seconds).
        quiet: How many passes up to the last one brought no energy.
        repaired: The last local day that was read again, as 2026-05-12.
        quota_until_s: Until when the last recorded lack of calls lasts (epoch seconds).
        is_blocked: Whether a person is needed, and an event says so.
        streams: How far streams of datum have come.
        repeated: Type to the import that reads it again.
        gives_weeks: Whether the cloud once gave more than a day in a call: then an empty reply speaks of all of it.
        lasting_holes: Type to the hole with which the past ends that was read, and which is no event yet.
    """

    time_zone: str = ""
    ledgers: dict[str, PackedLedger] = {}
    absent: dict[str, int] = {}
    one_day: bool = False
    passed_s: float = 0
    quiet: int = 0
    repaired: str = ""
    quota_until_s: float = 0
    is_blocked: bool = False
    streams: StreamProgress = StreamProgress()
    repeated: dict[str, RepeatedImport] = {}
    gives_weeks: bool = False
    lasting_holes: dict[str, Stretch] = {}


_MOST_BYTES = 2_900
"""What the outbox's one record has room for, beside all else that lies in it."""
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(CloudState | None)


class KeptCloud:
    """The state, as it was committed last.

    Args:
        memory: Where it lies. Loaded.
        recorder: Commits it.
        steps: Type to the length of its intervals (seconds).

    Attributes:
        memory: As given.
        state: The values as they are now.
        ledgers: Type to what of it was committed.
    """

    def __init__(self, memory: DurableMemory, recorder: Recorder, steps: Mapping[str, int]) -> None:
        self.memory = memory
        self._recorder = recorder
        self._steps = steps
        self.state = _decoder.decode(memory.state.cloud) or CloudState()
        packed = self.state.ledgers.items()
        self.ledgers = {name: unpack_ledger(one, steps[name]) for name, one in packed if name in steps}

    async def keep(
        self, rows: Sequence[Reading] = (), *, ledgers: Mapping[str, IntervalLedger] | None = None, **changes: object
    ) -> None:
        """Commit rows (none is fine) and changes of the state in one transaction.

        Raises OutboxUnavailableError: neither is known to be committed, and the state stays.
        """
        new = self.ledgers if ledgers is None else {**self.ledgers, **ledgers}
        state = msgspec.structs.replace(self.state, **changes)
        if rows or state != self.state or new != self.ledgers:
            state, text = self._pack(state, new)
            change = MemoryChange(cloud=msgspec.Raw(text))
            done = await (self._recorder.record(rows, change) if rows else self._recorder.keep(change))
            if not done:
                raise OutboxUnavailableError("what the cloud said cannot be stored; it is asked again at the next pass")
            self.state, self.ledgers = state, new

    async def note_length(self, spoken: Spoken) -> None:
        """Learn from a reply how much the cloud gives in a call. Raises as `keep`."""
        if spoken.whole and not self.state.gives_weeks:
            await self.keep(gives_weeks=True, one_day=False)
        elif spoken.cut and not self.state.one_day:
            await self.keep(one_day=True)

    def _pack(self, state: CloudState, ledgers: Mapping[str, IntervalLedger]) -> tuple[CloudState, bytes]:
        """The state with as many comparable intervals as there is room for: 48 hours of them, nearly always."""
        kept_s = float(KEPT_S)
        while True:
            packed = {
                name: pack_ledger(one, self._steps[name], most=int(kept_s // self._steps[name]))
                for name, one in ledgers.items()
            }
            state = msgspec.structs.replace(state, ledgers={**state.ledgers, **packed})
            text = _encoder.encode(state)
            if len(text) <= _MOST_BYTES or kept_s < min(self._steps.values()):
                return state, text
            kept_s *= 0.8
