"""Computing a whole history again, from the newest reading to the oldest, a day at a time; a restart continues it."""

import math
from collections.abc import Callable, Mapping

import structlog

from receiver.ingest.journal import RollupState
from receiver.ingest.marking import MarkingStore
from receiver.rollups import intervals
from receiver.rollups.compute import FIELDS
from receiver.rollups.energy_windows import make_fingerprint
from receiver.rollups.replace import replace_rows
from receiver.rollups.roll import Stretch
from receiver.rollups.series import LONGEST_GAP_MS, LONGEST_REPORT_MS
from receiver.sites.model import Site
from receiver.stores.base import GatewaySummary, Store
from receiver.stores.kinds import ENERGY_KINDS
from shared.cloud_identity import is_cloud_system
from shared.units import DAY_MS, HOUR_MS, QUARTER_MS

ARITHMETIC = 8
"""Raised by a version that computes other values: everything is then computed again."""
_BEGINNING = 0
"""No gateway had a clock before 1970."""
_FIRST_KINDS = ("meter_energy", "inverter", "production", "gateway", "interval", "imported_energy", "energy_15m")
"""Where the oldest time is looked for when the store cannot say it: raw `meter` readings never come alone, and energies
outlive readings that expire."""
_NEAREST = {kind: fields for kind, fields in FIELDS.items() if kind in _FIRST_KINDS} | {
    "imported_energy": ("duration",),
    "energy_15m": ("duration",),
}
"""Where the nearest older time is looked for."""
_LONGEST_WINDOW_MS = 400 * DAY_MS
_log = structlog.get_logger()


class Backfill:
    """Finds the gateways whose history is to be computed, and the next stretch of each.

    Args:
        store: Where readings and roll-ups are.
        marking: Knows how far each gateway is.
        site_of: What the owner says of a gateway, by serial.
    """

    def __init__(self, store: Store, marking: MarkingStore, site_of: Callable[[str], Site]) -> None:
        self._store = store
        self._marking = marking
        self._site_of = site_of
        self._with_history: set[str] | None = None
        self._oldest: dict[str, int] = {}

    def list_waiting(self) -> list[str]:
        """Gateways with a history to compute, by serial."""
        gateways = self._marking.gateways.items()
        return sorted(name for name, marks in gateways if marks.has_history)

    def count_left(self, gateway: str) -> float:
        """Quarter hours of a history that are still to be computed; NaN as long as nobody looked how many there are."""
        state = self._marking.get_marks(gateway).state
        if state is None:
            return math.nan
        if state.backfill_until is None:
            return 0.0
        oldest = self._oldest.get(gateway)
        return math.nan if oldest is None else max(0.0, (state.backfill_until - oldest) / QUARTER_MS)

    async def begin_changed(self) -> None:
        """Begin the history of every gateway that is new or whose site has changed.

        Raises:
            StoreUnavailableError: Try again later.
            JournalError: Try again later.
        """
        if self._with_history is None:
            self._with_history = set(await self._list_gateways())
        changed = [gateway for gateway in self._marking.gateways if self._has_changed(gateway)]
        if changed:
            stored = await self._list_gateways()
            for gateway in changed:
                # All of what came first since the start is dirty already.
                await self._begin(gateway, self._find_newest(gateway, stored))
                self._with_history.add(gateway)

    async def find_next(self, gateway: str) -> Stretch | None:
        """The next older day to compute, whole hours; None when that was all.

        Raises:
            StoreUnavailableError: Ask again later.
            JournalError: Ask again later.
        """
        state = self._marking.get_marks(gateway).state
        if state is None or state.backfill_until is None:
            return None
        oldest = await self._find_oldest(gateway)
        if oldest is None or state.backfill_until <= oldest:
            await self._marking.put(gateway, state._replace(backfill_until=None))
            self._oldest.pop(gateway, None)
            _log.info("all of the gateway's history is rolled up", gateway=gateway)
            return None
        start = max((state.backfill_until - 1) // DAY_MS * DAY_MS, oldest)
        if start == oldest:
            await self._clear_before(gateway, oldest)  # before it is computed: months are sums of stored days
        return Stretch(gateway, start, state.backfill_until)

    async def note_done(self, stretch: Stretch, *, has_readings: bool) -> None:
        """Note that a stretch from `find_next` is computed. A long time without a reading before it is taken at once.

        Raises:
            StoreUnavailableError: Try again later.
            JournalError: Try again later.
        """
        until = stretch.start if has_readings else await self._find_end_of_older(stretch.gateway, stretch.start)
        state = self._marking.get_marks(stretch.gateway).state
        if state is not None:
            await self._marking.put(stretch.gateway, state._replace(backfill_until=until))

    async def _find_end_of_older(self, gateway: str, start: int) -> int:
        """The hour, not after `start`, from which on no older reading speaks and nothing is stored."""
        asked = [(gateway, kind, fields) for kind, fields in _NEAREST.items()]
        system = self._site_of(gateway).cloud
        asked += [] if system is None else [(system, intervals.KIND, _NEAREST[intervals.KIND])]
        newest: list[int] = []
        for name, kind, fields in asked:
            found = await self._store.read_points(name, kind, fields=fields, start=start, stop=start, neighbours=True)
            newest += [time for _, points in found for time, _ in points if time < start]
        if not newest:
            return start
        return min(start, -(-(max(newest) + LONGEST_GAP_MS + HOUR_MS) // HOUR_MS) * HOUR_MS)

    async def _list_gateways(self) -> dict[str, GatewaySummary]:
        """Ask the store which gateways it has."""
        summaries = {summary.gateway: summary for summary in await self._store.list_gateways()}
        for gateway in summaries:
            self._marking.get_marks(gateway)
        return summaries

    def _has_changed(self, gateway: str) -> bool:
        state = self._marking.get_marks(gateway).state
        return state is None or state.fingerprint != _make_fingerprint(self._site_of(gateway))

    async def _begin(self, gateway: str, newest: int | None) -> None:
        # Up to the newest reading, not up to now: the host's clock may be wrong. Later readings are dirty anyway.
        until = None if newest is None else (newest // HOUR_MS + 1) * HOUR_MS
        self._oldest.pop(gateway, None)
        await self._marking.put(gateway, RollupState(_make_fingerprint(self._site_of(gateway)), until))
        if until is not None:
            _log.info("the gateway's history is rolled up again, the newest day first", gateway=gateway)

    def _find_newest(self, gateway: str, stored: Mapping[str, GatewaySummary]) -> int | None:
        """The newest time (UTC milliseconds) of a history; None for none.

        That of the gateway's own readings, and of those of the system that fills its rows: both may outlive the other.
        Of a link that was taken away nobody knows the system, so it may have been any.
        """
        has_own = gateway in (self._with_history or ()) and gateway in stored
        names = [gateway] if has_own else []
        if not is_cloud_system(gateway):
            linked = self._site_of(gateway).cloud
            names += [name for name in stored if name == linked or (has_own and is_cloud_system(name))]
        return max((stored[name].last_timestamp for name in names), default=None)

    async def _find_oldest(self, gateway: str) -> int | None:
        """The hour that the oldest reading or roll-up reaches back to. Asked once: later readings are dirty anyway."""
        if gateway not in self._oldest:
            times = [await self._find_first(gateway, kind) for kind in _FIRST_KINDS]
            if (summary := await self._store.read_summary(gateway)) is not None:
                times += [summary.first_timestamp]
            if (system := self._site_of(gateway).cloud) is not None:
                times += [await self._find_first(system, intervals.KIND)]
            known = [time for time in times if time is not None]
            if not known and summary is not None:
                known = [summary.last_timestamp]
            if not known:
                return None
            first = min(known)
            self._oldest[gateway] = (first - LONGEST_REPORT_MS) // HOUR_MS * HOUR_MS
        return self._oldest[gateway]

    async def _find_first(self, gateway: str, kind: str) -> int | None:
        """The oldest timestamp of a kind whose neighbours are found at any distance."""
        found = await self._store.read_points(gateway, kind, start=_BEGINNING, stop=_BEGINNING, neighbours=True)
        return min((series.points[0].timestamp for series in found), default=None)

    async def _clear_before(self, gateway: str, oldest: int) -> None:
        """Remove windows of another calendar that began before the first one of this calendar."""
        site = self._site_of(gateway)
        for kind in (*ENERGY_KINDS[1:], "panel_1d"):
            first = site.list_windows(kind, oldest, oldest + QUARTER_MS)[0]
            await replace_rows(self._store, gateway, kind, [], start=first - _LONGEST_WINDOW_MS, stop=first)


def _make_fingerprint(site: Site) -> str:
    return f"{ARITHMETIC} {make_fingerprint(site)}"
