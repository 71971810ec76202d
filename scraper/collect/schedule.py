"""When to ask the gateway what: jobs of different intervals, one at a time, kindly.

One job runs at a time (the gateway is small), each is asked once per interval, and after an outage they come back one
by one because they always run one by one. An interval that was missed is not made up for.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.backoff import Backoff
from shared.clock import Clock

FREQUENT_S = 300.0
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 60.0
"""What keeps failing is asked less and less often, but at least once a minute (seconds)."""
LOOK_S = 5.0
"""Intervals may change while everything waits: the meters are polled soon after their stream broke (seconds)."""


@dataclass
class PollJob:
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
    since: float = 0.0


class Schedule:
    """Runs jobs in the order in which they become due."""

    def __init__(self, jobs: list[PollJob], clock: Clock, rng: random.Random) -> None:
        self._jobs = jobs
        self._clock = clock
        self._rng = rng
        self._backoffs = {job.name: Backoff(rng, first_s=FIRST_WAIT_S, longest_s=LONGEST_WAIT_S) for job in jobs}

    def start(self) -> None:
        """Jobs of up to five minutes are due now, in the order given; a rarer one after its interval."""
        now = self._clock.monotonic()
        for position, job in enumerate(self._jobs):
            interval = job.interval()
            job.since = now + position * 0.1 - (interval if interval <= FREQUENT_S else 0)

    async def wait_for_next(self) -> PollJob:
        """Wait for the next job that is due."""
        while True:
            job = min(self._jobs, key=self._compute_due)
            wait = self._compute_due(job) - self._clock.monotonic()
            if wait <= 0:
                return job
            await self._clock.sleep(min(wait, LOOK_S))

    def mark_done(self, job: PollJob, *, worked: bool = True) -> None:
        """Restart the job's interval: a regular rhythm with a little jitter, never a burst to catch up."""
        backoff = self._backoffs[job.name]
        if worked:
            backoff.succeed()
        else:
            backoff.fail()
        interval, now = self._compute_pause(job), self._clock.monotonic()
        regular = min(job.since + interval, now)  # later than now if the interval has just grown
        job.since = max(regular, now - interval / 2) + self._rng.uniform(-0.02, 0.02) * interval

    def _compute_due(self, job: PollJob) -> float:
        """Monotonic time of the job's next run."""
        return job.since + self._compute_pause(job)

    def _compute_pause(self, job: PollJob) -> float:
        """Seconds between two runs of the job, without jitter."""
        return max(job.interval(), self._backoffs[job.name].ceiling_s)
