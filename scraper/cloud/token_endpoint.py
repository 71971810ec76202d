"""The token endpoint: what is asked of it, and what its answer means. Its words may hold a token: none is repeated."""

from typing import NamedTuple

from scraper.cloud.errors import CloudLaterError, GrantNeededError
from scraper.cloud.grant import OwnerGrant
from scraper.cloud.parse.documents import load_object, read_whole
from scraper.cloud.transport import ApiReply, ApiTransport

PATH = "/oauth/token"
_ACCESS_LIFE_S = 86_000
"""How long an access token lives if the reply does not say."""
_GRANT_ENDED = {(400, "invalid_grant"), (401, "invalid_token")}
_CLIENT_WRONG = {(401, "invalid_client"), (401, "unauthorized"), (401, "unauthorized_client")}


class Application(NamedTuple):
    """The application that the owner registered: its keys as they are now. Nothing of it is shown."""

    api_key: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return "Application()"


class GrantRefusedError(Exception):
    """The endpoint says clearly that this code or refresh token is good for nothing."""


class TokenEndpoint:
    """Asks for tokens.

    Args:
        transport: The host.
    """

    def __init__(self, transport: ApiTransport) -> None:
        self._transport = transport

    async def claim(self, application: Application, code: str, redirect_uri: str, now_s: int) -> OwnerGrant:
        """A first pair for the code of an approval; errors as `renew`."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return await self._ask(application, form, now_s, "")

    async def renew(self, application: Application, refresh: str, now_s: int) -> OwnerGrant:
        """A new pair for a refresh token.

        Raises:
            GrantRefusedError: The token is dead, by a clear word.
            GrantNeededError: The application's keys are wrong, or it may not ask for tokens so.
            CloudLaterError: No clear answer: the endpoint may or may not have made a new pair.
        """
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        return await self._ask(application, form, now_s, refresh)

    async def _ask(self, application: Application, form: dict[str, str], now_s: int, refresh: str) -> OwnerGrant:
        login = (application.client_id, application.client_secret)
        reply = await self._transport.post_form(PATH, form, login)
        if reply.status != 200:
            raise _explain_refusal(reply)
        document = load_object(reply.body)
        access, renewed = document.get("access_token"), document.get("refresh_token") or refresh
        if not isinstance(access, str) or not isinstance(renewed, str) or not access or not renewed:
            raise CloudLaterError("the Enphase token endpoint sent no tokens, or not all of its answer arrived")
        life_s = read_whole(document, "expires_in") or _ACCESS_LIFE_S
        return OwnerGrant(
            access=access,
            refresh=renewed,
            expires_at=now_s + life_s,
            obtained_at=now_s,
            client_id=application.client_id,
        )


def _explain_refusal(reply: ApiReply) -> Exception:
    word = load_object(reply.body).get("error")
    if (reply.status, word) in _GRANT_ENDED:
        return GrantRefusedError()
    if (reply.status, word) in _CLIENT_WRONG:
        return GrantNeededError(
            "Enphase does not know this client id with this secret: compare ENVOY_CLOUD_CLIENT_ID and "
            "ENVOY_CLOUD_CLIENT_SECRET with the application at developer-v4.enphase.com"
        )
    if reply.status == 400 and isinstance(word, str) and not reply.is_page:
        known = word if word in ("invalid_request", "unsupported_grant_type", "invalid_scope") else "another reason"
        return GrantNeededError(
            f"the Enphase token endpoint refuses the request ({known}): check that the application's plan gives "
            "approvals to owners (OAuth 2.0), and that this program is not outdated"
        )
    return CloudLaterError(f"the Enphase token endpoint cannot answer now (status {reply.status})")
