"""The one way in which outputs speak HTTP: one connection, one request at a time, bounded in time and size.

No redirect is followed and no proxy of the environment is used: what is sent carries a login.
"""

import asyncio
import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import NamedTuple

import httpx

from receiver.errors import ReceiverSettingError
from receiver.outputs.base import OutputError
from shared.connection_failures import explain_failure
from shared.units import HOUR_S

TOTAL_S = 30.0
"""One request may take this long (seconds)."""
MOST_BYTES = 256 * 1024
"""Of an answer; what is longer is cut."""
_BUSY = (
    httpx.codes.TOO_MANY_REQUESTS,
    httpx.codes.BAD_GATEWAY,
    httpx.codes.SERVICE_UNAVAILABLE,
    httpx.codes.GATEWAY_TIMEOUT,
)


class TargetReply(NamedTuple):
    """What came back; `headers` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TargetConnection:
    """One target.

    Args:
        url: Its base address.
        who: What it is, for messages.
        headers: Of every request, the login among them.
        ca_file: Certificate of its authority; None: those of this machine.

    Raises:
        ReceiverSettingError: The certificate cannot be read.
    """

    def __init__(self, url: str, who: str, headers: Mapping[str, str], ca_file: Path | None = None) -> None:
        self._who = who
        self._client = httpx.AsyncClient(
            base_url=url,
            verify=_make_tls(url, ca_file),
            timeout=TOTAL_S,
            limits=httpx.Limits(max_connections=1),
            follow_redirects=False,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"user-agent": "envoy-relay", **headers},
        )

    async def send(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TargetReply:
        """Send one request. Raises OutputError if nobody answered, or if the target is busy or fails."""
        try:
            async with asyncio.timeout(TOTAL_S):
                reply = await self._send(method, path, content, params, headers)
        except TimeoutError:
            raise OutputError(
                f"{self._who} did not answer within {TOTAL_S:.0f} s", "unreachable", is_general=True
            ) from None
        except (httpx.HTTPError, OSError) as error:
            raise OutputError(
                f"{self._who} cannot be reached: {explain_failure(error)}", "unreachable", is_general=True
            ) from None
        if reply.status in _BUSY:
            wait_s = read_retry_after(reply.headers)
            raise OutputError(f"{self._who} is busy ({reply.status})", "busy", wait_s, is_general=True)
        if reply.status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise OutputError(f"{self._who} fails ({reply.status}): its own log says why", "refused", is_general=True)
        return reply

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _send(
        self,
        method: str,
        path: str,
        content: bytes | None,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> TargetReply:
        async with self._client.stream(method, path, content=content, params=params, headers=headers) as answer:
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MOST_BYTES:
                    break
            return TargetReply(answer.status_code, dict(answer.headers), bytes(body[:MOST_BYTES]))


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a busy target wants us to stay away, at most an hour; None where it does not say."""
    text = headers.get("retry-after", "").strip()
    return min(float(text[:9]), float(HOUR_S)) if text.isascii() and text.isdigit() else None


def _make_tls(url: str, ca_file: Path | None) -> ssl.SSLContext | bool:
    if not url.startswith("https:"):
        return False
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ReceiverSettingError(
            f"the certificate {ca_file} cannot be read: correct the _CA_FILE of that output"
        ) from error
