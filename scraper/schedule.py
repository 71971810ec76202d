"""When to ask the gateway what: jobs of different intervals, one at a time, kindly.

One job runs at a time (the gateway is small), each is asked once per interval, and after an outage they come back one
by one because they always run one by one. An interval that was missed is not made up for.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from shared.clock import Clock

FREQUENT_S = 300.0


@dataclass
class Job:
    """Something asked again and again.

    Attributes:
        name: For health and logs.
        interval: Returns the seconds between two runs; asked anew after every run.
        run: Does it.
        due: Monotonic time of the next run.
    """

    name: str
    interval: Callable[[], float]
    run: Callable[[], Awaitable[None]]
    due: float = field(default=0.0)


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
            job.due = now + (position * 0.1 if interval <= FREQUENT_S else interval)

    async def next(self) -> Job:
        """Wait for the next job that is due."""
        while True:
            job = min(self._jobs, key=lambda job: job.due)
            wait = job.due - self._clock.monotonic()
            if wait <= 0:
                return job
            await self._clock.sleep(min(wait, 1.0))

    def done(self, job: Job) -> None:
        """Set the job's next run: a steady rhythm with a little jitter, never a burst to catch up."""
        interval = job.interval()
        now = self._clock.monotonic()
        job.due = max(job.due + interval, now + interval / 2) + self._rng.uniform(-0.02, 0.02) * interval
