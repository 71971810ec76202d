"""EmonCMS as a target: each slot once and in the order of time, each report of a panel once.

A slot goes when every phase was read after it (`closing`). After an outage the backlog goes before what is live, for as
long as it keeps coming; what comes after a wait of a quarter hour is sent late, and EmonCMS stores it in its place,
unless the owner wants it left out (`late: drop`).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from receiver.outputs.base import Delivered, OutputError, Slice
from receiver.outputs.emoncms.closing import (
    HEARD_MS,
    SETTLE_MS,
    SlotState,
    has_lost_meters,
    has_no_backlog,
    judge_slot,
    list_phases,
)
from receiver.outputs.emoncms.connection import EmonCmsConnection
from receiver.outputs.emoncms.rows import EmonRow, make_panel_rows, make_slot_rows
from receiver.outputs.emoncms.slots import PHASES, make_slots
from receiver.rollups.series import find_gaps, get_meter_phase
from receiver.rollups.states import find_generator_spans, is_in_spans
from receiver.settings import EmonCmsSettings
from receiver.sites.corrections import correct_latest, correct_series
from receiver.sites.model import Site
from receiver.sites.output_keys import SiteEmonCms
from receiver.sites.storage import KINDS_OF_STORAGE, describe_storage
from receiver.stores.base import Latest, SeriesPoints, Store
from shared.clock import Clock
from shared.fields import MAX_GAP_MS
from shared.units import MINUTE_MS, QUARTER_MS

LONGEST_HOLD_MS = QUARTER_MS
"""A hole is waited for this long (milliseconds) while nothing of it comes."""
PUBLIC_NODE_LENGTH = 16
"""Characters of a node's name at emoncms.org."""
_MOST_REMEMBERED = 5_000
_STATE_REACH_MS = 11 * MINUTE_MS


class EmonCmsTarget:
    """EmonCMS, as `receiver.outputs.base.Target`.

    Args:
        url: Its base address.
        settings: Key and certificate.
        store: What is sent.
        site_of: Nodes and corrections, by serial.
        clock: What is due.
    """

    name = "emoncms"
    period_s = 5.0
    hold_ms = 5_000
    slice_ms = 5 * MINUTE_MS

    def __init__(
        self, url: str, settings: EmonCmsSettings, store: Store, site_of: Callable[[str], Site], clock: Clock
    ) -> None:
        self._connection = EmonCmsConnection(url, settings)
        self._is_public = (urlsplit(url).hostname or "").removeprefix("www.") == "emoncms.org"
        self._store = store
        self._site_of = site_of
        self._clock = clock
        self._slots_until: dict[str, int] = {}
        self._held_since: dict[str, int] = {}  # since when each gateway waits at one hole
        self._remembered: OrderedDict[tuple[str, str, int], dict[str, float]] = OrderedDict()

    def is_wanted(self, gateway: str) -> bool:
        """As `Target.is_wanted`."""
        return self._site_of(gateway).outputs.emoncms is not None

    async def deliver(self, part: Slice) -> Delivered:
        """As `Target.deliver`."""
        site = self._site_of(part.gateway)
        nodes = site.outputs.emoncms
        if nodes is None:
            return Delivered()
        self._refuse_long_names(nodes)
        until, is_silent, taken, newest = part.stop, False, Delivered(), dict(part.newest)
        is_dropped = part.is_late and nodes.late == "drop"
        if not is_dropped and (part.kinds is None or "meter" in part.kinds):
            until, is_silent, slots = await self._gather_slots(part, site, nodes)
            taken = await self._send(part.gateway, slots)
        if (part.kinds is None or "inverter" in part.kinds) and until > part.start:
            found = await self._store.read_points(part.gateway, "inverter", start=part.start, stop=until)
            if is_dropped:
                found = [_cut_behind(one, newest) for one in found]
            reports = await self._send(part.gateway, make_panel_rows(nodes.panels, found))
            if nodes.late == "drop":
                _note_reports(found, newest)
            taken = Delivered(taken.sent + reports.sent, taken.put_aside + reports.put_aside, newest=newest)
        return taken if part.is_late else taken._replace(until=until, is_silent=is_silent)

    def forget(self, gateway: str) -> None:
        """As `Target.forget`."""
        for key in [key for key in self._remembered if key[0] == gateway]:
            del self._remembered[key]
        self._slots_until.pop(gateway, None)

    async def check(self, gateways: Sequence[str]) -> str:
        """As `Target.check`."""
        nodes = [nodes for one in gateways if (nodes := self._site_of(one).outputs.emoncms) is not None]
        for one in nodes:
            self._refuse_long_names(one)
        said = await self._connection.check(nodes[0].node)
        return f"{said}, to the nodes {', '.join(f'{one.node} and {one.panels}' for one in nodes)}"

    async def close(self) -> None:
        """As `Target.close`."""
        await self._connection.close()

    def _refuse_long_names(self, nodes: SiteEmonCms) -> None:
        """Raise OutputError where values would vanish without a word."""
        if not self._is_public:
            return
        for name in (nodes.node, nodes.panels):
            if len(name) > PUBLIC_NODE_LENGTH:
                raise OutputError(
                    f"emoncms.org drops all of the node {name} without a word, for it has more than "
                    f"{PUBLIC_NODE_LENGTH} characters: give it a shorter name in the sites file",
                    "refused",
                )

    async def _send(self, gateway: str, rows: Sequence[EmonRow]) -> Delivered:
        """Send the rows that EmonCMS does not have yet."""
        fresh = [row for row in rows if self._remembered.get((gateway, row.node, row.time)) != row.values]
        taken = await self._connection.send_rows(fresh)
        for row in fresh:
            self._remembered[gateway, row.node, row.time] = row.values
        while len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return taken

    async def _gather_slots(self, part: Slice, site: Site, nodes: SiteEmonCms) -> tuple[int, bool, list[EmonRow]]:
        """Until where slots are over, whether nothing at all came after that, and the rows of those slots."""
        step, now = nodes.interval * 1000, self._clock.now_ms()
        start, end = self._find_reach(part)
        boundaries = list(range(start // step * step, end + 1, step))
        latest = correct_latest(await self._store.read_latest(part.gateway, "meter"), site)
        latest = list_phases(latest, boundaries[0])
        if not latest:  # a gateway without meters: nothing to wait for
            return boundaries[-1], False, []
        series = await self._read_meters(part.gateway, site, boundaries)
        is_silent = False
        if not part.is_late:
            over, is_silent = await self._cut_open(part.gateway, boundaries, series, latest, now)
            if is_silent and has_lost_meters(latest, await self._store.read_latest(part.gateway, "inverter")):
                is_silent = False
            else:
                boundaries = over
        if len(boundaries) < 2:
            return boundaries[0], is_silent, []
        slots = await asyncio.to_thread(  # seconds of nine meters take 30 ms, for which no post may wait
            make_slots,
            series,
            boundaries,
            phases={(one.tags["meter"], one.tags["phase"]) for one in latest},
            gaps=find_gaps(await self._read_around(part.gateway, "event", boundaries, MAX_GAP_MS)),
            has_battery=await self._has_battery(part.gateway, boundaries[0]),
            has_generator=await self._may_have_generated(part.gateway, boundaries),
        )
        if not part.is_late:
            self._slots_until[part.gateway] = boundaries[-1]
        return boundaries[-1], is_silent, make_slot_rows(nodes.node, boundaries, slots)

    def _find_reach(self, part: Slice) -> tuple[int, int]:
        """From where to where slots may have changed: a late reading bridges to those beside it that were sent."""
        sent_until = self._slots_until.get(part.gateway)
        if not part.is_late or sent_until is None:
            return part.start, part.stop
        return part.start - MAX_GAP_MS, max(min(part.stop + MAX_GAP_MS, sent_until), part.stop)

    async def _cut_open(
        self,
        gateway: str,
        boundaries: Sequence[int],
        series: Sequence[SeriesPoints],
        latest: Sequence[Latest],
        now_ms: int,
    ) -> tuple[list[int], bool]:
        """The boundaries of slots that are over, and whether nothing at all was read after them."""
        times = [[time for time, _ in one.points] for one in series]
        newest = max(one.timestamp for one in latest)
        over = [boundaries[0]]
        for stop in boundaries[1:]:
            state = judge_slot(times, stop, newest, now_ms)
            if state is SlotState.CLOSED:
                self._held_since.pop(gateway, None)
            if state is SlotState.SILENT:
                return over, True
            if state is SlotState.OPEN or (state is SlotState.HOLE and await self._is_held(gateway, stop, now_ms)):
                return over, False
            over.append(stop)
        return over, False

    async def _is_held(self, gateway: str, stop: int, now_ms: int) -> bool:
        """Whether a hole is waited for."""
        if now_ms - self._held_since.setdefault(gateway, now_ms) >= LONGEST_HOLD_MS:
            return False
        start, end = max(stop + HEARD_MS, now_ms - LONGEST_HOLD_MS), now_ms - SETTLE_MS
        if start >= end:
            return True
        return not has_no_backlog(await self._store.read_points(gateway, "gateway", start=start, stop=end))

    async def _read_meters(self, gateway: str, site: Site, boundaries: Sequence[int]) -> list[SeriesPoints]:
        found = await self._read_around(gateway, "meter", boundaries, MAX_GAP_MS)
        return [one for one in correct_series(found, site) if get_meter_phase(one)[1] in PHASES]

    async def _read_around(
        self, gateway: str, kind: str, boundaries: Sequence[int], reach_ms: int
    ) -> list[SeriesPoints]:
        return await self._store.read_points(
            gateway, kind, start=boundaries[0] - reach_ms, stop=boundaries[-1] + reach_ms
        )

    async def _has_battery(self, gateway: str, at_ms: int) -> bool:
        """Whether there was one at a time, or is one since."""
        latest = [await self._store.read_latest(gateway, kind) for kind in KINDS_OF_STORAGE]
        return describe_storage(latest, at_ms).has_battery

    async def _may_have_generated(self, gateway: str, boundaries: Sequence[int]) -> bool:
        """Whether a generator feeds the house around these slots, or may do so."""
        start, stop = boundaries[0] - _STATE_REACH_MS, boundaries[-1] + _STATE_REACH_MS
        generator, grid = [
            await self._store.read_points(gateway, kind, start=start, stop=stop, neighbours=True)
            for kind in ("generator", "grid")
        ]
        return is_in_spans(find_generator_spans(generator, grid), start, stop)


def _cut_behind(one: SeriesPoints, newest: Mapping[str, int]) -> SeriesPoints:
    """The reports of an inverter that are newer than those that were sent."""
    sent = newest.get(one.series.get_tag("inverter"), 0)
    return one._replace(points=[point for point in one.points if point.timestamp > sent])


def _note_reports(found: Iterable[SeriesPoints], newest: dict[str, int]) -> None:
    for one in found:
        serial = one.series.get_tag("inverter")
        newest[serial] = max([newest.get(serial, 0), *[point.timestamp for point in one.points]])
