"""The scraper's own reading: kind `gateway`, once a minute and when something changed.

So the hosted half knows how the edge is doing, also while the gateway is silent.
"""

import asyncio
import contextlib

from scraper.collect.health import Health
from scraper.collect.recorder import Recorder
from scraper.collect.samples import Samples
from scraper.errors import OutboxUnavailableError
from scraper.outbox.thread import OutboxThread
from shared.clock import Clock
from shared.readings import Reading
from shared.version import VERSION

PERIOD_S = 60.0
LOOK_S = 5.0
"""How often to look whether something changed (seconds)."""


class Report:
    """Makes the `gateway` reading from what the scraper knows about itself.

    Args:
        health: What the reading says; the size of the outbox is written to it, for the status port.
        samples: Checked every minute, also when the gateway is silent; None where none is read.
        outbox: Asked for its size.
        recorder: Where the reading goes.
        clock: Time.
    """

    def __init__(
        self,
        health: Health,
        samples: Samples | None,
        outbox: OutboxThread,
        recorder: Recorder,
        clock: Clock,
    ) -> None:
        self._health = health
        self._samples = samples
        self._outbox = outbox
        self._recorder = recorder
        self._clock = clock

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            said, end = self._describe_state(), self._clock.monotonic() + PERIOD_S
            while self._describe_state() == said and self._clock.monotonic() < end:
                await self._clock.sleep(LOOK_S)
            if self._samples is not None:
                await self._samples.tick()
            await self.send()

    async def send(self) -> None:
        """Record how things are now."""
        health, outbox = self._health, await self._read_outbox_fields()
        now = self._clock.now_ms()
        fields: dict[str, float | str] = {
            "poll_seconds": sum(one.seconds for one in health.endpoints.values()),
            "stream_connected": float(health.stream_connected),
            "login_blocked": float(health.person_needed is not None),
            "certificate_changed": float(health.certificate_changed),
            "version": VERSION,
            **outbox,
        }
        if health.inverters_known:  # nobody has asked before the first answer
            fields["inverters_known"] = float(health.inverters_known)
        if health.firmware:
            fields |= {"firmware": health.firmware, "role": health.role}
        if health.time_zone:
            fields["time_zone"] = health.time_zone
        if health.token_expires_s is not None:
            fields["token_expires_in"] = health.token_expires_s - now / 1000
        if health.clock_offset_s is not None:
            fields["clock_offset"] = health.clock_offset_s
        await self._recorder.record([Reading("gateway", {}, now, fields)])

    def look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Renew the size of the outbox for the status port, from its thread; it stays as it was if that takes long."""
        with contextlib.suppress(TimeoutError, RuntimeError):
            asyncio.run_coroutine_threadsafe(self._read_outbox_fields(), loop).result(LOOK_S)

    async def _read_outbox_fields(self) -> dict[str, float]:
        """Nothing while the disk cannot be read: that shows in the log and in the loss that is recorded later."""
        try:
            stats = await self._outbox.read_stats()
        except OutboxUnavailableError:
            return {}
        self._health.outbox = stats
        return await self._read_disk_fields() | {
            "outbox_rows": float(stats.rows),
            "outbox_bytes": float(stats.bytes),
            "dead_letters": float(stats.dead_letters),
            "lost_rows": float(stats.lost_rows),
        }

    async def _read_disk_fields(self) -> dict[str, float]:
        """Nothing while the disk does not say."""
        try:
            disk = await self._outbox.read_disk()
        except OSError:
            return {}
        self._health.disk = disk
        return {"disk_free": float(disk.free), "disk_size": float(disk.size)}

    def _describe_state(self) -> tuple[object, ...]:
        """What is worth a reading of its own when it changes."""
        health = self._health
        return (
            health.firmware,
            health.role,
            health.time_zone,
            health.stream_connected,
            health.person_needed is None,
            health.certificate_changed,
        )
