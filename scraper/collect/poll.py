"""The poller: connects to the gateway, asks each endpoint in turn, and hands every sample on.

A failed endpoint is a partial success: it is counted, asked less often, and the others go on. Only an unreachable
gateway or a login that needs a person pauses everything, with bounded random-exponential waits; the outbox drains
meanwhile.
"""

import functools
import random

import structlog

from scraper.collect.ensemble import EnsembleSamples
from scraper.collect.health import Health
from scraper.collect.place import Place
from scraper.collect.samples import Samples
from scraper.collect.schedule import PollJob, Schedule
from scraper.errors import (
    BadReplyError,
    CertificateChangedError,
    EndpointUnavailableError,
    GatewayError,
    LoginPostponedError,
    PersonNeededError,
    ScraperSettingError,
)
from scraper.gateway.session import IDENTIFY_S, GatewayIdentity, GatewaySession
from shared.backoff import Backoff
from shared.clock import Clock
from shared.units import HOUR_S

log = structlog.get_logger()

PERSON_S = 10.0
"""How often to look whether a person has acted (seconds); the client asks the gateway again only every 300 s."""
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 60.0
SHORTEST_WAIT_S = 0.5
COUNTERS_S = 60.0
STATES_S = 60.0
ALARM_S = 600.0
"""The gateway restarts its services every night for some minutes: shorter outages are no alarm (seconds)."""
ALARM_AGAIN_S = HOUR_S


class Poller:
    """Polls one gateway.

    Args:
        gateway: The connection.
        samples: Turns replies into readings and records them.
        health: Written.
        clock: Time.
        inverter_interval_s: Seconds between two inverter polls.
        meter_interval_s: Seconds between two meter polls while there is no stream.
        meters_wanted: Whether meters are read at all.
        ensemble: Reads batteries and grid; None: they are not read.
        place: Asks for the time zone; None: it is not asked.
    """

    def __init__(
        self,
        gateway: GatewaySession,
        samples: Samples,
        health: Health,
        clock: Clock,
        rng: random.Random,
        *,
        inverter_interval_s: float,
        meter_interval_s: float,
        meters_wanted: bool,
        ensemble: EnsembleSamples | None = None,
        place: Place | None = None,
    ) -> None:
        self._gateway = gateway
        self._samples = samples
        self._health = health
        self._clock = clock
        self._meter_interval_s = meter_interval_s
        self._known: GatewayIdentity | None = None
        self._ensemble = ensemble
        self._backoff = Backoff(rng, first_s=FIRST_WAIT_S, longest_s=LONGEST_WAIT_S, shortest_s=SHORTEST_WAIT_S)
        self._down_since: float | None = None
        self._alarm_due = 0.0
        jobs = [
            PollJob("inverters", lambda: inverter_interval_s, samples.ask_inverters),
            PollJob("production", lambda: COUNTERS_S, samples.ask_production),
            PollJob("identify", lambda: IDENTIFY_S, self._identify),
        ]
        if meters_wanted:
            jobs.insert(1, PollJob("meters", self._choose_meter_interval, samples.ask_meters))
            jobs.append(PollJob("meter sums", lambda: COUNTERS_S, samples.ask_stand_in))
        if ensemble is not None:
            interval = functools.partial(_choose_power_interval, ensemble, meter_interval_s)
            jobs.insert(1, PollJob("battery power", interval, ensemble.poll_power))
            jobs.append(PollJob("batteries", lambda: STATES_S, ensemble.poll_states))
        if place is not None:
            jobs.append(PollJob("time zone", place.choose_interval, place.ask))
        self._schedule = Schedule(jobs, clock, rng)

    async def run(self) -> None:
        """Connect and poll until cancelled."""
        self._schedule.start()
        while True:
            await self._connect()
            await self._poll()

    async def _connect(self) -> None:
        """Try until the gateway is found, known and logged in to."""
        while True:
            started = self._clock.monotonic()
            try:
                await self._identify()
            except (GatewayError, ScraperSettingError) as error:
                self._health.note_failure("identify", seconds=self._clock.monotonic() - started, problem=str(error))
                await self._clock.sleep(await self._handle_loss(error))
            else:
                self._note_connection(self._clock.monotonic() - started)
                return

    async def _poll(self) -> None:
        """Run the jobs until something goes wrong that may concern the gateway as a whole: look who answers then."""
        while True:
            job = await self._schedule.wait_for_next()
            started = self._clock.monotonic()
            try:
                await job.run()
                await self._notice()
            except (GatewayError, ScraperSettingError) as error:
                self._note_failure(job, error, started)
                self._schedule.mark_done(job, worked=False)
                if not isinstance(error, BadReplyError | EndpointUnavailableError):
                    return
            else:
                seconds = self._clock.monotonic() - started
                self._health.note_success(job.name, seconds=seconds, now_ms=self._clock.now_ms())
                self._schedule.mark_done(job)

    async def _identify(self) -> None:
        await self._gateway.connect()
        await self._notice()

    async def _notice(self) -> None:
        """Pass on who answers, if that changed: any question may have led to a fresh look, a login or a new token."""
        identity = self._gateway.identity
        if identity is not None and identity != self._known:
            await self._samples.note_identity(identity)
            self._known = identity

    def _note_connection(self, seconds: float) -> None:
        self._health.note_success("identify", seconds=seconds, now_ms=self._clock.now_ms())
        self._health.person_needed = None
        self._health.certificate_changed = False
        if self._down_since is not None:
            log.info("the gateway answers again", minutes=round((self._clock.monotonic() - self._down_since) / 60, 1))
            self._schedule.start()
            if self._ensemble is not None:
                self._ensemble.note_outage()
        self._backoff.succeed()
        self._down_since = None

    def _note_failure(self, job: PollJob, error: Exception, started: float) -> None:
        known = self._health.endpoints.get(job.name)
        if known is None or known.problem != str(error):
            log.info("not read", job=job.name, reason=str(error))
        self._health.note_failure(job.name, seconds=self._clock.monotonic() - started, problem=str(error))

    async def _handle_loss(self, error: GatewayError | ScraperSettingError) -> float:
        """Open the gap, say so where it is worth saying; returns the seconds to wait."""
        now = self._clock.monotonic()
        person = isinstance(error, PersonNeededError | ScraperSettingError)
        if self._down_since is None:
            self._down_since, self._alarm_due = now, now + ALARM_S
            if not person:
                log.info("the gateway is lost", reason=str(error))
            await self._samples.note_stop(_describe_outage(error))
        if person:
            await self._need_person(error)
            return PERSON_S
        if now >= self._alarm_due:
            self._alarm_due = now + ALARM_AGAIN_S
            minutes = round((now - self._down_since) / 60)
            log.warning("the gateway has been away for long", minutes=minutes, reason=str(error))
        return self._backoff.draw_delay()

    async def _need_person(self, error: GatewayError | ScraperSettingError) -> None:
        if self._health.person_needed != str(error):
            log.error("somebody must act; what was read before is still delivered", reason=str(error))
        self._health.person_needed = str(error)
        changed = isinstance(error, CertificateChangedError)
        if changed and not self._health.certificate_changed:
            await self._samples.record_certificate_change()
        self._health.certificate_changed = changed

    def _choose_meter_interval(self) -> float:
        """While a stream gives the values, or nothing may stand in for it, only the counters are asked."""
        return self._meter_interval_s if self._samples.polls_values else COUNTERS_S


def _choose_power_interval(ensemble: EnsembleSamples, meter_interval_s: float) -> float:
    """The batteries' power comes as often as that of meters only where no meter gives it."""
    return meter_interval_s if ensemble.polls_power else STATES_S


def _describe_outage(error: GatewayError | ScraperSettingError) -> str:
    if isinstance(error, PersonNeededError | ScraperSettingError):
        return "a person is needed"
    return "there is no login yet" if isinstance(error, LoginPostponedError) else "the gateway is unreachable"
