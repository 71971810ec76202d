"""PVOutput as a target: a batch for each quarter hour that is over, later changes of it, and each day that is over.

Statuses rest on the roll-ups. A quarter hour goes a few minutes after its end; what came late of it goes when the
roll-ups have settled it, with the rest of its day, for every status holds the energy since midnight.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import date, timedelta

import structlog

from receiver.calendar.local import find_midnight, to_local
from receiver.outputs.base import Delivered, OutputError, Slice
from receiver.outputs.pvoutput.connection import MOST_STATUSES, PvOutputConnection
from receiver.outputs.pvoutput.days import make_day, read_day_rows
from receiver.outputs.pvoutput.statuses import PvStatus, make_statuses
from receiver.settings import PvOutputSettings
from receiver.sites.model import Site
from receiver.sites.output_keys import SitePvOutput
from receiver.stores.base import Store
from shared.clock import Clock
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS

OLDEST_DAYS = 14
"""PVOutput takes no status of an older day, only its sums."""
DAY_OVER_MS = HOUR_MS
"""A day goes so long after its end: its roll-up is there then."""
_SAME_WH = 1
_MOST_REMEMBERED = 20_000
_log = structlog.get_logger()


class PvOutputTarget:
    """PVOutput, as `receiver.outputs.base.Target`.

    Args:
        settings: Address and key.
        store: Where the roll-ups are.
        site_of: System, interval and time zone, by serial.
        list_unsettled: The time between two instants of a gateway whose roll-ups may still change.
        clock: What is due.
    """

    name = "pvoutput"
    period_s = 60.0
    hold_ms = 3 * MINUTE_MS  # readings come and are rolled up once a minute
    slice_ms = 10 * QUARTER_MS  # 30 statuses of 5 minutes

    def __init__(
        self,
        settings: PvOutputSettings,
        store: Store,
        site_of: Callable[[str], Site],
        list_unsettled: Callable[[str, int, int], Sequence[tuple[int, int]]],
        clock: Clock,
    ) -> None:
        self._connection = PvOutputConnection(settings, clock)
        self._store = store
        self._site_of = site_of
        self._list_unsettled = list_unsettled
        self._clock = clock
        self._remembered: OrderedDict[tuple[str, int], PvStatus] = OrderedDict()

    def is_wanted(self, gateway: str) -> bool:
        """As `Target.is_wanted`."""
        return self._site_of(gateway).outputs.pvoutput is not None

    async def deliver(self, part: Slice) -> Delivered:
        """As `Target.deliver`."""
        site = self._site_of(part.gateway)
        system = site.outputs.pvoutput
        if system is None:
            return Delivered()
        until = self._find_until(part)
        if until <= part.start:
            return Delivered(until=part.start)
        stop = until
        if part.is_late:
            newest = (self._clock.now_ms() - self.hold_ms) // QUARTER_MS * QUARTER_MS
            stop = min(_find_next_midnight(until, site), newest)
        # Readings reach over quarter hours, and the end of a gap changes all of it: the day is looked at again.
        begin = find_midnight(to_local(part.start - HOUR_MS, site.zone).date(), site.zone)
        statuses = await self._make_statuses(part.gateway, site, system, begin, stop)
        changed, too_old = self._select_changed(part, site, statuses)
        try:
            taken = await self._send(part, system, changed)
            days = await self._send_days(part, site, system, until)
        except OutputError as error:
            if part.is_late and error.reason == "busy":
                return Delivered(until=part.start)  # what is of now goes on
            raise
        put_aside = taken.put_aside + days.put_aside + too_old
        return Delivered(taken.sent + days.sent, put_aside, max(until, part.stop) if part.is_late else until)

    def forget(self, gateway: str) -> None:
        """As `Target.forget`."""
        for key in [key for key in self._remembered if key[0] == gateway]:
            del self._remembered[key]

    async def check(self, gateways: Sequence[str]) -> str:
        """As `Target.check`."""
        found = []
        for gateway in gateways:
            site = self._site_of(gateway)
            if site.outputs.pvoutput is not None:
                said = await self._connection.check(site.outputs.pvoutput.system)
                found.append(f"{said}, where it must be {to_local(self._clock.now_ms(), site.zone):%H:%M} now")
        return "; ".join(found)

    async def close(self) -> None:
        """As `Target.close`."""
        await self._connection.close()

    def _find_until(self, part: Slice) -> int:
        """Up to where a slice is to be delivered now: whole quarter hours, and late ones that have settled."""
        if not part.is_late:
            return part.stop // QUARTER_MS * QUARTER_MS
        start, stop = part.start // QUARTER_MS * QUARTER_MS, -(-part.stop // QUARTER_MS) * QUARTER_MS
        return part.start if self._list_unsettled(part.gateway, start, stop) else stop

    async def _make_statuses(
        self, gateway: str, site: Site, system: SitePvOutput, start: int, stop: int
    ) -> list[PvStatus]:
        """The statuses of quarter hours in [start, stop)."""
        day, last = to_local(start, site.zone).date(), to_local(stop - 1, site.zone).date()
        found: list[PvStatus] = []
        while day <= last:
            rows = await read_day_rows(self._store, gateway, site, day, start, stop)
            found += await asyncio.to_thread(
                make_statuses, day, site.zone, rows, interval_min=system.interval, until=stop
            )
            day += timedelta(days=1)
        return found

    def _select_changed(self, part: Slice, site: Site, statuses: Sequence[PvStatus]) -> tuple[list[PvStatus], int]:
        """Those that PVOutput does not have yet, or has with another value, and how many more are too old for it."""
        oldest = to_local(self._clock.now_ms(), site.zone).date() - timedelta(days=OLDEST_DAYS)
        # Readings reach over quarter hours: with what came late of one, the one before it changed, too.
        start = part.start // QUARTER_MS * QUARTER_MS - (QUARTER_MS if part.is_late else 0)
        changed = []
        for one in statuses:
            known = self._remembered.get((part.gateway, one.stop))
            if not _is_same(known, one) and (known is not None or one.stop > start):
                changed.append(one)
        fresh = [one for one in changed if one.day >= oldest]
        if too_old := len(changed) - len(fresh):
            _log.warning(
                "PVOutput takes no statuses so old; the sums of the day go", gateway=part.gateway, statuses=too_old
            )
        return fresh, too_old

    async def _send(self, part: Slice, system: SitePvOutput, statuses: Sequence[PvStatus]) -> Delivered:
        is_old = part.is_late or part.stop < self._clock.now_ms() - HOUR_MS
        sent = put_aside = 0
        for first in range(0, len(statuses), MOST_STATUSES):
            batch = statuses[first : first + MOST_STATUSES]
            taken = await self._connection.send_statuses(system.system, batch, is_old=is_old)
            sent, put_aside = sent + taken.sent, put_aside + taken.put_aside
            self._remembered.update({(part.gateway, one.stop): one for one in batch})
        while len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return Delivered(sent, put_aside)

    async def _send_days(self, part: Slice, site: Site, system: SitePvOutput, until: int) -> Delivered:
        """Send the sums of days that are over: when their time has come, and when something of them changed."""
        sent = put_aside = 0
        for day in self._list_days(part, site, until):
            fields = await make_day(self._store, part.gateway, site, day)
            if fields:
                taken = await self._connection.send_day(system.system, fields)
                sent, put_aside = sent + taken.sent, put_aside + taken.put_aside
        return Delivered(sent, put_aside)

    def _list_days(self, part: Slice, site: Site, until: int) -> list[date]:
        now = self._clock.now_ms()
        day = to_local(part.start - DAY_MS, site.zone).date()
        found = []
        while (end := find_midnight(day + timedelta(days=1), site.zone)) <= max(until, part.start) + DAY_MS:
            is_touched = find_midnight(day, site.zone) < until and end > part.start
            is_due = is_touched if part.is_late else part.start < end + DAY_OVER_MS <= until
            if is_due and end + DAY_OVER_MS <= now:
                found.append(day)
            day += timedelta(days=1)
        return found


def _find_next_midnight(until: int, site: Site) -> int:
    """The end of the local day that the time before an instant belongs to."""
    return find_midnight(to_local(until - 1, site.zone).date() + timedelta(days=1), site.zone)


def _is_same(known: PvStatus | None, new: PvStatus) -> bool:
    """Whether a status changed by no more than is worth a request."""
    if known is None or (known.used is None) != (new.used is None):
        return False
    steps = (known.generated - new.generated, (known.used or 0) - (new.used or 0))
    return max(map(abs, steps)) <= _SAME_WH and known._replace(generated=new.generated, used=new.used) == new
