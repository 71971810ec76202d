"""Gateway tokens: what one says about itself, where it is kept, and when it needs a successor.

Nothing here decides whether a token is good: only the gateway can (it alone knows its keys and clock), so claims are
read without verification and used for messages, for choosing between tokens and for timing the renewal.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import jwt
import msgspec

from shared.files import UnsafeFileError, read_private, write_private
from shared.keys import is_serial
from shared.units import DAY_S, HOUR_S

_MAX_LENGTH = 8192
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_NO_TOKEN = "it is not a gateway token (three parts of letters and digits between dots)"  # noqa: S105 (a sentence)
_SHORT_LIVED_S = 2 * DAY_S
"""Tokens issued for less than this are installer tokens (12 h); owner tokens live a year."""
UNCOMMISSIONED = "un-commissioned"
"""Audience of a token for any gateway that is not yet commissioned."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its own, unverified, claims.

    Attributes:
        raw: The compact JWT. Secret: kept out of `repr`.
        serial: The gateway it is for (`aud`).
        role: `owner`, `installer`, or another word of the token; "" if nothing.
        issued_s, expires_s: Epoch seconds; 0 where it does not say.
    """

    raw: str = field(repr=False)
    serial: str
    role: str
    issued_s: int
    expires_s: int

    @property
    def short_lived(self) -> bool:
        """Whether it is one of the 12-hour kind."""
        return 0 < self.expires_s - self.issued_s < _SHORT_LIVED_S

    def is_for(self, serial: str) -> bool:
        """Whether it is meant for this gateway, by its own words."""
        return self.serial in {serial, UNCOMMISSIONED, ""}

    def needs_renewal(self, now_s: float) -> bool:
        """Whether a successor should be fetched: under an hour left of 12, under 30 days left of a year."""
        return self.expires_s - now_s < (HOUR_S if self.short_lived else 30 * DAY_S)

    def describe_expiry(self) -> str:
        """When it expires, for people."""
        return datetime.fromtimestamp(self.expires_s, UTC).strftime("%Y-%m-%d %H:%M UTC")


def parse_token(text: str) -> Token:
    """Read a pasted token or the reply of a token service.

    Accepts a bare JWT with white space around it, or a JSON object with a `token`.
    Raises ValueError, with a sentence that does not contain the token.
    """
    raw = text.strip().strip("\"'")
    if raw.startswith("{"):
        raw = _find_token_in_json(raw)
    if len(raw) > _MAX_LENGTH or not _SHAPE.fullmatch(raw):
        raise ValueError(_NO_TOKEN)
    try:
        claims = jwt.decode(raw, options={"verify_signature": False})
        issued_s, expires_s = (int(claims.get(name) or 0) for name in ("iat", "exp"))
        datetime.fromtimestamp(expires_s, UTC)  # a date that can be shown to people
    except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, OSError, RecursionError):
        # `from None`: the cause may quote the token.
        raise ValueError(_NO_TOKEN) from None
    audience = claims.get("aud")
    return Token(
        raw,
        audience if isinstance(audience, str) else "",
        role if isinstance(role := claims.get("enphaseUser"), str) else "",
        issued_s,
        expires_s,
    )


def _find_token_in_json(text: str) -> str:
    try:
        reply = msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("it is neither a gateway token nor JSON") from None
    token, message = reply.get("token"), reply.get("message")
    if isinstance(token, str):
        return token.strip()
    raise ValueError(f"it says: {message}" if isinstance(message, str) else "it is JSON without a token")


def find_best(tokens: Iterable[Token]) -> Token | None:
    """The one that lives longest."""
    return max(tokens, key=lambda token: token.expires_s, default=None)


def explain_refusal(token: Token, serial: str, now_s: float) -> str:
    """Why the gateway refused `token`, as far as the token itself shows."""
    if not token.is_for(serial):
        return f"this token is for gateway {token.serial}, yours is {serial}"
    if token.expires_s <= now_s:
        return f"the token expired on {token.describe_expiry()}"
    return f"the gateway refused the token although it runs until {token.describe_expiry()} (it may have been revoked)"


class TokenCache:
    """The last good token of each gateway, in a file of its own (0600) under the state directory."""

    def __init__(self, state_dir: Path) -> None:
        self._directory = state_dir / "tokens"

    def load(self, serial: str) -> Token | None:
        """The kept token, or None if there is none or it cannot be used (a new one is then simply fetched)."""
        try:
            return parse_token(read_private(self._make_path(serial)).decode())
        except (OSError, UnsafeFileError, ValueError):
            return None

    def save(self, serial: str, token: Token) -> None:
        """Keep `token` in place of the former one. Raises OSError."""
        write_private(self._make_path(serial), token.raw.encode())

    def _make_path(self, serial: str) -> Path:
        if not is_serial(serial):  # it came from the network and becomes part of a path
            raise ValueError("the serial is not one")
        return self._directory / f"{serial}.jwt"
