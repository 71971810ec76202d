"""Reads the streams of datum that are configured as in SolarNetwork.

Devices that feed one source move together, and so do all of them in the compatible way, in which the laggard holds
everything back. A datum is committed once nothing of it is waited for, so that none is committed twice.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from scraper.cloud.kept import KeptCloud, StreamProgress
from scraper.cloud.parse.production_micro import parse_production_micro
from scraper.cloud.parse.replies import ReplyMeta
from scraper.cloud.parse.rgm_stats import parse_rgm_stats
from scraper.cloud.questions import TYPES, Asker, write_parameters
from scraper.cloud.rules.datum import Datum, count_up, make_datum, make_datum_rows
from scraper.cloud.rules.progress import Stretch, find_next_start
from scraper.cloud.rules.streams import StreamConfig, StreamRoute, list_routes
from scraper.cloud.rules.values import Values, list_meter_values, list_micro_values
from scraper.cloud.rules.windows import Spoken, UsedWindow, clamp_start, find_quarter, measure_reply, use_window
from shared.clock import Clock
from shared.readings import Reading
from shared.units import DAY_S

FIRST_S = DAY_S
"""At the very first start so much of the past is read (seconds)."""

Device = tuple[int, str]
"""System and device type."""


class _Reply(NamedTuple):
    """What one device said."""

    values: Values
    meta: ReplyMeta
    reports: list[tuple[int, int | None, int | None]]


class StreamReader:
    """Reads the devices of some sources that move together.

    Args:
        api: Asked.
        kept: The progress, which moves in the transactions of the rows.
        clock: Time.
        config: The stream.
        routes: Those of its values that these devices give.
    """

    def __init__(
        self, api: Asker, kept: KeptCloud, clock: Clock, config: StreamConfig, routes: Sequence[StreamRoute]
    ) -> None:
        self._api = api
        self._kept = kept
        self._clock = clock
        self._config = config
        self._routes = routes
        self._devices = list_devices(routes)
        self.name = "stream " + ", ".join(map(_name_device, self._devices))

    @property
    def calls(self) -> int:
        """Of a pass."""
        return len(self._devices)

    def is_due(self, now_s: float) -> bool:
        """Always."""
        return now_s > 0

    async def read_new(self) -> bool:
        """Read until now; whether anything came. Raises as `IntervalReader.read_new`."""
        behind_s = min(0, round(self._api.clock_offset_s or 0.0))  # the cloud refuses what is its future
        came, now_s = False, self._clock.now_ms() // 1000 + behind_s
        start = self._find_start(now_s)
        while start < find_quarter(now_s):
            end = min(now_s, start + DAY_S) if self._is_by_day() else now_s
            used = use_window(start, end, now_s)
            reached, rows = await self._read(used, (start, end), now_s)
            came |= rows > 0
            if reached < used.end_s:
                break
            start = reached
        return came

    async def repair(self, _day: Stretch) -> None:
        """Nothing: what SolarNetwork reads again it overwrites, and here nothing is overwritten."""

    async def _read(self, used: UsedWindow, wish: Stretch, now_s: int) -> tuple[int, int]:
        """One pass. Returns how far it came (epoch seconds), and how many rows were committed."""
        replies = {device: await self._ask(device, used, wish) for device in self._devices}
        following = find_next_start(
            used.end_s,
            [reply.meta for reply in replies.values()],
            [report for reply in replies.values() for report in reply.reports],
            now_s=now_s,
            max_lag_s=self._config.max_lag_s,
        )
        spoken = [self._measure(device, reply, used) for device, reply in replies.items()]
        for one in spoken:
            await self._kept.note_length(one)
        until_s = min(one.until_s for one in spoken)
        reached = min(used.end_s if following is None else max(following, used.start_s), until_s)
        within = {
            device: {end: fields for end, fields in reply.values.items() if wish[0] < end <= reached}
            for device, reply in replies.items()
        }
        rows, counters = self._count(make_datum(self._routes, within))
        progress = self._kept.state.streams
        next_s = progress.next_s | {_name_device(device): reached for device in self._devices}
        await self._kept.keep(rows, streams=StreamProgress(next_s, progress.counters | counters))
        return reached, len(rows)

    def _measure(self, device: Device, reply: _Reply, used: UsedWindow) -> Spoken:
        """What a reply says about its window: some systems answer with one day, whatever is asked."""
        if TYPES[device[1]].takes_end:
            return Spoken(used.end_s, cut=False)
        return measure_reply(
            (used.start_s, used.end_s),
            tuple(sorted(reply.values)),
            reply.meta.last_energy_s,
            gives_weeks=self._kept.state.gives_weeks,
        )

    def _is_by_day(self) -> bool:
        return self._kept.state.one_day and not all(TYPES[kind].takes_end for _, kind in self._devices)

    async def _ask(self, device: Device, used: UsedWindow, wish: Stretch) -> _Reply:
        system_id, kind = device
        takes_end = TYPES[kind].takes_end
        # the length is told by the wish, the start by what is used of it
        window = (used.start_s, used.end_s if takes_end else used.start_s + wish[1] - wish[0])
        path = f"systems/{system_id}/{TYPES[kind].path}"
        reply = await self._api.fetch(path, write_parameters(window, takes_end=takes_end))
        if kind == "inv":
            micros = parse_production_micro(reply)
            reports = [(one.end_s, one.devices, micros.devices_total) for one in micros.intervals]
            return _Reply(list_micro_values(micros), micros.meta, [one for one in reports if one[0] <= used.end_s])
        meters = parse_rgm_stats(reply)
        reports = [(one.end_s, one.devices, meters.devices_total) for one in meters.intervals]
        return _Reply(list_meter_values(meters), meters.meta, [one for one in reports if one[0] <= used.end_s])

    def _count(self, found: dict[str, list[Datum]]) -> tuple[list[Reading], dict[str, str]]:
        """The rows of the datum with their counters, and the counters after them."""
        rows: list[Reading] = []
        counters: dict[str, str] = {}
        for source, datum in found.items():
            counted = datum
            for name in self._config.counters:
                key = f"{source} {name}"
                before = self._kept.state.streams.counters.get(key)
                counted = count_up(counted, name, None if before is None else Decimal(before))
                counters[key] = str(counted[-1].values["a", name])
            rows += [row for one in counted for row in make_datum_rows(one)]
        return rows, counters

    def _find_start(self, now_s: int) -> int:
        known = self._kept.state.streams.next_s
        first = find_quarter(now_s) - FIRST_S
        return clamp_start(min(known.get(_name_device(device), first) for device in self._devices), now_s)


def make_stream_readers(
    api: Asker, kept: KeptCloud, clock: Clock, config: StreamConfig, *, compatible: bool
) -> list[StreamReader]:
    """One for all devices in the compatible way, else one for each that shares no source with another."""
    routes = list_routes(config)
    groups = [list(routes)] if compatible else list(_group_by_source(routes))
    return [StreamReader(api, kept, clock, config, group) for group in groups if group]


def list_devices(routes: Sequence[StreamRoute]) -> list[Device]:
    """The devices that are asked: of each system inverters first, then meters."""
    order = list(dict.fromkeys(route.reference.system_id for route in routes))
    found = {(route.reference.system_id, route.reference.device_type) for route in routes}
    return sorted(found, key=lambda device: (order.index(device[0]), list(TYPES).index(device[1])))


def _group_by_source(routes: Sequence[StreamRoute]) -> Iterator[list[StreamRoute]]:
    left = list(routes)
    while left:
        devices, sources = {_find_device(left[0])}, {left[0].source}
        while more := [one for one in left if (_find_device(one) in devices) != (one.source in sources)]:
            devices |= {_find_device(one) for one in more}
            sources |= {one.source for one in more}
        yield [one for one in left if one.source in sources]
        left = [one for one in left if one.source not in sources]


def _find_device(route: StreamRoute) -> Device:
    return route.reference.system_id, route.reference.device_type


def _name_device(device: Device) -> str:
    return f"/{device[0]}/{device[1]}/sys"
