"""Short-lived tokens that the scraper mints for the receiver: who sends, for which gateway.

Claims: `iss` envoy-scraper, `aud` envoy-receiver (and the receiver's name if it is known), `sub` the serial, `scope`
ingest, integer `iat` and `exp`.
"""

import contextlib
from collections.abc import Callable
from typing import Protocol

import jwt

from scraper.errors import ScraperSettingError
from shared.audience import make_audience
from shared.keys import SECRET_KEY_ID
from shared.units import DAY_S

LIFETIME_S = 600
"""Life of one token in seconds."""
RENEW_S = 120
"""A token this close to its end is replaced (seconds)."""
MOST_OFFSET_S = DAY_S
"""Clocks that differ by more are not believed (seconds): a token signed for another year would be good in that year."""


class Key(Protocol):
    """What signs a token."""

    key_id: str
    algorithm: str

    def sign(self, claims: dict[str, object]) -> str:
        """The claims as a compact JWT."""
        ...

    def export_public_raw(self) -> bytes | None:
        """What the receiver has to know of it, 32 bytes; None where it knows the secret itself."""
        ...


class HouseholdSecret:
    """HS256 with the secret that one household shares between its scraper and its receiver."""

    key_id = SECRET_KEY_ID
    algorithm = "HS256"

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def sign(self, claims: dict[str, object]) -> str:
        """The claims as a compact JWT."""
        return jwt.encode(claims, self._secret, algorithm=self.algorithm, headers={"kid": self.key_id})

    def export_public_raw(self) -> None:
        """Nothing: the receiver knows the secret itself."""
        return


class Signer:
    """Mints and reuses tokens for one gateway.

    Args:
        key: What signs.
        serial: The gateway that the readings come from.
        receiver: Name of the receiver that the tokens are for; None: any that has the key.
        reload: Reads the key again where a file holds it; asked when a token was refused.
    """

    def __init__(
        self, key: Key, serial: str, *, receiver: str | None = None, reload: Callable[[], Key] | None = None
    ) -> None:
        self._audience = make_audience(receiver)
        self._key = key
        self._reload = reload
        self._serial = serial
        self._token = ""
        self._expires_s = 0
        self._clock_offset_s = 0

    def get_token(self, now_s: int) -> str:
        """A token that is good for at least two minutes; `now_s` is this host's epoch time in seconds."""
        now = now_s + self._clock_offset_s
        if now > self._expires_s - RENEW_S or now < self._expires_s - LIFETIME_S:
            self._expires_s = now + LIFETIME_S
            self._token = self._key.sign({
                "iss": "envoy-scraper",
                "aud": self._audience,
                "sub": self._serial,
                "scope": "ingest",
                "iat": now,
                "exp": self._expires_s,
            })  # fmt: skip
        return self._token

    def renew(self, *, now_s: int, receiver_now_s: int | None) -> None:
        """Mint a new token at the next use, on the receiver's clock if its time is plausible."""
        if self._reload is not None:
            with contextlib.suppress(ScraperSettingError):  # its file is just being replaced: the old key until then
                self._key = self._reload()
        if receiver_now_s is not None and abs(receiver_now_s - now_s) <= MOST_OFFSET_S:
            self._clock_offset_s = receiver_now_s - now_s
        self._expires_s = 0
