"""Short-lived tokens that the scraper mints for the receiver: who sends, for which gateway.

Claims: `iss` envoy-scraper, `aud` envoy-receiver (and the receiver's name if it is known), `sub` the serial, `scope`
ingest, integer `iat` and `exp`.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scraper.errors import ScraperSettingError
from shared.audience import make_audience
from shared.files import UnsafeFileError, read_private, write_private
from shared.keys import SECRET_KEY_ID, PublicKey
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


class HouseholdSecret:
    """HS256 with the secret that one household shares between its scraper and its receiver."""

    key_id = SECRET_KEY_ID
    algorithm = "HS256"

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def sign(self, claims: dict[str, object]) -> str:
        """The claims as a compact JWT."""
        return jwt.encode(claims, self._secret, algorithm=self.algorithm, headers={"kid": self.key_id})


class EdgeKey:
    """Ed25519: the private key never leaves this machine."""

    algorithm = "EdDSA"

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.key_id = PublicKey(self.export_public_raw(), "").key_id

    @classmethod
    def load(cls, path: Path) -> "EdgeKey":
        """The key in `path`. Raises ScraperSettingError with the remedy where there is none."""
        try:
            private = serialization.load_pem_private_key(read_private(path), password=None)
        except FileNotFoundError:
            raise ScraperSettingError(
                f"neither ENVOY_RECEIVER_SECRET nor a key is set ({path} does not exist): run `envoy-scraper key` and "
                "give the line it prints to `envoy-receiver keys add`"
            ) from None
        except UnsafeFileError as error:
            raise ScraperSettingError(str(error)) from error
        except (OSError, ValueError) as error:
            raise ScraperSettingError(f"ENVOY_RECEIVER_KEY_FILE: {path} is not a readable Ed25519 key") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise ScraperSettingError(
                f"ENVOY_RECEIVER_KEY_FILE: {path} holds another kind of key; an Ed25519 key is needed"
            )
        return cls(private)

    @classmethod
    def load_or_make(cls, path: Path) -> "EdgeKey":
        """The key in `path`, made there (0600) if there is none."""
        if not path.exists():
            private = Ed25519PrivateKey.generate()
            pem = private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            try:
                write_private(path, pem)
            except OSError as error:
                raise ScraperSettingError(
                    f"{path} cannot be written ({error.strerror}): set ENVOY_STATE_DIR or ENVOY_RECEIVER_KEY_FILE to a "
                    "place that this user may write"
                ) from error
        return cls.load(path)

    def export_public_raw(self) -> bytes:
        """The public key, 32 bytes."""
        return self._private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    def sign(self, claims: dict[str, object]) -> str:
        """The claims as a compact JWT."""
        return jwt.encode(claims, self._private, algorithm=self.algorithm, headers={"kid": self.key_id})


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
