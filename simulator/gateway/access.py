"""Login and permission of each request: digest before firmware 7, sessions and tokens from then on."""

from dataclasses import dataclass

from simulator.faults import Faults
from simulator.gateway import refusals
from simulator.gateway.device import Device
from simulator.gateway.digest import DigestLogin
from simulator.gateway.routes import ANYONE, INSTALLER, OPEN, Route
from simulator.gateway.sessions import COOKIE, GatewaySessions
from simulator.gateway.tokens import AcceptedToken, TokenAuthority, TokenRefusedError
from simulator.web.messages import Headers, ParsedRequest, Response


@dataclass(frozen=True, slots=True)
class Permission:
    """The request may be answered.

    Attributes:
        who: user or role, for the ledger.
        headers: what the reply must carry: a new session's cookie.
    """

    who: str
    headers: Headers = ()


class EndpointAccess:
    """The gatekeeper of one device.

    Args:
        device: whose serial seeds the passwords and whose clock ends tokens.
        authority: whose signature on a token is believed.
        faults: switches that refuse.
        installer_password: overrides the derived one.
    """

    def __init__(
        self, device: Device, authority: TokenAuthority, faults: Faults, installer_password: str | None = None
    ) -> None:
        self._device = device
        self._authority = authority
        self._faults = faults
        self._digest = DigestLogin(device.profile.serial, installer_password)
        self._sessions = GatewaySessions()

    def end_sessions(self) -> None:
        """Forget every session, as a restart does."""
        self._sessions.end_all()

    def admit(self, request: ParsedRequest, route: Route) -> Permission | Response:
        """Let the request in, or say 401."""
        if self._faults.take("unauthorised", request.path) is not None:
            return self._refuse()
        if self._faults.take("login-page", request.path) is not None:
            return refusals.answer_unauthorised(self._device, login_page=True)
        if self._device.profile.uses_tokens:
            return self._admit_by_token(request, route)
        return self._admit_by_digest(request, route)

    def check_jwt(self, request: ParsedRequest) -> Response:
        """`/auth/check_jwt`: a good token opens a session."""
        claims = self._check_bearer(request)
        names = ("token-refused", "unauthorised", "login-page")
        if claims is None or any(self._faults.take(name, request.path) is not None for name in names):
            return refusals.answer_unauthorised(self._device)
        return Response(200, b"<!DOCTYPE html><h2>Valid token.</h2>\n", "text/html", (self._open_session(claims),))

    def _admit_by_digest(self, request: ParsedRequest, route: Route) -> Permission | Response:
        user = self._digest.find_user(request, self._device.clock.now())
        allowed = {OPEN: True, ANYONE: user is not None, INSTALLER: user == "installer"}
        if allowed.get(route.digest or "", False):
            return Permission(user or "nobody")
        return self._refuse()

    def _admit_by_token(self, request: ParsedRequest, route: Route) -> Permission | Response:
        cookie = _parse_cookies(request).get(COOKIE)
        # Sessions age by the true time: their clock does not jump when the device's date is wrong.
        claims = self._sessions.use(cookie, self._device.clock.now()) if cookie else None
        if claims is not None and claims.rank >= route.rank:
            return Permission(claims.role)
        if cookie and claims is None and self._faults.get("session-death", request.path) is not None:
            return self._refuse()
        if self._faults.get("cookie-required", request.path) is not None and request.path.startswith("/ivp/"):
            return self._refuse()
        claims = self._check_bearer(request)
        if claims is None or claims.rank < route.rank:
            return self._refuse()
        return Permission(claims.role, (self._open_session(claims),))

    def _check_bearer(self, request: ParsedRequest) -> AcceptedToken | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return self._authority.check(token.strip(), self._device.serial, self._device.now())
        except TokenRefusedError:
            return None

    def _open_session(self, claims: AcceptedToken) -> tuple[str, str]:
        value = self._sessions.open(claims, self._device.clock.now())
        return ("Set-Cookie", f"{COOKIE}={value}; Secure; HttpOnly; path=/")

    def _refuse(self) -> Response:
        if self._device.profile.uses_tokens:
            return refusals.answer_unauthorised(self._device)
        return refusals.answer_unauthorised(self._device, self._digest.make_challenge(self._device.clock.now()))


def _parse_cookies(request: ParsedRequest) -> dict[str, str]:
    pairs = (pair.strip().partition("=") for pair in request.headers.get("cookie", "").split(";"))
    return {name: value for name, _, value in pairs if name}
