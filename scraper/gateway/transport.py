"""Bytes to and from one gateway address: bounded in size, time and number, and nothing it says is followed.

Promises: one request in flight; no redirect, no cookie jar, no proxy from the environment; a reply of at most
`MAX_BODY` bytes within `Deadlines.total` seconds; every foreign error becomes one of `scraper.errors`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Literal, NamedTuple, TypeAlias

import httpx

from scraper.errors import BadReplyError, GatewayBusyError, GatewayUnreachableError, ScraperSettingError
from scraper.gateway.pinning import Pin, make_pinned_context
from shared.connection_failures import explain_failure

Scheme: TypeAlias = Literal["http", "https"]

MAX_BODY = 2 * 1024 * 1024
"""Bytes of one reply, at most; the largest documented one is far below 200 KiB."""
_MAX_HEADERS = 200
_USER_AGENT = "envoy-relay"


class GatewayReply(NamedTuple):
    """A complete reply. The content type is what the gateway claims, which is often wrong."""

    status: int
    content_type: str
    body: bytes


class Deadlines(NamedTuple):
    """Seconds. The gateway accepts quickly but may answer slowly."""

    connect: float = 10.0
    read: float = 45.0
    total: float = 45.0
    stream_read: float = 60.0


class Address(NamedTuple):
    """Where a gateway is. `host` is a name or an address, IPv6 without brackets."""

    host: str
    http_port: int = 80
    https_port: int = 443

    def make_url(self, scheme: Scheme, path: str) -> str:
        """The URL of `path`, which begins with a slash. Raises ScraperSettingError if the host cannot be one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = self.https_port if scheme == "https" else self.http_port
        try:
            return str(httpx.URL(f"{scheme}://{host}:{port}").copy_with(raw_path=path.encode("ascii")))
        except httpx.InvalidURL as error:
            raise ScraperSettingError(
                "ENVOY_HOST must be a host name or an IP address, without http:// and path"
            ) from error


class _CappedStream(httpx.AsyncByteStream):
    """A reply body that ends in BadReplyError beyond its cap."""

    def __init__(self, stream: httpx.AsyncByteStream, cap: int) -> None:
        self._stream = stream
        self._cap = cap

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._stream:
            received += len(chunk)
            if received > self._cap:
                raise BadReplyError(f"the gateway sent more than {self._cap} bytes for one reply; it was discarded")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class _CappedTransport(httpx.AsyncBaseTransport):
    """Puts the cap below httpx, because its digest login reads the body of a 401 whole by itself."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        # A compressed body could unpack to any size. We ask for none, and the gateway has no reason to send one.
        encoded = response.headers.get("content-encoding", "identity").lower() != "identity"
        if encoded or len(response.headers) > _MAX_HEADERS or not isinstance(response.stream, httpx.AsyncByteStream):
            await response.aclose()
            raise BadReplyError("the gateway sent a compressed reply or hundreds of headers; it was discarded")
        endless = request.extensions.get("endless", False) and response.status_code == httpx.codes.OK
        if not endless:
            response.stream = _CappedStream(response.stream, MAX_BODY)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class Transport:
    """One address, one TLS pin, one connection for requests and one for the stream.

    Args:
        address: Where to.
        pin: What certificate https must show.
        lock: Held during each request; shared by all transports to one gateway, so that it never sees two at once.
        keep_alive: Whether connections are used again (some old gateways fail when they are).
        deadlines: How long to wait.
    """

    def __init__(
        self,
        address: Address,
        pin: Pin,
        *,
        lock: asyncio.Lock,
        keep_alive: bool = True,
        deadlines: Deadlines | None = None,
    ) -> None:
        self.address = address
        self.pin = pin
        self.deadlines = deadlines or Deadlines()
        self._lock = lock
        self._requests = self._make_client(keep_alive=keep_alive)
        # The stream holds its connection for hours; a client of its own keeps it out of the request pool.
        self._streams = self._make_client(keep_alive=False)

    def _make_client(self, *, keep_alive: bool) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=int(keep_alive), keepalive_expiry=120.0)
        inner = httpx.AsyncHTTPTransport(verify=make_pinned_context(self.pin), trust_env=False, limits=limits)
        return httpx.AsyncClient(
            transport=_CappedTransport(inner),
            trust_env=False,
            follow_redirects=False,
            # An empty list of allowed domains refuses every cookie; the login keeps the one it needs.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"User-Agent": _USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(self.deadlines.read, connect=self.deadlines.connect),
        )

    async def get(self, scheme: Scheme, path: str, *, auth: httpx.Auth | None = None) -> GatewayReply:
        """Ask for `path` once (once more if a reused connection turns out dead) and read the whole reply.

        Raises:
            GatewayUnreachableError: No connection, reset, or no complete reply in time.
            BadReplyError: Truncated, too large, or not HTTP.
            CertificateChangedError: Refused inside the handshake; nothing was sent.
        """
        async with self._lock:
            try:
                async with asyncio.timeout(self.deadlines.total):
                    return await self._get(self.address.make_url(scheme, path), auth)
            except TimeoutError as error:
                raise GatewayBusyError(
                    f"the gateway at {self.address.host} gave no complete answer within {self.deadlines.total:g} s"
                ) from error
            except (httpx.HTTPError, OSError) as error:
                raise self._make_error(error) from error

    async def _get(self, url: str, auth: httpx.Auth | None) -> GatewayReply:
        connected = False

        async def trace(event: str, _info: dict[str, Any]) -> None:
            nonlocal connected
            connected = connected or event == "connection.connect_tcp.started"

        for retry in (True, False):
            request = self._requests.build_request("GET", url, extensions={"trace": trace})
            try:
                response = await _send(self._requests, request, auth)
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                if connected or not retry:
                    raise
                continue  # the gateway had closed the idle connection: not a failure
            try:
                body = await response.aread()
            except httpx.RemoteProtocolError as error:
                raise BadReplyError("the gateway's reply ended before it was complete; it was discarded") from error
            finally:
                await response.aclose()
            return GatewayReply(response.status_code, response.headers.get("content-type", ""), body)
        raise AssertionError  # pragma: no cover (the second round returns or raises)

    async def send(
        self, scheme: Scheme, method: str, path: str, data: bytes, *, auth: httpx.Auth | None = None
    ) -> GatewayReply:
        """Send JSON as it is, once, never again: what broke off may have been received.

        Raises:
            GatewayUnreachableError: No connection, or no complete reply in time.
            BadReplyError: A reply that is truncated, too large, or not HTTP.
            CertificateChangedError: Refused inside the handshake; nothing was sent.
        """
        async with self._lock:
            request = self._requests.build_request(
                method,
                self.address.make_url(scheme, path),
                content=data,
                headers={"Content-Type": "application/json"},
            )
            try:
                async with asyncio.timeout(self.deadlines.total):
                    response = await _send(self._requests, request, auth)
                    try:
                        body = await response.aread()
                    finally:
                        await response.aclose()
            except (TimeoutError, httpx.HTTPError, OSError) as error:
                raise GatewayUnreachableError(
                    f"the gateway at {self.address.host} gave no complete answer ({explain_failure(error)}); it may "
                    "have received the data all the same: read before you send again"
                ) from error
            return GatewayReply(response.status_code, response.headers.get("content-type", ""), body)

    @asynccontextmanager
    async def stream(
        self, scheme: Scheme, path: str, *, auth: httpx.Auth | None = None
    ) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """Open an endless reply: its status and its body as it arrives. One at a time; errors as `get`."""
        request = self._streams.build_request(
            "GET",
            self.address.make_url(scheme, path),
            headers={"Accept": "text/event-stream"},
            timeout=httpx.Timeout(self.deadlines.stream_read, connect=self.deadlines.connect),
            extensions={"endless": True},
        )
        try:
            async with asyncio.timeout(self.deadlines.total):
                response = await _send(self._streams, request, auth)
        except TimeoutError as error:
            raise GatewayUnreachableError("the gateway did not open its meter stream in time") from error
        except (httpx.HTTPError, OSError) as error:
            raise self._make_error(error) from error
        try:
            yield response.status_code, self._read_chunks(response)
        finally:
            await response.aclose()

    async def _read_chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.aiter_raw():
                yield chunk
        except (httpx.HTTPError, OSError) as error:
            raise self._make_error(error) from error

    def _make_error(self, error: Exception) -> GatewayUnreachableError:
        kind = GatewayBusyError if isinstance(error, httpx.ReadTimeout) else GatewayUnreachableError
        return kind(
            f"the gateway at {self.address.host} cannot be reached ({explain_failure(error)}); check that it is on, "
            "that ENVOY_HOST is right and that this machine is on the same network"
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._requests.aclose()
        await self._streams.aclose()


async def _send(client: httpx.AsyncClient, request: httpx.Request, auth: httpx.Auth | None) -> httpx.Response:
    try:
        return await client.send(request, auth=auth, stream=True)
    except httpx.RemoteProtocolError:
        raise  # the connection ended without a reply, or what came is not HTTP
    except (httpx.ProtocolError, ValueError, KeyError, NotImplementedError) as error:
        # httpx's digest login lets these out when a challenge is malformed.
        raise BadReplyError("the gateway's login challenge makes no sense; it was discarded") from error
