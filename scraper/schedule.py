"""When to ask the gateway what: jobs of different intervals, one at a time, kindly.

One job runs at a time (the gateway is small), each is asked once per interval, and after an outage they come back one
by one because they always run one by one. An interval that was missed is not made up for.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from shared.clock import Clock

FREQUENT_S = 300.0
LOOK_S = 5.0
"""Intervals may change while everything waits: the meters are polled soon after their stream broke (seconds)."""


@dataclass
class Job:
    """Something asked again and again.

    Attributes:
        name: For health and logs.
        interval: The seconds between two runs as they should be now; a job becomes due at once when it shrinks.
        run: Does it.
        since: Monotonic time from which the interval counts.
    """

    name: str
    interval: Callable[[], float]
    run: Callable[[], Awaitable[None]]
    since: float = field(default=0.0)

    @property
    def due(self) -> float:
        """Monotonic time of the next run."""
        return self.since + self.interval()


class Schedule:
    """Runs jobs in the order in which they become due."""

    def __init__(self, jobs: list[Job], clock: Clock, rng: random.Random) -> None:
        self._jobs = jobs
        self._clock = clock
        self._rng = rng

    def start(self) -> None:
        """Jobs of up to five minutes are due now, in the order given; a rarer one after its interval."""
        now = self._clock.monotonic()
        for position, job in enumerate(self._jobs):
            interval = job.interval()
            job.since = now + position * 0.1 - (interval if interval <= FREQUENT_S else 0)

    async def next(self) -> Job:
        """Wait for the next job that is due."""
        while True:
            job = min(self._jobs, key=lambda job: job.due)
            wait = job.due - self._clock.monotonic()
            if wait <= 0:
                return job
            await self._clock.sleep(min(wait, LOOK_S))

    def done(self, job: Job) -> None:
        """Count the job's interval anew: a steady rhythm with a little jitter, never a burst to catch up."""
        interval = job.interval()
        earliest = self._clock.monotonic() - interval / 2
        job.since = max(job.since + interval, earliest) + self._rng.uniform(-0.02, 0.02) * interval
