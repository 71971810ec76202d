"""The conductor: connects to the gateway, asks each endpoint in turn, and hands every sample to the recorder.

A failed endpoint is a partial success: it is counted and the others go on. Only an unreachable gateway or a login
that needs a person pauses everything, with bounded random-exponential waits; the outbox drains meanwhile.
"""

import random

import structlog

from scraper.errors import (
    BadReplyError,
    CertificateChangedError,
    EndpointUnavailableError,
    GatewayError,
    PersonNeededError,
    SettingError,
)
from scraper.gateway.session import Gateway
from scraper.health import Health
from scraper.report import Report
from scraper.samples import Samples
from scraper.schedule import Job, Schedule
from shared.clock import Clock

log = structlog.get_logger()

PERSON_S = 10.0
"""How often to look whether a person has acted (seconds); the client asks the gateway again only every 300 s."""
LONGEST_WAIT_S = 60.0
IDENTIFY_S = 4 * 3600.0
"""Firmware is pushed without notice: the gateway is identified anew this often (seconds)."""
COUNTERS_S = 60.0
ALARM_S = 600.0
"""The gateway restarts its services every night for some minutes: shorter outages are no alarm (seconds)."""


class Conductor:
    """Polls one gateway.

    Args:
        gateway: The connection.
        samples: Turns replies into readings and records them.
        report: The scraper's own reading, due once a minute whatever the gateway does.
        health: Written.
        clock: Time.
        inverter_interval_s: Seconds between two inverter polls.
        meter_interval_s: Seconds between two meter polls while there is no stream.
        meters_wanted: Whether meters are read at all.
    """

    def __init__(
        self,
        gateway: Gateway,
        samples: Samples,
        report: Report,
        health: Health,
        clock: Clock,
        rng: random.Random,
        *,
        inverter_interval_s: float,
        meter_interval_s: float,
        meters_wanted: bool,
    ) -> None:
        self._gateway = gateway
        self._samples = samples
        self._report = report
        self._health = health
        self._clock = clock
        self._rng = rng
        self._meter_interval_s = meter_interval_s
        self._failures = 0
        self._down_since: float | None = None
        jobs = [
            Job("inverters", lambda: inverter_interval_s, samples.inverters),
            Job("production", lambda: COUNTERS_S, samples.production),
            Job("status", lambda: COUNTERS_S, self._status),
            Job("identify", lambda: IDENTIFY_S, self._identify),
        ]
        if meters_wanted:
            jobs.insert(1, Job("meters", self._meter_interval, samples.meters))
        self._schedule = Schedule(jobs, clock, rng)

    async def run(self) -> None:
        """Connect and poll until cancelled."""
        while True:
            await self._connect()
            lost = await self._poll()
            await self._samples.stopped("the gateway is unreachable")
            log.info("the gateway is lost", reason=str(lost))

    async def _connect(self) -> None:
        """Try until the gateway is found, known and logged in to."""
        while True:
            started = self._clock.monotonic()
            try:
                await self._identify()
            except (GatewayError, SettingError) as error:
                self._health.failed("identify", seconds=self._clock.monotonic() - started, problem=str(error))
                await self._wait(await self._not_connected(error))
            else:
                self._connected(self._clock.monotonic() - started)
                return

    async def _poll(self) -> GatewayError | SettingError:
        """Run the jobs until the gateway is lost; returns why."""
        self._schedule.start()
        while True:
            job = await self._schedule.next()
            started = self._clock.monotonic()
            try:
                await job.run()
            except (BadReplyError, EndpointUnavailableError) as error:
                self._failed(job, error, started)
            except (GatewayError, SettingError) as error:
                self._failed(job, error, started)
                return error
            else:
                seconds = self._clock.monotonic() - started
                self._health.succeeded(job.name, seconds=seconds, now_ms=self._clock.now_ms())
            self._schedule.done(job)

    def _meter_interval(self) -> float:
        return COUNTERS_S if self._health.stream_connected else self._meter_interval_s

    async def _status(self) -> None:
        await self._samples.remember()
        await self._report.send()

    async def _identify(self) -> None:
        await self._samples.identified(await self._gateway.connect())

    def _connected(self, seconds: float) -> None:
        self._health.succeeded("identify", seconds=seconds, now_ms=self._clock.now_ms())
        if self._down_since is not None:
            log.info("the gateway answers again", minutes=round((self._clock.monotonic() - self._down_since) / 60, 1))
        self._failures = 0
        self._down_since = None
        self._health.person_needed = None
        self._health.certificate_changed = False

    def _failed(self, job: Job, error: Exception, started: float) -> None:
        known = self._health.endpoints.get(job.name)
        if known is None or known.problem != str(error):
            log.info("not read", job=job.name, reason=str(error))
        self._health.failed(job.name, seconds=self._clock.monotonic() - started, problem=str(error))

    async def _not_connected(self, error: GatewayError | SettingError) -> float:
        """Say so where it is worth saying; returns the seconds to wait."""
        if isinstance(error, PersonNeededError | SettingError):
            if self._health.person_needed != str(error):
                log.error("somebody must act; what was read before is still delivered", reason=str(error))
            self._health.person_needed = str(error)
            if isinstance(error, CertificateChangedError) and not self._health.certificate_changed:
                await self._samples.certificate_changed()
            return PERSON_S
        now = self._clock.monotonic()
        if self._down_since is None:
            self._down_since = now
        elif now - self._down_since > ALARM_S and self._failures % 10 == 0:
            minutes = round((now - self._down_since) / 60)
            log.warning("the gateway has been away for long", minutes=minutes, reason=str(error))
        self._failures += 1
        return self._rng.uniform(0.5, min(LONGEST_WAIT_S, 2.0 ** min(self._failures, 6)))

    async def _wait(self, seconds: float) -> None:
        """Wait, but keep saying how things are: the status reading needs no gateway."""
        end = self._clock.monotonic() + seconds
        while (left := end - self._clock.monotonic()) > 0:
            await self._clock.sleep(min(left, COUNTERS_S))
            if left > COUNTERS_S:
                await self._status()
