"""What the scraper knows about itself: shown on the status port, in `check`, and as the `gateway` reading."""

from dataclasses import dataclass, field

from scraper.outbox import OutboxStats
from scraper.outbox.thread import DiskSpace


@dataclass
class EndpointHealth:
    """One thing that the scraper reads from the gateway repeatedly.

    Attributes:
        success: Whether the last attempt worked; None before the first.
        seconds: How long the last attempt took.
        last_success_ms: Wall time of the last success.
        problem: Why the last attempt failed, in words.
        failures: Failures since start.
    """

    success: bool | None = None
    seconds: float = 0.0
    last_success_ms: int | None = None
    problem: str | None = None
    failures: int = 0


@dataclass
class Health:
    """Everything that changes while the scraper runs, written by the loops and read by people.

    Attributes:
        serial: Of the gateway; empty until it is known.
        endpoints: Health of each job by name.
        stream_connected: Whether the meter stream delivers now.
        stream_unavailable: Why there is no stream for this login, in words; None while there may be one.
        stream_events: Meter events since start.
        person_needed: What somebody must do before the gateway can be read again; None if nothing.
        certificate_changed: Whether the gateway shows a certificate that is not the pinned one.
        time_zone: IANA name, as the gateway says; empty until it is known.
        inverters_known: Inverters that the gateway lists.
        refused_fields: Fields of gateway replies that were no numbers, since start.
        outbox: The last known size of the outbox; None before it was first read.
        disk: The last known space on its disk; None before it was first read.
    """

    serial: str = ""
    firmware: str = ""
    role: str = ""
    token_expires_s: int | None = None
    clock_offset_s: float | None = None
    endpoints: dict[str, EndpointHealth] = field(default_factory=dict)
    stream_connected: bool = False
    stream_unavailable: str | None = None
    stream_events: int = 0
    person_needed: str | None = None
    certificate_changed: bool = False
    time_zone: str = ""
    inverters_known: int = 0
    refused_fields: int = 0
    outbox: OutboxStats | None = None
    disk: DiskSpace | None = None

    def note_success(self, name: str, *, seconds: float, now_ms: int) -> None:
        """The job `name` worked."""
        health = self.endpoints.setdefault(name, EndpointHealth())
        health.success, health.seconds, health.last_success_ms, health.problem = True, seconds, now_ms, None

    def note_failure(self, name: str, *, seconds: float, problem: str) -> None:
        """The job `name` did not work."""
        health = self.endpoints.setdefault(name, EndpointHealth())
        health.success, health.seconds, health.problem = False, seconds, problem
        health.failures += 1
