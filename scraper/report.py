"""The scraper's own reading: kind `gateway`, once a minute, so that the hosted half knows how the edge is doing."""

from scraper import __version__
from scraper.health import Health
from scraper.outbox_thread import OutboxThread
from scraper.recorder import Recorder
from scraper.status import ScraperCollector
from shared.clock import Clock
from shared.readings import Reading


class Report:
    """Makes the `gateway` reading from what the other parts know.

    Args:
        health: Read.
        outbox: Asked for its size, which is shown on the status port too.
        collector: Given that size.
        recorder: Where the reading goes.
        clock: Time.
    """

    def __init__(
        self, health: Health, outbox: OutboxThread, collector: ScraperCollector, recorder: Recorder, clock: Clock
    ) -> None:
        self._health = health
        self._outbox = outbox
        self._collector = collector
        self._recorder = recorder
        self._clock = clock

    async def send(self) -> None:
        """Record how things are now."""
        health, now = self._health, self._clock.now_ms()
        stats = await self._outbox.stats()
        self._collector.outbox = stats
        fields: dict[str, float | str] = {
            "poll_seconds": sum(one.seconds for one in health.endpoints.values()),
            "stream_connected": float(health.stream_connected),
            "login_blocked": float(health.person_needed is not None),
            "certificate_changed": float(health.certificate_changed),
            "outbox_rows": float(stats.rows),
            "outbox_bytes": float(stats.bytes),
            "dead_letters": float(stats.dead_letters),
            "lost_rows": float(stats.lost_rows),
            "inverters_known": float(health.inverters_known),
            "version": __version__,
        }
        if health.firmware:
            fields |= {"firmware": health.firmware, "role": health.role}
        if health.token_expires_s is not None:
            fields["token_expires_in"] = health.token_expires_s - now / 1000
        if health.clock_offset_s is not None:
            fields["clock_offset"] = health.clock_offset_s
        await self._recorder.record([Reading("gateway", {}, now, fields)])
