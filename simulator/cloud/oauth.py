"""The cloud's OAuth: a page on which an owner approves an application, codes, and pairs of tokens."""

import functools
import html
import secrets
import uuid
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from simulator.clock import DeviceClock
from simulator.cloud.answers import answer_json, answer_page, answer_redirect, cut_off
from simulator.faults import Faults
from simulator.web.messages import ParsedRequest, Reply

CODE_LIFE_S = 600
ACCESS_LIFE_S = 86_393
REFRESH_LIFE_S = 2_629_745


@functools.cache
def _make_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(slots=True)
class RegisteredApplication:
    """An application as its owner registered it; the keys belong to nobody."""

    api_key: str = field(default_factory=lambda: secrets.token_hex(16))
    client_id: str = field(default_factory=lambda: secrets.token_hex(16))
    client_secret: str = field(default_factory=lambda: secrets.token_hex(16))


@dataclass(slots=True)
class _IssuedCode:
    redirect_uri: str
    email: str
    until: float


@dataclass(slots=True)
class _Approval:
    """One owner's approval.

    Attributes:
        email: of the owner.
        refresh: refresh tokens that live, and when each ends.
        access: the same of access tokens.
    """

    email: str
    refresh: dict[str, float] = field(default_factory=dict)
    access: dict[str, float] = field(default_factory=dict)


class OAuthHost:
    """Pages and endpoint under `/oauth`.

    Args:
        application: the one that may ask.
        check_password: whether an e-mail address and a password are an account's.
        clock: whose seconds count.
        faults: those whose names begin with `oauth-`, and `api-cut`.

    Attributes:
        renewals: times (epoch seconds) of all calls of the token endpoint, refused ones included.
    """

    def __init__(
        self, application: RegisteredApplication, check_password: Any, clock: DeviceClock, faults: Faults
    ) -> None:
        self.application = application
        self._check_password = check_password
        self._clock = clock
        self._faults = faults
        self._codes: dict[str, _IssuedCode] = {}
        self._approvals: list[_Approval] = []
        self.renewals: list[float] = []
        faults.subscribe(self._apply_switch)

    def answer(self, request: ParsedRequest) -> Reply:
        """Answer a request under `/oauth/`."""
        match (request.method, request.path):
            case ("GET", "/oauth/authorize"):
                return self._show_page(request.query)
            case ("POST", "/oauth/authorize"):
                return self._answer_form(dict(request.query) | dict(parse_qsl(request.body.decode())))
            case ("GET", "/oauth/redirect_uri"):
                return answer_page("Your authorization code", html.escape(request.query.get("code", "none")))
            case ("POST", "/oauth/token"):
                return self._answer_token(request)
        return answer_json({"error": "not_found"}, 404)

    def issue_code(self, email: str, redirect_uri: str) -> str:
        """An owner's approval, without the page. Returns the code."""
        code = secrets.token_urlsafe(4)[:6]
        self._codes[code] = _IssuedCode(redirect_uri, email, self._clock.now() + CODE_LIFE_S)
        return code

    def issue_pair(self, email: str = "owner@example.com") -> dict[str, Any]:
        """A pair of tokens for an owner, without page and code: the document of the token endpoint."""
        self._approvals.append(_Approval(email))
        return self._issue(self._approvals[-1])

    def find_owner(self, access: str) -> str | None:
        """The e-mail address of the owner whose access token this is; None if it is none, or has ended."""
        now = self._clock.now()
        return next((one.email for one in self._approvals if one.access.get(access, 0.0) > now), None)

    def _show_page(self, query: Any) -> Reply:
        if "redirect_uri" not in query:
            return answer_json(
                {"error": "invalid_request", "error_description": "A redirect_uri must be supplied."}, 400
            )
        if query.get("client_id") != self.application.client_id or query.get("response_type") != "code":
            return answer_json({"error": "invalid_client", "error_description": "No client with requested id"}, 401)
        fields = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in query.items()
        )
        return answer_page(
            "Approve access",
            f'<form method="post" action="/oauth/authorize">{fields}<input name="email"><input name="password" '
            'type="password"><button name="approve" value="yes">Approve</button>'
            '<button name="approve" value="no">Refuse</button></form>',
        )

    def _answer_form(self, form: dict[str, str]) -> Reply:
        redirect = form.get("redirect_uri", "")
        state = {"state": form["state"]} if "state" in form else {}
        if not self._check_password(form.get("email", ""), form.get("password", "")):
            return answer_page("Approve access", "Wrong e-mail address or password.", 401)
        if form.get("approve") != "yes":
            return answer_redirect(f"{redirect}?{urlencode({'error': 'access_denied'} | state)}")
        return answer_redirect(f"{redirect}?{urlencode({'code': self.issue_code(form['email'], redirect)} | state)}")

    def _answer_token(self, request: ParsedRequest) -> Reply:
        self.renewals.append(self._clock.now())
        if not self._is_client(request) or self._faults.take("oauth-wrong-client", request.path) is not None:
            return answer_json({"error": "invalid_client", "error_description": "Bad client credentials"}, 401)
        form = dict(request.query) | dict(parse_qsl(request.body.decode("utf-8", "replace")))
        match form.get("grant_type"):
            case "authorization_code":
                reply = self._answer_code(form)
            case "refresh_token":
                reply = self._renew(form.get("refresh_token", ""))
            case _:
                return answer_json({"error": "unsupported_grant_type", "error_description": "Unsupported grant"}, 400)
        return cut_off(reply) if self._faults.take("api-cut", request.path) is not None else reply

    def _is_client(self, request: ParsedRequest) -> bool:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            login = b64decode(encoded).decode()
        except ValueError:
            return False
        return scheme == "Basic" and login == f"{self.application.client_id}:{self.application.client_secret}"

    def _answer_code(self, form: dict[str, str]) -> Any:
        code = form.get("code", "")
        issued = self._codes.pop(code, None)
        if issued is None or issued.until <= self._clock.now() or issued.redirect_uri != form.get("redirect_uri"):
            description = f"Invalid authorization code: {code}"
            return answer_json({"error": "invalid_grant", "error_description": description}, 400)
        self._approvals.append(_Approval(issued.email))
        return answer_json(self._issue(self._approvals[-1]))

    def _renew(self, refresh: str) -> Any:
        approval = next((one for one in self._approvals if refresh in one.refresh), None)
        if approval is None:
            description = f"Invalid refresh token: {refresh}"
            return answer_json({"error": "invalid_grant", "error_description": description}, 400)
        if approval.refresh[refresh] <= self._clock.now():
            description = f"Invalid refresh token (expired): {refresh}"
            return answer_json({"error": "invalid_token", "error_description": description}, 401)
        if self._faults.get("oauth-lenient") is None:
            del approval.refresh[refresh]
        return answer_json(self._issue(approval))

    def _issue(self, approval: _Approval) -> dict[str, Any]:
        now, token_id = self._clock.now(), str(uuid.uuid4())
        claims = {
            "aud": ["oauth2-resource"],
            "app_type": "system",
            "authorities": ["ROLE_USER"],
            "client_id": self.application.client_id,
            "enl_cid": "17",
            "enl_uid": "1000017",
            "scope": ["read", "write"],
            "user_name": approval.email,
        }
        access = self._sign(claims | {"exp": int(now) + ACCESS_LIFE_S, "jti": token_id})
        refresh = self._sign(claims | {"exp": int(now) + REFRESH_LIFE_S, "jti": str(uuid.uuid4()), "ati": token_id})
        approval.access[access] = now + ACCESS_LIFE_S
        approval.refresh[refresh] = now + REFRESH_LIFE_S
        return {
            "access_token": access,
            "token_type": "bearer",
            "refresh_token": refresh,
            "expires_in": ACCESS_LIFE_S,
            "scope": "read write",
            "enl_uid": "1000017",
            "enl_cid": "17",
            "enl_password_last_changed": "1700000000",
            "is_internal_app": False,
            "app_type": "system",
            "app_Id": "1409610000017",
            "jti": token_id,
        }

    @staticmethod
    def _sign(claims: dict[str, Any]) -> str:
        return jwt.encode(claims, _make_key(), algorithm="RS256")

    def _apply_switch(self, name: str) -> None:
        if name == "oauth-second-refresher" and self._faults.take(name) is not None:
            for approval in self._approvals:
                for refresh in list(approval.refresh)[-1:]:
                    self._renew(refresh)
        if name == "oauth-withdrawn" and self._faults.get(name) is not None:
            self._approvals.clear()
