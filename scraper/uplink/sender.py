"""One POST to the receiver, bounded in time and size; every failure is an answer, never an exception."""

import asyncio
import gzip
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from scraper.addresses import is_loopback
from shared.connection_failures import explain_failure, is_untrusted_certificate
from shared.logs import redact

TOTAL_S = 60.0
"""One POST may take this long in any network (seconds)."""
MAX_REPLY_BYTES = 256 * 1024


@dataclass(frozen=True)
class PostReply:
    """What came back. `headers` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class NoAnswer:
    """Nothing that could be read came back; `reason` is for people."""

    reason: str


class Sender:
    """Posts batches for one gateway over one kept-alive connection.

    Args:
        url: Base address of the receiver.
        serial: The gateway in the path.
        tls: The context that verifies the receiver, or None for plain http.
    """

    def __init__(self, url: str, serial: str, tls: ssl.SSLContext | None) -> None:
        self._url = f"{url}/api/v1/gateways/{serial}/batches"
        self._client = httpx.AsyncClient(
            verify=tls if tls is not None else False,
            timeout=httpx.Timeout(30, connect=10),
            limits=httpx.Limits(max_connections=1, keepalive_expiry=300),
            follow_redirects=False,
            # a token over plain http stays on this machine, even if the environment names a proxy
            trust_env=not is_loopback(httpx.URL(url).host),
            # a receiver sets none; another server in its place cannot make us carry some permanently
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )
        # httpx's own headers (accept, encodings, connection) say nothing a receiver needs, 8,640 times a day
        self._client.headers = httpx.Headers({"User-Agent": "envoy-scraper"})

    async def post(self, body: bytes, token: str) -> PostReply | NoAnswer:
        """Post one encoded batch."""
        try:
            async with asyncio.timeout(TOTAL_S):
                return await self._post(body, token)
        except TimeoutError:
            return NoAnswer(f"the receiver did not answer within {TOTAL_S:.0f} s")
        except httpx.ConnectError as error:
            return NoAnswer(_explain_connect_error(error))
        except (httpx.HTTPError, OSError) as error:
            return NoAnswer(f"the connection to the receiver failed ({explain_failure(error)})")

    async def _post(self, body: bytes, token: str) -> PostReply | NoAnswer:
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        }
        packed = gzip.compress(body, compresslevel=6, mtime=0)
        async with self._client.stream("POST", self._url, content=packed, headers=headers) as response:
            reply = bytearray()
            # raw: we ask for no compression, so a compressed answer comes from another server, and may be a bomb
            async for chunk in response.aiter_raw():
                reply += chunk
                if len(reply) > MAX_REPLY_BYTES:
                    return NoAnswer("the answer is too long to be an envoy-receiver's")
            return PostReply(response.status_code, dict(response.headers), bytes(reply))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()


def _explain_connect_error(error: httpx.ConnectError) -> str:
    reason = redact(explain_failure(error), 120)
    if is_untrusted_certificate(error):
        return (
            "the receiver's certificate is not trusted: if it is your own authority's, set ENVOY_RECEIVER_CA_FILE "
            f"to its certificate ({reason})"
        )
    return f"no connection to the receiver ({reason}): check ENVOY_RECEIVER_URL and that it runs"
