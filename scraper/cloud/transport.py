"""One request to Enphase's API, bounded in size and time; what it answers is understood elsewhere.

Promises: https only, certificates verified in full, no redirect, no cookie; a body of at most `MAX_BODY` bytes within
`TOTAL_S` seconds. Keys, secrets and tokens go in headers and bodies, never in an address: proxies log those.
"""

import asyncio
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import NamedTuple

import httpx

from scraper.cloud.errors import CloudLaterError
from shared.connection_failures import explain_failure
from shared.version import VERSION

MAX_BODY = 8 * 1024 * 1024
"""Bytes of one reply, at most."""
CONNECT_S = 10.0
TOTAL_S = 60.0
MAX_HEADERS = 200


class ApiReply(NamedTuple):
    """A complete reply. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_page(self) -> bool:
        """Whether it is a web page."""
        return self.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


class ApiTransport:
    """Requests to one host, one after the other.

    Args:
        url: Base address (ENVOY_CLOUD_API_URL), https, without a slash at its end.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        # trust_env: the user's proxy and SSL_CERT_FILE apply here, as for any program that talks to the internet
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            timeout=httpx.Timeout(TOTAL_S, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=1, keepalive_expiry=30),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={
                "User-Agent": f"envoy-relay/{VERSION}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
        )

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def get(self, path: str, parameters: Mapping[str, str], headers: Mapping[str, str]) -> ApiReply:
        """GET `path` with a query. Raises CloudLaterError: there is no whole answer."""
        return await self._send(self._client.build_request("GET", self.url + path, params=parameters, headers=headers))

    async def post_form(self, path: str, form: Mapping[str, str], login: tuple[str, str]) -> ApiReply:
        """POST a form with a Basic login. Raises CloudLaterError: whether it was received is not known."""
        request = self._client.build_request("POST", self.url + path, data=form)
        return await self._send(request, httpx.BasicAuth(*login))

    async def _send(self, request: httpx.Request, login: httpx.BasicAuth | None = None) -> ApiReply:
        try:
            async with asyncio.timeout(TOTAL_S):
                response = await self._client.send(request, auth=login, stream=True)
                try:
                    return await _read_reply(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise CloudLaterError(f"the Enphase API gave no complete answer within {TOTAL_S:.0f} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # `from None`: the libraries' errors hold the request, with its headers
            raise CloudLaterError(f"the Enphase API cannot be reached ({explain_failure(error)})") from None


async def _read_reply(response: httpx.Response) -> ApiReply:
    if len(response.headers) > MAX_HEADERS or response.headers.get("content-encoding", "identity") != "identity":
        raise CloudLaterError("the Enphase API sent a compressed reply or hundreds of headers; it was discarded")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BODY:
            raise CloudLaterError(f"the Enphase API sent more than {MAX_BODY} bytes for one reply; it was discarded")
    return ApiReply(
        response.status_code, {name.lower(): value for name, value in response.headers.items()}, bytes(body)
    )
