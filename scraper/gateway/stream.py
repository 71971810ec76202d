"""The meter stream as lines, exactly as the gateway sent them, however the network cut them.

httpx-sse could split the events, but it bounds neither the size of an event nor the time one may take, and a
hostile or hanging gateway must not cost us memory or hours. The format is simple: one line per event.

One deadline covers both a stall and a drip of single bytes: the time since the last complete event.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import NamedTuple

from scraper.errors import BadReplyError, GatewayUnreachableError
from shared.clock import Clock

PATH = "/stream/meter"
EVENT_INTERVAL_S = 1.0
"""The gateway makes one event a second."""

_MAX_EVENT = 64 * 1024
"""Bytes of one line, at most; a real one has about 1 kB."""
_GATHER_S = 0.1
"""Chunks that come within this time of each other are one burst: a flushed buffer, cut by the network."""
_GATHER_ALL_S = 0.3
"""A burst takes no longer than this."""
_LATE = 1.5
"""An event that took more intervals than this may be the first of those that were held back."""
_MAX_CHUNKS = 64
"""Chunks (of at most 64 KiB) gathered into one burst, at most."""


class Burst(NamedTuple):
    """Events that arrived together.

    Firmware 7.0 fills a buffer of 16 KiB before it sends, so about 22 events come at once: they were measured one
    interval apart, the last one on arrival.

    Attributes:
        arrival_ms: UTC, milliseconds, when the last of them arrived.
        lines: Each one `data:` line without its line end; blank lines and comments are left out.
    """

    arrival_ms: int
    lines: list[bytes]


class Watchdog(NamedTuple):
    """How long to wait for the next event.

    Attributes:
        first_s: From opening to the first event (a buffering firmware needs about 23 s).
        quiet_s: Later, at least this long: firmware 8.3.6086 holds events back for many seconds, and loses none.
        intervals: Later, this many times the spacing of bursts (n events come every n intervals), at most `first_s`.
        interval_s: Seconds from one event to the next.
    """

    first_s: float = 60.0
    quiet_s: float = 32.0
    intervals: float = 3.0
    interval_s: float = EVENT_INTERVAL_S

    def compute_patience(self, last: Burst | None) -> float:
        """Seconds from the last event until the stream counts as stalled."""
        if last is None:
            return self.first_s
        return min(self.first_s, max(self.quiet_s, self.intervals * self.interval_s * len(last.lines)))


class LineSplitter:
    """Joins chunks and cuts them at line ends (LF or CRLF). Pure; holds at most one incomplete line."""

    def __init__(self, limit: int = _MAX_EVENT) -> None:
        self._limit = limit
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes. Raises BadReplyError for a line beyond the limit."""
        *complete, rest = chunk.split(b"\n")
        lines = []
        for part in complete:
            self._grow(part)
            lines.append(bytes(self._rest.removesuffix(b"\r")))
            self._rest.clear()
        self._grow(rest)
        return lines

    @property
    def holds_a_part(self) -> bool:
        """Whether a line has begun and not ended."""
        return bool(self._rest)

    def _grow(self, part: bytes) -> None:
        if len(self._rest) + len(part) > self._limit:
            raise BadReplyError(f"the meter stream sent an event of more than {self._limit} bytes; it is opened again")
        self._rest += part


async def read_bursts(chunks: AsyncIterator[bytes], clock: Clock, watchdog: Watchdog) -> AsyncGenerator[Burst, None]:
    """Events from an open stream, until it ends or stalls. Close the generator when done with it.

    Raises:
        GatewayUnreachableError: The stream stalled, or the connection broke.
        BadReplyError: An event of absurd size.
    """
    reader = _ChunkReader(chunks, clock)
    last: Burst | None = None
    try:
        while not reader.ended:
            patience, since = watchdog.compute_patience(last), clock.monotonic()
            lines = await reader.read_lines(patience)
            if lines:
                was_late = clock.monotonic() - since > _LATE * watchdog.interval_s
                # One whole event in time and alone is not the start of events that were held back.
                if len(lines) > 1 or reader.holds_a_part or was_late:
                    lines += await reader.gather()
                last = Burst(reader.arrival_ms, lines)
                yield last
            elif not reader.ended:
                raise GatewayUnreachableError(f"the meter stream gave no event for {patience:g} s; it is opened again")
    finally:
        await reader.aclose()


class _ChunkReader:
    """Takes chunks off the stream within time limits."""

    def __init__(self, chunks: AsyncIterator[bytes], clock: Clock) -> None:
        self.ended = False
        self.arrival_ms = 0
        self._chunks = chunks
        self._clock = clock
        self._splitter = LineSplitter()
        self._pending: asyncio.Task[bytes | None] | None = None

    @property
    def holds_a_part(self) -> bool:
        """Whether an event has begun and not ended."""
        return self._splitter.holds_a_part

    async def read_lines(self, seconds: float) -> list[bytes]:
        """The events that the next chunks complete; none if the stream ends or the time is over."""
        try:
            async with asyncio.timeout(
                seconds
            ):  # a read that this gives up breaks the stream, which is over then anyway
                while not self.ended:
                    chunk = await (self._pending or anext(self._chunks, None))
                    self._pending = None
                    if lines := self._take(chunk):
                        return lines
        except TimeoutError:
            pass
        return []

    async def gather(self) -> list[bytes]:
        """The events that follow at once: the rest of a flushed buffer, which the network has cut.

        The read is a task that outlives the short wait, because the stream goes on.
        """
        lines: list[bytes] = []
        loop = asyncio.get_running_loop()
        until = loop.time() + _GATHER_ALL_S
        for _ in range(_MAX_CHUNKS):
            self._pending = self._pending or asyncio.create_task(_read_next(self._chunks))
            await asyncio.wait({self._pending}, timeout=max(0.0, min(_GATHER_S, until - loop.time())))
            if self.ended or not self._pending.done():
                break
            chunk, self._pending = self._pending.result(), None
            lines += self._take(chunk)
        return lines

    def _take(self, chunk: bytes | None) -> list[bytes]:
        if chunk is None:
            self.ended = True
            return []
        lines = [line for line in self._splitter.feed(chunk) if line.startswith(b"data:")]
        if lines:
            self.arrival_ms = self._clock.now_ms()
        return lines

    async def aclose(self) -> None:
        if self._pending is not None:
            self._pending.cancel()
            await asyncio.gather(self._pending, return_exceptions=True)


async def _read_next(chunks: AsyncIterator[bytes]) -> bytes | None:
    """The next chunk, or None at the end of the stream."""
    return await anext(chunks, None)
