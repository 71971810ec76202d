"""`python -m standalone.loader`: makes the past and posts it to the receiver as a scraper would, the newest part first.

A process of its own, because a week takes half a minute of computing. Its standard output says how far it is, one
`Progress` in JSON per line. The secret comes in the environment (ENVOY_RECEIVER_SECRET), as it does for the scraper.
"""

import argparse
import asyncio
import os
import secrets
import sys
from collections.abc import Iterator, Sequence

import msgspec

from scraper.uplink.replies import Judgement, Renew, Wait, understand
from scraper.uplink.sender import NoAnswer, Sender
from scraper.uplink.signer import HouseholdSecret, Signer
from shared import wire
from shared.clock import Clock, SystemClock
from shared.readings import Reading
from standalone.errors import StandaloneError
from standalone.history import CHUNK_S, HouseSettings, Past

_MAX_BYTES = wire.MAX_BYTES * 3 // 4  # room for what a batch adds around its readings
_ATTEMPTS = 30
_WAIT_S = 1.0


class LoadJob(msgspec.Struct, frozen=True):
    """What to load.

    Attributes:
        url: Base address of the receiver.
        serial: The gateway that it is the past of.
        outbox: Id of the scraper's outbox: two ids in turn would look like two scrapers.
        house: The simulated house.
        start_s: First second (epoch).
        stop_s: Where the present begins.
    """

    url: str
    serial: str
    outbox: str
    house: HouseSettings
    start_s: int
    stop_s: int


class Progress(msgspec.Struct, frozen=True):
    """The stored share of the past, 0 to 1, and the number of its readings."""

    done: float
    readings: int


class Poster:
    """Posts readings until a verdict says that they are stored."""

    def __init__(self, job: LoadJob, secret: str, clock: Clock) -> None:
        self._outbox = job.outbox
        self._sender = Sender(job.url, job.serial, None)
        self._signer = Signer(HouseholdSecret(secret), job.serial)
        self._clock = clock
        self._seq = 0

    async def post(self, rows: Sequence[bytes]) -> None:
        """One batch. Raises StandaloneError if the receiver does not take all of it."""
        batch = secrets.token_hex(16)
        seqs = range(self._seq + 1, self._seq + 1 + len(rows))
        body = wire.encode_batch(batch=batch, outbox=self._outbox, rows=zip(seqs, rows, strict=True))
        reason = ""
        for _ in range(_ATTEMPTS):
            answer = await self._sender.post(body, self._signer.get_token(self._clock.now_ms() // 1000))
            if isinstance(answer, NoAnswer):
                reason, wait_s = answer.reason, _WAIT_S
            else:
                meaning = understand(
                    status=answer.status, headers=answer.headers, body=answer.body, batch=batch, seqs=seqs
                )
                if isinstance(meaning, Judgement) and not meaning.verdict.rejected:
                    self._seq += len(rows)
                    return
                if not isinstance(meaning, Wait):
                    raise StandaloneError(f"the receiver does not take the simulated past: {_explain(meaning)}")
                reason, wait_s = meaning.reason, meaning.after_s or _WAIT_S
            await self._clock.sleep(wait_s)
        raise StandaloneError(f"the simulated past cannot be delivered: {reason}")

    async def aclose(self) -> None:
        """Close the connection."""
        await self._sender.aclose()


def make_batches(readings: Sequence[Reading]) -> Iterator[list[bytes]]:
    """The readings in batches that a receiver takes."""
    batch: list[bytes] = []
    size = 0
    for reading in readings:
        row = wire.encode_reading(reading)
        if batch and (len(batch) == wire.MAX_ROWS or size + len(row) > _MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += len(row) + 32
    if batch:
        yield batch


async def load(job: LoadJob, secret: str, clock: Clock) -> None:
    """Make and post the past; print the progress. Raises StandaloneError."""
    poster = Poster(job, secret, clock)
    try:
        posted, pieces = 0, -(-(job.stop_s - job.start_s) // CHUNK_S)
        for number, piece in enumerate(Past(job.house).make_pieces(job.start_s, job.stop_s), start=1):
            for batch in make_batches(piece):
                await poster.post(batch)
                posted += len(batch)
            progress = Progress(min(number / pieces, 1.0), posted)
            print(msgspec.json.encode(progress).decode(), flush=True)  # noqa: T201 (read by the supervisor)
    finally:
        await poster.aclose()


def _explain(meaning: object) -> str:
    match meaning:
        case Renew():
            return "its secret is another one"
        case Judgement(verdict):
            return ", ".join(sorted({row.code for row in verdict.rejected}))
    return type(meaning).__name__


def main() -> int:
    """Run the job of the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Load a simulated past (started by `standalone demo`).")
    parser.add_argument("job", help="a LoadJob in JSON")
    job = msgspec.json.decode(parser.parse_args().job, type=LoadJob)
    try:
        asyncio.run(load(job, os.environ["ENVOY_RECEIVER_SECRET"], SystemClock()))
    except StandaloneError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except asyncio.CancelledError:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
