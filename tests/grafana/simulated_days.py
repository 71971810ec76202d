"""A simulated stretch of time in a real InfluxDB: readings, what the scraper says of itself, and the roll-ups of all.

It is late morning there, so that today has its sun, its night and its midnight. Energies of the months before are added
as rows, because computing years of readings would take hours.
"""

import math
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from receiver.rollups.job import Rollups
from receiver.sites.load import parse
from receiver.sites.model import Site
from receiver.stores.base import GatewayReading
from receiver.stores.influxdb import InfluxStore
from shared.clock import SystemClock
from shared.problems import Rejection
from shared.readings import FieldValue, Reading
from simulator.house import find_late_morning_offset
from simulator.house.profiles import PROFILES as HOUSES
from simulator.profiles import find_profile
from standalone.history import HouseSettings, Past
from standalone.site import make_sites_file
from tests.influxd.server import ADMIN_TOKEN, ORG, Influxd

PROFILE = "battery"
SEED = 7
BUCKET, LIVE_BUCKET = "envoy", "envoy_live"
_BATCH = 5000
_MINUTE, _DAY = 60, 86_400
_OLDER_DAYS = 430
_DAYS_SINCE_GAP = 100


class LoadedDays(NamedTuple):
    """What was loaded.

    Attributes:
        server: Where it is; main bucket `BUCKET`, raw meters in `LIVE_BUCKET`.
        gateway: Serial.
        time_zone: Of the site.
        written: How many rows, without the roll-ups.
    """

    server: Influxd
    gateway: str
    time_zone: str
    written: int


async def load_days(server: Influxd, folder: Path, *, days: float) -> LoadedDays:
    """Fill new buckets up to now. `folder` takes the journal of the roll-ups."""
    server.make_bucket(BUCKET)
    server.make_bucket(LIVE_BUCKET)
    now = int(time.time())
    profile = find_profile(PROFILE)
    offset = round(find_late_morning_offset(HOUSES[profile.house], now, SEED))
    past = Past(HouseSettings(PROFILE, SEED, now + offset - days * _DAY, offset))
    site = parse(make_sites_file(HouseSettings(PROFILE, SEED, 0.0, offset), now).encode())[profile.serial]
    store = InfluxStore(server.url, ORG, ADMIN_TOKEN, BUCKET, LIVE_BUCKET)
    rollups = Rollups(store, site_of=lambda _: site, clock=SystemClock(), state_dir=folder)
    loader = _Loader(profile.serial)
    try:
        # not through the roll-ups: they find the history of a gateway that they do not know by themselves
        await loader.write(store, _make_pipeline(profile.firmware, now - round(days * _DAY), now))
        for piece in past.make_pieces(now - round(days * _DAY), now):
            await loader.write(store, piece)
        await rollups.catch_up()
        await _top_up(loader, past, rollups, profile.firmware, now)
        await loader.write(store, list(_make_older(site, now)))
    finally:
        await rollups.close()
        await store.close()
    return LoadedDays(server, profile.serial, site.time_zone or "UTC", loader.written)


async def _top_up(loader: "_Loader", past: Past, rollups: Rollups, firmware: str, since: int) -> None:
    """Write the readings of the time that the rest took: dashboards ask for the last minutes."""
    now = int(time.time())
    for piece in past.make_pieces(since, now):
        await loader.write(rollups.store, piece)
    await loader.write(rollups.store, _make_pipeline(firmware, since, now))
    await rollups.catch_up()


class _Writes(Protocol):
    """The part of a store that is needed here; the store of the roll-ups has no more."""

    async def write(self, rows: Sequence[GatewayReading]) -> dict[int, Rejection]: ...


class _Loader:
    """Writes readings of one gateway, and counts them."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self.written = 0

    async def write(self, store: _Writes, readings: Sequence[Reading]) -> None:
        """Write all readings. Raises AssertionError for a refused one."""
        for first in range(0, len(readings), _BATCH):
            rows = [GatewayReading(self._gateway, reading) for reading in readings[first : first + _BATCH]]
            refused = await store.write(rows)
            assert not refused, refused
            self.written += len(rows)


def _make_pipeline(firmware: str, start: int, stop: int) -> list[Reading]:
    """The readings of scraper and receiver about themselves, and one event of each type."""
    rows = [_make_own(firmware, second, stop) for second in range(start, stop, _MINUTE)]
    rows += [row for second in range(start, stop, _MINUTE) for row in _make_storage(second)]
    rows += [_make_delivery(second, index) for index, second in enumerate(range(start, stop, _MINUTE))]
    happened = (
        ("start", start, None, None, "the scraper was started"),
        ("gap", stop - 3000, stop - 2700, None, "stalled"),
        ("loss", stop - 2500, stop - 2400, 120.0, "quota"),
        ("counter_reset", stop - 2000, None, None, "delivered fell"),
        ("clock_step", stop - 1500, None, None, "the gateway's clock moved by 7 s"),
        ("schema", stop - 1200, None, None, "unknown keys"),
        ("certificate", stop - 900, stop - 600, None, "another certificate"),
        ("outage", stop - 800, stop - 500, None, "the main relay is open"),
    )
    for kind, begin, end, count, reason in happened:
        fields: dict[str, FieldValue] = {"reason": reason}
        if end is not None:
            fields["end"] = end * 1000.0
        if count is not None:
            fields["rows"] = count
        rows.append(Reading("event", {"type": kind}, begin * 1000, fields))
    return rows


def _make_own(firmware: str, second: int, stop: int) -> Reading:
    """The scraper's own reading; a receiver that could not be reached two hours ago left a backlog."""
    backlog = 900.0 if 6600 < stop - second < 7200 else 0.0
    return Reading("gateway", {}, second * 1000, {
        "firmware": firmware, "role": "owner", "version": "0.1.0", "token_expires_in": 200 * _DAY - float(second % _DAY),
        "poll_seconds": 1.2 + 0.3 * math.sin(second / 700), "stream_connected": 1.0, "login_blocked": 0.0,
        "certificate_changed": 0.0, "outbox_rows": 12.0 + backlog, "outbox_bytes": 65_536.0 + 90 * backlog,
        "dead_letters": 0.0, "lost_rows": 0.0, "clock_offset": 0.4, "inverters_known": 20.0,
    })  # fmt: skip


def _make_storage(second: int) -> Iterator[Reading]:
    """Three batteries that are filled and emptied once a day."""
    charge = 55.0 + round(45.0 * math.sin(second / _DAY * math.tau))
    common = {"state_of_charge": charge, "power": -900.0}
    yield Reading("storage", {}, second * 1000, {
        **common, "energy_available": 10_080 * charge / 100, "capacity": 10_080.0, "reserve": 10.0, "health": 100.0,
        "batteries": 3.0, "measured": 3.0,
    })  # fmt: skip
    for index in range(3):
        yield Reading("battery", {"battery": f"49232000010{index}"}, second * 1000, {
            **common, "power": -300.0, "energy_available": 3360 * charge / 100, "capacity": 3360.0, "temperature": 24.0,
            "cell_temperature": 25.0, "communicating": 1.0, "last_report": second * 1000.0, "status": "READY",
        })  # fmt: skip
    yield Reading("grid", {}, second * 1000, {"relay": "closed", "mode": "connected", "connected": 1.0})


def _make_delivery(second: int, index: int) -> Reading:
    fields: dict[str, FieldValue] = {
        "lag": 6.0 + 3.0 * math.sin(index / 9),
        "readings": 60.0 + index % 7,
        "rejected": 2.0 if index % 500 == 0 else 0.0,
    }
    return Reading("delivery", {}, second * 1000, fields)


def _make_older(site: Site, now: int) -> Iterator[Reading]:
    """Energies of days, weeks, months and years before the readings begin."""
    zone = ZoneInfo(site.time_zone or "UTC")
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for ago in range(10, _OLDER_DAYS):
        day = today - timedelta(days=ago)
        year, loaded_days, weekday = day.isocalendar()
        names: dict[str, FieldValue] = {
            "week": f"{year}-W{loaded_days:02d}",
            "weekday": f"{weekday} {day:%a}",
            "base_load": 250.0 + ago % 30,
        }
        if ago == _DAYS_SINCE_GAP:  # over midnight
            begin = (day - timedelta(hours=2)).timestamp() * 1000
            names |= {"production_unallocated": 0.0, "load_unallocated": 1200.0, "unallocated_since": begin}
        yield _make_energy("energy_1d", day, 1, names)
        if weekday == 1:
            yield _make_energy("energy_1w", day, 7, {})
        if day.day == 1:
            yield _make_energy("energy_1mo", day, 30, {"year": f"{day.year}", "month": f"{day.month:02d}"})
            if day.month == 1:
                yield _make_energy("energy_1y", day, 365, {})


def _make_energy(kind: str, start: datetime, days: int, names: dict[str, FieldValue]) -> Reading:
    production = days * (12_000.0 + 8000 * math.sin(start.timetuple().tm_yday / 58))
    load = days * 14_000.0
    exported, imported = 0.4 * production, load - 0.6 * production
    fields: dict[str, FieldValue] = {
        "production": production, "load": load, "imported": imported, "exported": exported,
        "discharged": days * 900.0, "charged": days * 1000.0, "production_coverage": 1.0, "load_coverage": 1.0,
        "duration": days * 86_400.0, "resets": 0.0, "self_consumption": 0.6, "self_sufficiency": 1 - imported / load,
        "shared_production": production, "shared_exported": exported, "shared_load": load, "shared_imported": imported,
        "cost": imported * 0.34e-3, "feed_in": exported * 0.08e-3, "savings": 0.6 * production * 0.34e-3,
    }  # fmt: skip
    return Reading(kind, {}, round(start.timestamp() * 1000), fields | names)
