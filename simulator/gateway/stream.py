"""`/stream/meter`: one server-sent event per second for as long as the reader stays."""

import asyncio
import json
from typing import Any, NamedTuple

from simulator.clock import read_real_ms
from simulator.gateway.device import Device
from simulator.gateway.payloads.meters import make_stream_event
from simulator.ledger import Ledger
from simulator.web.messages import ByteWriter, Headers, encode_chunk, encode_head

# A device has no backlog: when it could not keep up for this long it goes on with the present.
_LAG_S = 10


class _SentEvent(NamedTuple):
    """An event on its way: the ledger hears of it when it has left."""

    values: dict[str, Any]
    time: float
    sent_ms: int


class MeterStream:
    """One open stream.

    Args:
        device: whose meters.
        ledger: records every event whose bytes have been sent.
        headers: of the reply, without framing.
    """

    def __init__(self, device: Device, ledger: Ledger, headers: Headers) -> None:
        self._device = device
        self._ledger = ledger
        self._faults = device.faults
        # Before firmware 7 there are no chunks: the end of the connection is the end of the body.
        self._chunked = device.profile.uses_tokens
        framing = (("Transfer-Encoding", "chunked"),) if self._chunked else ()
        self._head = encode_head(
            200, (*headers, ("Content-Type", "text/event-stream"), *framing, ("Connection", "close"))
        )
        self._waiting = b""
        self._unsent: list[_SentEvent] = []
        self._count = 0

    async def run(self, writer: ByteWriter) -> None:
        """Write events until the peer leaves or a fault ends the stream."""
        writer.write(self._head)
        await writer.drain()
        second = int(self._device.clock.now())
        while True:
            second = max(second + 1, int(self._device.clock.now()) - _LAG_S)
            await self._device.clock.sleep_until(second)
            if self._faults.get("stream-stall") is not None:
                continue
            if not await self._send_event(writer):
                return

    async def _send_event(self, writer: ByteWriter) -> bool:
        """Send one event; False ends the stream."""
        values = make_stream_event(self._device)
        data = self._frame_event(values)
        if data is None:
            await self._write(writer, b"data: {this is no JSON\n\n")
            return True
        if self._faults.take("stream-cut") is not None:
            await self._write(writer, data[: len(data) // 2])
            return False
        self._unsent.append(_SentEvent(values, self._device.now(), read_real_ms()))
        self._waiting += data
        hold = self._faults.get("stream-hold")
        if hold is not None and len(self._unsent) < int(hold["events"]):
            return True
        burst = self._faults.get("stream-burst")
        if burst is not None and len(self._waiting) < int(burst["size"]):
            return True
        await self._flush(writer)
        return True

    def _frame_event(self, values: dict[str, Any]) -> bytes | None:
        """The event's bytes; None when this one is to be garbage."""
        self._count += 1
        garbage = self._faults.get("stream-garbage")
        if garbage is not None and self._count % int(garbage["every"]) == 0:
            return None
        line = b"data: " + json.dumps(values, separators=(",", ":")).encode()
        if self._faults.get("stream-comments") is not None:
            return b": a comment\r\nevent: meter\r\nid: %d\r\nretry: 1000\r\n%b\r\n\r\n" % (self._count, line)
        return line + b"\n\n"

    async def _flush(self, writer: ByteWriter) -> None:
        data, self._waiting = self._waiting, b""
        sent, self._unsent = self._unsent, []
        drip, split = self._faults.get("stream-drip"), self._faults.get("stream-split")
        size = 1 if drip is not None else int(split["size"]) if split is not None else len(data)
        for start in range(0, len(data), size):
            await self._write(writer, data[start : start + size])
            if drip is not None:
                await asyncio.sleep(float(drip["seconds"]))
        for event in sent:
            self._ledger.record("stream", event.values, time=event.time, sent_ms=event.sent_ms)

    async def _write(self, writer: ByteWriter, data: bytes) -> None:
        writer.write(encode_chunk(data) if self._chunked else data)
        await writer.drain()
