"""A token from the owner's Enphase account: log in to Enlighten, ask Entrez for a token.

This client verifies certificates in full and knows nothing about the gateway; the gateway's transport verifies a pin
and knows nothing about accounts. Neither is ever handed the other's secrets.
"""

import asyncio
from typing import Any

import httpx
import msgspec

from scraper.errors import CloudError, CloudRefusedError, CloudUnavailableError, ScraperSettingError
from scraper.gateway.tokens import Token, parse_token
from shared.logs import redact

ENLIGHTEN_URL = "https://enlighten.enphaseenergy.com"
ENTREZ_URL = "https://entrez.enphaseenergy.com"

_TIMEOUT_S = 10.0
_TOTAL_S = 30.0
_MAX_BODY = 64 * 1024
_PASTE = "paste a token made at https://entrez.enphaseenergy.com into ENVOY_TOKEN"
_MULTI_FACTOR = (
    "the Enphase account asks for a second factor (multi-factor login), which a program cannot give: "
    f"turn it off for this account, or {_PASTE}"
)


class CloudLogin:
    """The two cloud hosts.

    Args:
        cloud_url: Base of the account service (ENVOY_CLOUD_URL).
        token_url: Base of the token service (ENVOY_TOKEN_URL).

    Raises:
        ScraperSettingError: One of them is not https.
    """

    def __init__(self, cloud_url: str = ENLIGHTEN_URL, token_url: str = ENTREZ_URL) -> None:
        for name, url in (("ENVOY_CLOUD_URL", cloud_url), ("ENVOY_TOKEN_URL", token_url)):
            if not url.startswith("https://"):
                raise ScraperSettingError(f"{name} must begin with https:// because account credentials are sent there")
        self._login_url = cloud_url.rstrip("/") + "/login/login.json"
        self._token_url = token_url.rstrip("/") + "/tokens"

    async def fetch_token(self, username: str, password: str, serial: str) -> Token:
        """Log in and ask for a token for gateway `serial`.

        Raises:
            CloudRefusedError: Wrong credentials, multi-factor login, or the serial is not on the account.
            CloudUnavailableError: No answer, maintenance, or a page instead of an answer.
        """
        try:
            # trust_env: the user's proxy and SSL_CERT_FILE apply here, as for any program that talks to the internet.
            async with (
                asyncio.timeout(_TOTAL_S),
                httpx.AsyncClient(
                    follow_redirects=False,
                    timeout=_TIMEOUT_S,
                    headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                ) as client,
            ):
                session = await self._log_in(client, username, password)
                return await self._ask_token(client, session, serial, username)
        except TimeoutError as error:
            raise CloudUnavailableError("the Enphase cloud did not answer in time; it is tried again later") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # Only the kind is named: the text of the error could quote the request.
            raise CloudUnavailableError(
                f"the Enphase cloud cannot be reached ({type(error).__name__}); it is tried again later"
            ) from error

    async def _log_in(self, client: httpx.AsyncClient, username: str, password: str) -> str:
        form = {"user[email]": username, "user[password]": password}
        status, text = await _post(client, self._login_url, data=form)
        if httpx.codes.is_client_error(status) and status != httpx.codes.TOO_MANY_REQUESTS:
            raise CloudRefusedError(
                f"the Enphase account login was refused (status {status}): check ENVOY_CLOUD_USERNAME and "
                f"ENVOY_CLOUD_PASSWORD, or {_PASTE}"
            )
        reply = _json_object(status, text)
        session = reply.get("session_id")
        if isinstance(session, str) and session:
            return session
        # A success without a session: that is how multi-factor login shows, with or without `mfa_required`.
        raise CloudRefusedError(_MULTI_FACTOR)

    async def _ask_token(self, client: httpx.AsyncClient, session: str, serial: str, username: str) -> Token:
        body = {"session_id": session, "serial_num": serial, "username": username}
        status, text = await _post(client, self._token_url, json=body)
        if httpx.codes.is_client_error(status) and status != httpx.codes.TOO_MANY_REQUESTS:
            reason = f"status {status}: {_quote(text, session, username)}"
            raise CloudRefusedError(
                f"the Enphase token service refused gateway {serial} ({reason}): check that it belongs to the account"
            )
        if status != httpx.codes.OK or _is_page(text):
            raise _unavailable(status)
        try:
            token = parse_token(text)
        except ValueError as error:
            message = _quote(str(error), session, username)
            raise CloudRefusedError(
                f"the Enphase token service gave no token for gateway {serial}: {message}"
            ) from None
        if not token.fits(serial):
            raise CloudRefusedError(f"the Enphase token service gave a token for gateway {token.serial}, not {serial}")
        return token


async def _post(client: httpx.AsyncClient, url: str, **content: Any) -> tuple[int, str]:
    async with client.stream("POST", url, **content) as response:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise CloudUnavailableError("the Enphase cloud sent a compressed reply that was not asked for")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > _MAX_BODY:
                raise CloudUnavailableError("the Enphase cloud sent an endless reply; it is tried again later")
        return response.status_code, body.decode("utf-8", "replace")


def _json_object(status: int, text: str) -> dict[str, Any]:
    if status != httpx.codes.OK:
        raise _unavailable(status)
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise _unavailable(status) from None


def _is_page(text: str) -> bool:
    return text.lstrip().startswith("<")


def _quote(text: str, *secrets: str) -> str:
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return redact(text)


def _unavailable(status: int) -> CloudError:
    return CloudUnavailableError(
        f"the Enphase cloud answered with a page or an error (status {status}), as it does during maintenance; "
        "it is tried again later"
    )
