"""One client connection: parse requests, write replies, close without leaving anything behind."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import h11

from simulator.web.messages import Handler, Headers, ParsedRequest, Takeover, encode

# A reader that sends more than this in one request is broken; the device has far less room.
_BODY_LIMIT = 65_536
# Without this limit a silent peer would hold its connection permanently.
_IDLE_S = 300.0


async def open_streams(
    sock: socket.socket, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Turn an accepted socket into a reader and a writer; with `tls`, after the handshake.

    Raises:
        OSError: the handshake failed or the peer left (`ssl.SSLError` is one).
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(
        lambda: protocol, sock, ssl=tls, ssl_handshake_timeout=10.0 if tls else None
    )
    # With an empty buffer as the only "drained" state, `drain` returns when the bytes have left the process.
    # (Not high=0: the TLS transport compares with >= and would wait on an empty buffer without end.)
    transport.set_write_buffer_limits(high=1, low=0)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


class Conversation:
    """Requests and replies over one connection.

    Requests are parsed by h11; replies are written by us, because a fault may want a Content-Length that lies, a
    body that stops or a header that h11 rightly refuses to send. So each request gets a fresh h11 parser that starts
    with the bytes left over from the one before.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._left_over = b""

    async def run(
        self, handler: Handler, base_headers: Callable[[], Headers], *, keep_alive: Callable[[], bool]
    ) -> None:
        """Serve until the peer leaves, a reply asks to close, or something does not parse."""
        while (request := await self._read_request()) is not None:
            reply = await handler(request)
            if isinstance(reply, Takeover):
                await reply.run(self._writer)
                return
            stays = keep_alive() and request.headers.get("connection", "").lower() != "close"
            self._writer.write(encode(reply, base_headers(), keep_alive=stays))
            await self._writer.drain()
            for sent in reply.on_sent:
                sent()
            if not stays:
                return

    async def _read_request(self) -> ParsedRequest | None:
        """The next whole request; None when the peer has left or does not speak HTTP."""
        parser = h11.Connection(h11.SERVER)
        if self._left_over:
            parser.receive_data(self._left_over)
        start: h11.Request | None = None
        body = b""
        while len(body) <= _BODY_LIMIT:
            event = await self._read_event(parser)
            if isinstance(event, h11.Request):
                start = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and start is not None:
                self._left_over = parser.trailing_data[0]
                return _make_request(start, body)
            else:
                return None
        return None

    async def _read_event(self, parser: h11.Connection) -> h11.Event | None:
        try:
            while (event := parser.next_event()) is h11.NEED_DATA:
                if parser.they_are_waiting_for_100_continue:
                    self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                async with asyncio.timeout(_IDLE_S):
                    parser.receive_data(await self._reader.read(65_536))
        except h11.RemoteProtocolError:
            return None
        return event if isinstance(event, h11.Event) else None


def _make_request(start: h11.Request, body: bytes) -> ParsedRequest:
    target = start.target.decode("latin-1")
    parts = urlsplit(target)
    return ParsedRequest(
        method=start.method.decode("latin-1"),
        target=target,
        path=parts.path,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in start.headers},
        body=body,
    )


async def close(writer: asyncio.StreamWriter) -> None:
    """Close politely, but never wait for a peer that does not read."""
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
            return
    writer.transport.abort()
