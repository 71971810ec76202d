"""Requests and replies as the simulator's servers see them."""

import http
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

Headers: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """One parsed request.

    Attributes:
        method: `GET`, `POST`, ...
        target: path and query exactly as sent (the digest login signs it).
        path: the path without the query.
        query: the query's parameters; the last one of a name counts.
        headers: lower-case names; the last one of a name counts.
        body: the whole body.
    """

    method: str
    target: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Response:
    """One reply of known length.

    Attributes:
        status: HTTP status.
        body: the body's bytes.
        content_type: None sends no Content-Type, as newer firmware does.
        headers: further headers, in order, repeats allowed.
        chunked: send the body in chunks instead of with a Content-Length.
        on_sent: called once the last byte has left for the socket: what the ledger trusts.
    """

    status: int = 200
    body: bytes = b""
    content_type: str | None = "application/json"
    headers: Headers = ()
    chunked: bool = False
    on_sent: list[Callable[[], None]] = field(default_factory=list)


class ByteWriter(Protocol):
    """The part of `asyncio.StreamWriter` that a reply may use."""

    def write(self, data: bytes) -> None:
        """Queue bytes for the peer."""
        ...

    async def drain(self) -> None:
        """Wait until the queue has been handed to the operating system."""
        ...


@dataclass(frozen=True, slots=True)
class Takeover:
    """A reply that writes its own bytes, headers and all; the connection is closed after it.

    The stream is one, and so is every fault below the level of a well-formed reply.
    """

    run: Callable[[ByteWriter], Awaitable[None]]


Reply: TypeAlias = Response | Takeover
Handler: TypeAlias = Callable[[ParsedRequest], Awaitable[Reply]]


def encode_head(status: int, headers: Headers) -> bytes:
    """Status line and headers, up to and including the empty line."""
    lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def encode_chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; empty data is the end of the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def combine_headers(response: Response, base: Headers, *, keep_alive: bool) -> Headers:
    """Every header of a reply: the server's own, the reply's, and the framing."""
    headers = list(base)
    if response.content_type is not None:
        headers.append(("Content-Type", response.content_type))
    headers += response.headers
    if response.chunked:
        headers.append(("Transfer-Encoding", "chunked"))
    else:
        headers.append(("Content-Length", str(len(response.body))))
    headers.append(("Connection", "keep-alive" if keep_alive else "close"))
    return tuple(headers)


def encode(response: Response, base: Headers, *, keep_alive: bool) -> bytes:
    """A whole well-formed reply."""
    start = encode_head(response.status, combine_headers(response, base, keep_alive=keep_alive))
    if not response.chunked:
        return start + response.body
    parts = [encode_chunk(response.body[at : at + 4096]) for at in range(0, len(response.body), 4096)]
    return start + b"".join(parts) + encode_chunk(b"")
