"""A real receiver with the built page and a small household, on the host's clock, for a browser to look at."""

import contextlib
import gzip
import math
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import yaml

from receiver.auth import links, readers
from receiver.auth.keys import ReaderScope
from receiver.service.app import run_receiver
from receiver.service.build import Receiver, build
from shared import wire
from shared.clock import SystemClock
from shared.readings import Reading
from shared.units import HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.receiver.service import (
    GATEWAY,
    OTHER,
    READ_SECRET,
    SECRET,
    UNLIMITED,
    make_batch,
    make_ingest_claims,
    make_settings,
    sign,
)

NAME = "Testhouse"
SYSTEM = "system-4711023"
"""Another one, which may be sent as if it were read through the cloud."""
PANELS = {f"48210000000{index}": (f"Roof {index}", 1 + (index - 1) // 3, 1 + (index - 1) % 3) for index in range(1, 7)}
"""Serial to name, row and column: two rows of three."""
WEAK = "482100000005"
PRICE, FEED_IN = 0.32, 0.08
"""Of a kWh that is bought, and of one that is sold, EUR."""
_ROWS = 400
_CYCLE_MS = 6 * HOUR_MS
_DARKEST_MS = 10 * HOUR_MS
"""The sun comes and goes in cycles, and is lowest at this time of the site's day: the morning of every test buys."""


class PageServer:
    """The household's receiver; it can stop and start again at the same address.

    Args:
        state_dir: Where everything is kept.
    """

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.clock = SystemClock()
        self.receiver: Receiver
        self.sites_file = state_dir.with_name("sites.yaml")
        self._ahead_hours = 12 - datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC).hour
        self.sites_file.write_text(yaml.safe_dump({GATEWAY: _describe_site(self._ahead_hours)}))
        self._port = 0
        self._sequence = 1
        self._stack = contextlib.AsyncExitStack()

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self._port}/"

    async def start(self, *, has_sites_file: bool = True) -> None:
        """Start it, where it was before if it was."""
        sites_file = self.sites_file if has_sites_file else None
        settings = make_settings(self.state_dir, sites_file=sites_file, meter_days=0, gateways=(GATEWAY, OTHER, SYSTEM))
        self.receiver = build(settings, clock=self.clock, limits=UNLIMITED)
        listener = await self._stack.enter_async_context(run_receiver(self.receiver, host="127.0.0.1", port=self._port))
        self._port = listener.port

    async def stop(self) -> None:
        """Stop it."""
        await self._stack.aclose()

    def make_link(self, *, days: int = 30, scope: ReaderScope = "read") -> str:
        """An address that opens the page: a new short link."""
        now_s = self.clock.now_ms() // 1000
        _, code = links.create(self.state_dir, name="", gateways=[GATEWAY], days=days, now_s=now_s, scope=scope)
        return links.make_page_link(self.url.removesuffix("/"), code)

    def make_token(self, *, days: int = 30, gateways: tuple[str, ...] = (GATEWAY,)) -> tuple[str, str]:
        """A new reader token for these gateways: its id and itself."""
        now_s = self.clock.now_ms() // 1000
        entry, token = readers.create(self.state_dir, READ_SECRET, gateways=list(gateways), days=days, now_s=now_s)
        return entry.jti, token

    async def send(self, *readings: Reading, serial: str = GATEWAY) -> None:
        """Store readings the way a scraper does."""
        headers = {
            "authorization": f"Bearer {sign(make_ingest_claims(self.clock.now_ms(), serial=serial), SECRET)}",
            "content-type": "application/json",
            "content-encoding": "gzip",
        }
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            for first in range(0, len(readings), _ROWS):
                body = make_batch(*readings[first : first + _ROWS], batch=f"{self._sequence:x}", first=self._sequence)
                self._sequence += _ROWS
                answer = await client.post(
                    f"/api/v1/gateways/{serial}/batches", content=gzip.compress(body), headers=headers
                )
                assert answer.status_code == 200, answer.text
                assert not wire.decode_verdict(answer.content).rejected

    async def fill_history(self) -> None:
        """Give the household a history: the hours until now, and some of the day before."""
        now = self.clock.now_ms()
        await self.send(*self._make_history(now - 30 * HOUR_MS, now - 24 * HOUR_MS))
        await self.send(*self._make_history(now - 4 * HOUR_MS, now))
        await self._speak_now()
        await self.receiver.rollups.catch_up()

    async def _speak_now(self) -> None:
        await self.set_power(production=1234.0, net=-234.0)
        await self.send(make_status(self.clock.now_ms()))

    async def add_past(self, *ages_ms: int) -> None:
        """Give the household six hours each that ended so long ago."""
        now = self.clock.now_ms()
        for age in ages_ms:
            await self.send(*self._make_history(now - age - 6 * HOUR_MS, now - age))
        await self.receiver.rollups.catch_up()

    async def send_whole_days(self, days: int, *, until_days_ago: int = 0) -> None:
        """Give the household meters of the last so many times 24 hours, or of those that ended so long ago."""
        stop = self.clock.now_ms() - until_days_ago * 24 * HOUR_MS
        await self.send(*self._make_history(stop - days * 24 * HOUR_MS, stop))
        await self.receiver.rollups.catch_up()
        await self._speak_now()  # what that took on a busy machine is no silence of the gateway

    async def add_battery_past(self, age_ms: int) -> None:
        """Give the household six hours with a battery that ended so long ago: it charges first, then it gives."""
        now = self.clock.now_ms()
        start, stop = now - age_ms - 6 * HOUR_MS, now - age_ms
        times = range(start // MINUTE_MS * MINUTE_MS, stop, MINUTE_MS)
        half = (start + stop) // 2
        battery = [_make_meter("storage", time, -500.0 if time < half else 800.0) for time in times]
        await self.send(*self._make_history(start, stop), *battery)
        await self.receiver.rollups.catch_up()

    async def set_power(self, *, production: float, net: float, age_ms: int = 0) -> None:
        """What the meters say now: so many W of production, and of the grid (+ import)."""
        now = self.clock.now_ms() - age_ms
        await self.send(_make_meter("production", now, production), _make_meter("net-consumption", now, net))

    def _make_history(self, start: int, stop: int) -> Iterator[Reading]:
        """Meters each minute and panels each quarter hour, the same at every time of day.

        The sun follows the clock of the site: where it followed the time since 1970, there were mornings without
        anything bought, or with so little that no bar shows it.
        """
        for time in range(start // MINUTE_MS * MINUTE_MS, stop, MINUTE_MS):
            since_darkest = time + self._ahead_hours * HOUR_MS - _DARKEST_MS
            sun = 1500 - 1200 * math.cos(2 * math.pi * since_darkest / _CYCLE_MS)
            yield _make_meter("production", time, sun)
            yield _make_meter("net-consumption", time, 400 - sun)
            if time % QUARTER_MS == 0:
                for serial in PANELS:
                    share = 0.5 if serial == WEAK else 1.0
                    fields = {"power": float(round(sun / 6 * share)), "max_power": 480.0, "interval": 900.0}
                    yield Reading("inverter", {"inverter": serial}, time, {**fields})


def make_status(timestamp: int, **fields: float) -> Reading:
    """What the scraper says of itself."""
    fine = {"certificate_changed": 0.0, "login_blocked": 0.0, "outbox_rows": 12.0, "token_expires_in": 9e6}
    words = {"firmware": "D8.2.4345", "role": "owner"}
    return Reading("gateway", {}, timestamp, {**fine, **words, **fields})


@contextlib.asynccontextmanager
async def run_page_server(folder: Path) -> AsyncIterator[PageServer]:
    """A running page server with its household."""
    page_server = PageServer(folder / "state")
    await page_server.start()
    try:
        await page_server.fill_history()
        yield page_server
    finally:
        await page_server.stop()


def _describe_site(ahead: int) -> dict[str, object]:
    """Its clocks show about noon, whenever the test runs: today has a morning, and yesterday is another day.

    Args:
        ahead: Hours that they are ahead of UTC.
    """
    panels = {
        serial: {"name": name, "array": "South", "row": row, "column": column}
        for serial, (name, row, column) in PANELS.items()
    }
    return {
        "name": NAME,
        "time_zone": f"Etc/GMT{-ahead:+d}" if ahead else "UTC",
        "panels": panels,
        "tariffs": [{"valid_from": "2020-01-01", "rates": PRICE, "feed_in": FEED_IN}],
        "currency": "EUR",
    }


def _make_meter(name: str, timestamp: int, power: float) -> Reading:
    fields = {"power": round(power, 1), "voltage": 231.4, "current": abs(round(power / 231.4, 2)), "power_factor": 1.0}
    return Reading("meter", {"meter": name, "phase": "a"}, timestamp, {**fields})
