"""Tokens as a gateway would be shown, and what an account page would be given for one."""

import jwt

from tests.clocks import GATEWAY_NOW_S

SERIAL = "122012345678"
YEAR_S = 365 * 86400


def make_token(
    serial: str = SERIAL,
    *,
    role: str = "owner",
    issued_s: int = GATEWAY_NOW_S - 86400,
    lifetime_s: int = YEAR_S,
    mark: str = "1",
) -> str:
    """A token as the gateway would be shown; signed with nothing that matters."""
    claims = {
        "aud": serial, "iss": "Entrez", "enphaseUser": role, "exp": issued_s + lifetime_s, "iat": issued_s, "jti": mark,
        "username": "owner@example.com",
    }  # fmt: skip
    return jwt.encode(claims, "k" * 32, algorithm="HS256")


def make_credentials() -> tuple[str, str]:
    """User and password of an account that exists nowhere."""
    return ("owner@example.com", "password-canary")
