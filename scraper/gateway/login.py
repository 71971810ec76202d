"""Logging in to the gateway: digest on firmware below 7, a token and its session cookie from 7 on.

Whether a login is good is judged on the inverter list alone: some firmware refuses other endpoints to good logins.
Each function here makes a bounded number of requests and never repeats itself; when to try again is the session's
decision.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass

import httpx

from scraper.errors import (
    BadReplyError,
    CloudError,
    CloudUnavailableError,
    GatewayBusyError,
    LoginPostponedError,
    LoginRejectedError,
)
from scraper.gateway.password import derive_installer_password
from scraper.gateway.token_source import TokenSource
from scraper.gateway.tokens import Token, explain_refusal
from scraper.gateway.transport import GatewayReply, Scheme, Transport

JUDGE_PATH = "/api/v1/production/inverters"
"""The one endpoint that says whether a login is good."""
CHECK_PATH = "/auth/check_jwt"
REFUSED = frozenset({401, 403})

_SESSION_COOKIE = re.compile(r"\s*sessionId=([\w.~+/=-]{1,512})\s*(?:;|$)", re.ASCII)
_REMEDY = (
    "make a new token at https://entrez.enphaseenergy.com and put it into ENVOY_TOKEN, or set ENVOY_CLOUD_USERNAME "
    "and ENVOY_CLOUD_PASSWORD so that tokens are fetched by themselves"
)


class TokenAuth(httpx.Auth):
    """Shows the token and, once there is one, the session cookie that spares the gateway the verification."""

    def __init__(self, token: Token) -> None:
        self._token = token
        self._session: str | None = None

    def forget_session(self) -> None:
        """Show the token alone next time, so that it is judged by itself."""
        self._session = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign one request; adopt the session that the reply opens."""
        if request.url.scheme != "https":
            raise LoginRejectedError("a token is never sent over plain http")
        request.headers["Authorization"] = f"Bearer {self._token.raw}"
        if self._session is not None:
            request.headers["Cookie"] = f"sessionId={self._session}"
        response = yield request
        for cookie in response.headers.get_list("set-cookie"):
            if found := _SESSION_COOKIE.match(cookie):
                self._session = found[1]


@dataclass(slots=True)
class Login:
    """A login that the gateway accepted.

    Attributes:
        role: `installer` or `envoy` (digest); `owner`, `installer` or what the token says.
        auth: Signs requests; one object for as long as the login lasts, because it holds nonce or session.
        token: The token, or None for digest.
        lists_inverters: Whether the inverter list came when the login was judged by it (3.7 has none).
    """

    role: str
    auth: httpx.Auth
    token: Token | None
    lists_inverters: bool

    async def renew(self, transport: Transport) -> bool:
        """Open a new session with the same token. False: the token is refused, or digest has nothing to renew."""
        return isinstance(self.auth, TokenAuth) and await _open_session(transport, self.auth)


async def log_in_with_digest(transport: Transport, scheme: Scheme, serial: str, override: str | None) -> Login:
    """Log in with the installer password (derived, or `override`), else as `envoy` with the serial's last six digits.

    Raises:
        LoginRejectedError: The gateway takes none of them.
        GatewayUnreachableError, BadReplyError: It could not be asked.
    """
    candidates = [("installer", override or derive_installer_password(serial))]
    if not override:
        candidates.append(("envoy", serial[-6:]))
    for user, password in candidates:
        auth = httpx.DigestAuth(user, password)
        status = await judge_login(transport, scheme, auth)
        if status not in REFUSED:
            return Login(user, auth, None, status == httpx.codes.OK)
    if override:
        raise LoginRejectedError(
            "the gateway refused ENVOY_INSTALLER_PASSWORD: correct it, or remove it so that the password is derived "
            "from the serial"
        )
    raise LoginRejectedError(
        f"the gateway refused the passwords derived from serial {serial}: if the installer changed the password, "
        "set it as ENVOY_INSTALLER_PASSWORD"
    )


async def log_in_with_token(transport: Transport, serial: str, source: TokenSource) -> Login:
    """Log in with the best token at hand, else with one fetched from the owner's account.

    Raises:
        LoginRejectedError: No token is accepted and none can be fetched; the message says why.
        LoginPostponedError: None can be fetched now, but later perhaps.
        GatewayUnreachableError, BadReplyError: The gateway could not be asked.
    """
    problem = "there is no token for the gateway"
    for token in source.list_candidates(serial):
        if token.is_for(serial) and (login := await try_token(transport, token)):
            source.keep(serial, token)
            return login
        problem = explain_refusal(token, serial, source.read_time_s())
    problem = source.problem or problem
    if not source.can_fetch:
        raise LoginRejectedError(f"{problem}: {_REMEDY}")
    try:
        token = await source.fetch(serial)
    except CloudUnavailableError as error:
        raise LoginPostponedError(f"{problem}, and no new one can be fetched now: {error}") from error
    except CloudError as error:
        raise LoginRejectedError(f"{problem}, and no new one could be fetched: {error}") from error
    if login := await try_token(transport, token):
        source.keep(serial, token)
        return login
    raise LoginRejectedError(
        f"the gateway refused a token fresh from the Enphase account ({token.role or 'unknown'} role): "
        "check that this account owns the gateway, and the gateway's clock with: envoy-scraper check"
    )


async def try_token(transport: Transport, token: Token) -> Login | None:
    """A login with this token, or None if the gateway refuses it."""
    auth = TokenAuth(token)
    if not await _open_session(transport, auth):
        return None
    status = await judge_login(transport, "https", auth)
    if status in REFUSED:
        return None
    return Login(token.role or "unknown", auth, token, status == httpx.codes.OK)


async def judge_login(transport: Transport, scheme: Scheme, auth: httpx.Auth) -> int:
    """The status of the inverter list for this login: refused or not. A firmware without it (404) cannot refuse."""
    reply = await transport.get(scheme, JUDGE_PATH, auth=auth)
    raise_for_server_error(reply)
    return reply.status


async def _open_session(transport: Transport, auth: TokenAuth) -> bool:
    auth.forget_session()
    reply = await transport.get("https", CHECK_PATH, auth=auth)
    raise_for_server_error(reply)
    if reply.status in REFUSED:
        return False
    if reply.status != httpx.codes.OK:  # the text differs between firmwares; the status does not
        raise BadReplyError(f"the gateway answered its token check with status {reply.status}")
    return True


def raise_for_server_error(reply: GatewayReply) -> None:
    """Raise GatewayBusyError for 5xx and 429: a backend is starting up or overloaded."""
    if is_server_error(reply.status):
        raise GatewayBusyError(describe_server_error(reply.status))


def is_server_error(status: int) -> bool:
    """Whether a status says that a backend is starting up or overloaded: 5xx and 429."""
    return status >= 500 or status == httpx.codes.TOO_MANY_REQUESTS


def describe_server_error(status: int) -> str:
    """What such a status means, for people."""
    return f"the gateway is starting up or overloaded (status {status})"
