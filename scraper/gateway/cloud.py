"""A token from the owner's Enphase account: log in to Enlighten, ask Entrez for a token.

This client verifies certificates in full and knows nothing about the gateway; the gateway's transport verifies a pin
and knows nothing about accounts. Neither is ever handed the other's secrets.
"""

import asyncio
import re
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx
import msgspec

from scraper.errors import CloudError, CloudRefusedError, CloudUnavailableError, ScraperSettingError
from scraper.gateway.tokens import Token, parse_token
from shared.connection_failures import explain_failure
from shared.logs import redact
from shared.units import DAY_S
from shared.version import VERSION

ENLIGHTEN_URL = "https://enlighten.enphaseenergy.com"
ENTREZ_URL = "https://entrez.enphaseenergy.com"

_TIMEOUT_S = 10.0
_TOTAL_S = 30.0
_MAX_BODY = 64 * 1024
_PASTE = "paste a token made at https://entrez.enphaseenergy.com into ENVOY_TOKEN"
_LATER = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS)
_LOCKED_WORD = re.compile(r"\blocked\b", re.IGNORECASE)
_BLOCKED = re.compile(r"\bblocked\b|\baccess denied\b|^\W*error code: \d+\W*$", re.IGNORECASE)
_USER_AGENT = f"envoy-relay/{VERSION}"
_LONGEST_S = DAY_S
"""No Retry-After is longer: a typing error must not stop us for a year."""
_MULTI_FACTOR = (
    "the Enphase account asks for a second factor (multi-factor login), which a program cannot give: "
    f"turn it off for this account, or {_PASTE}"
)


_LOCKED = (
    "the Enphase account is locked: unlock it at https://enlighten.enphaseenergy.com (a new password does it) and set "
    f"ENVOY_CLOUD_PASSWORD, or {_PASTE}"
)


class _CloudReply(NamedTuple):
    """Status, body, and the seconds after which the service wants to be asked again (0: it does not say)."""

    status: int
    text: str
    retry_after_s: float

    @property
    def is_page(self) -> bool:
        """Whether it is HTML."""
        return self.text.lstrip("\ufeff \t\r\n").startswith("<")

    @property
    def is_refusal(self) -> bool:
        """Whether it is about what was asked.

        A 403 that is empty, a page, or speaks of a block or of access is about who asked, as firewalls answer. So is a
        page with most other errors, where a document was due; with 401 and 422 the account service shows its own.
        """
        if self.status == httpx.codes.FORBIDDEN and (not self.text.strip() or _BLOCKED.search(self.text)):
            return False
        if self.is_page and self.status not in (httpx.codes.UNAUTHORIZED, httpx.codes.UNPROCESSABLE_ENTITY):
            return False
        return httpx.codes.is_client_error(self.status) and self.status not in _LATER

    @property
    def document(self) -> dict[str, Any]:
        """What it says as a JSON object; empty if it is none."""
        try:
            return msgspec.json.decode(self.text, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            return {}

    @property
    def says_locked(self) -> bool:
        """Whether it says that the account is locked; the service has no code for it."""
        said = [self.document.get(name) for name in ("message", "error")] if self.document else [self.text]
        errors = self.document.get("errors")
        said += errors if isinstance(errors, list) else [errors]
        return not self.is_page and any(isinstance(one, str) and _LOCKED_WORD.search(one) for one in said)


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
                    headers={
                        "User-Agent": _USER_AGENT,
                        "Accept": "application/json",
                        "Accept-Encoding": "identity",
                    },
                ) as client,
            ):
                session = await self._log_in(client, username, password)
                return await self._ask_token(client, session, serial, username)
        except TimeoutError as error:
            raise CloudUnavailableError("the Enphase cloud did not answer in time; it is tried again later") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise CloudUnavailableError(
                f"the Enphase cloud cannot be reached ({explain_failure(error)}); it is tried again later"
            ) from error

    async def _log_in(self, client: httpx.AsyncClient, username: str, password: str) -> str:
        form = {"user[email]": username, "user[password]": password}
        reply = await _post(client, self._login_url, data=form)
        if reply.is_refusal:
            if reply.says_locked:
                raise CloudRefusedError(_LOCKED)
            raise CloudRefusedError(
                f"the Enphase account login was refused (status {reply.status}): check ENVOY_CLOUD_USERNAME and "
                f"ENVOY_CLOUD_PASSWORD, or {_PASTE}"
            )
        answer = _parse_object(reply)
        session = answer.get("session_id")
        if isinstance(session, str) and session:
            return session
        if reply.says_locked:
            raise CloudRefusedError(_LOCKED)
        message = answer.get("message")
        if isinstance(message, str) and message != "success" and not answer.get("mfa_required"):
            said = _quote(message, username, password)
            raise CloudRefusedError(f"the Enphase account login gave no session; it says: {said}. Or {_PASTE}")
        # A success without a session: that is how multi-factor login shows, with or without `mfa_required`.
        raise CloudRefusedError(_MULTI_FACTOR)

    async def _ask_token(self, client: httpx.AsyncClient, session: str, serial: str, username: str) -> Token:
        body = {"session_id": session, "serial_num": serial, "username": username}
        reply = await _post(client, self._token_url, json=body)
        if reply.is_refusal:
            reason = f"status {reply.status}: {_quote(reply.text, session, username)}"
            raise CloudRefusedError(
                f"the Enphase token service refused gateway {serial} ({reason}): check that it belongs to the account"
            )
        if reply.status != httpx.codes.OK or reply.is_page:
            raise _make_error(reply)
        if _has_nothing(reply):
            raise CloudUnavailableError("the Enphase token service sent an empty reply; it is tried again later")
        try:
            token = parse_token(reply.text)
        except ValueError as error:
            message = _quote(str(error), session, username)
            raise CloudRefusedError(
                f"the Enphase token service gave no token for gateway {serial}: {message}"
            ) from None
        if not token.is_for(serial):
            raise CloudRefusedError(f"the Enphase token service gave a token for gateway {token.serial}, not {serial}")
        return token


async def _post(client: httpx.AsyncClient, url: str, **content: Any) -> _CloudReply:
    async with client.stream("POST", url, **content) as response:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise CloudUnavailableError("the Enphase cloud sent a compressed reply that was not asked for")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > _MAX_BODY:
                raise CloudUnavailableError("the Enphase cloud sent an endless reply; it is tried again later")
        return _CloudReply(response.status_code, body.decode("utf-8", "replace"), _read_retry_after(response.headers))


def _read_retry_after(headers: httpx.Headers) -> float:
    """In seconds, from a number of seconds or a date; 0 if there is none."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_S)
    try:
        wanted, now = (parsedate_to_datetime(date).timestamp() for date in (text, headers.get("date", "")))
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(wanted - now, 0.0), _LONGEST_S)


def _parse_object(reply: _CloudReply) -> dict[str, Any]:
    if reply.status != httpx.codes.OK:
        raise _make_error(reply)
    try:
        return msgspec.json.decode(reply.text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise _make_error(reply) from None


def _has_nothing(reply: _CloudReply) -> bool:
    """Whether a reply of the token service has no token and no word about it, as text or as JSON."""
    if reply.text.strip() in ("", '""', "null", "{}"):
        return True
    return bool(reply.document) and not any(reply.document.get(name) for name in ("token", "message", "error"))


def _quote(text: str, *secrets: str) -> str:
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return redact(text)


def _make_error(reply: _CloudReply) -> CloudError:
    if reply.status == httpx.codes.FORBIDDEN:
        why = "blocks this machine (status 403), as it does after many logins"
    elif reply.status == httpx.codes.TOO_MANY_REQUESTS:
        why = "was asked too often (status 429)"
    else:
        why = f"answered with a page or an error (status {reply.status}), as it does during maintenance"
    return CloudUnavailableError(f"the Enphase cloud {why}; it is tried again later", reply.retry_after_s)
