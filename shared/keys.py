"""The public half of a scraper's Ed25519 key, as one line that a person can copy from one machine to the other.

    envoy-relay-key ed25519 <public key, base64url> <gateway serial>

`envoy-scraper key` prints it, `envoy-receiver keys add` reads it. Pure.
"""

import base64
import binascii
import hashlib
import re
from typing import NamedTuple

SECRET_KEY_ID = "secret"  # noqa: S105 (a name, not a secret)
"""`kid` of tokens signed with the shared household secret (HS256)."""

_RAW_LENGTH = 32
_SMALL_ORDER = frozenset(
    map(
        bytes.fromhex,
        (
            "00" * 32,
            "01" + "00" * 31,
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "ec" + "ff" * 30 + "7f",
            "ed" + "ff" * 30 + "7f",
            "ee" + "ff" * 30 + "7f",
        ),
    )
)
SERIAL_PATTERN = r"[0-9A-Za-z-]{1,32}"
"""A gateway serial as it may stand in a path, a token or a file."""
_SERIAL = re.compile(SERIAL_PATTERN)


class PublicKey(NamedTuple):
    """An Ed25519 public key (32 raw bytes) and the serial of the gateway it was made for."""

    raw: bytes
    serial: str

    @property
    def key_id(self) -> str:
        """The `kid`: the first 16 hex digits of the SHA-256 of the raw key."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def __str__(self) -> str:
        text = base64.urlsafe_b64encode(self.raw).decode().rstrip("=")
        return f"envoy-relay-key ed25519 {text} {self.serial}"


def is_serial(text: str) -> bool:
    """Whether `text` may stand as a gateway serial in a path, a token or a file."""
    return _SERIAL.fullmatch(text) is not None


def parse(line: str) -> PublicKey:
    """The key in a line. Raises ValueError with a sentence that says what is wrong."""
    words = line.split()
    if len(words) != 4 or words[:2] != ["envoy-relay-key", "ed25519"]:
        raise ValueError(
            "not a key line: it must be 'envoy-relay-key ed25519 KEY SERIAL', as envoy-scraper key prints it"
        )
    try:
        raw = base64.b64decode(words[2] + "=" * (-len(words[2]) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the key in the line is cut short or altered: copy the whole line again") from error
    if len(raw) != _RAW_LENGTH:
        raise ValueError("the key in the line is cut short or altered: copy the whole line again")
    if _has_small_order(raw):
        raise ValueError("the key in the line is weak, anybody could sign for it: make one with `envoy-scraper key`")
    if not is_serial(words[3]):
        raise ValueError("the serial in the line is not one")
    return PublicKey(raw, words[3])


def _has_small_order(raw: bytes) -> bool:
    """Whether a public key is one of the few points for which signatures verify that nobody made with a key.

    cryptography accepts them. The list is libsodium's: the points whose order divides 8, in every encoding; the
    uppermost bit is the sign.
    """
    return raw[:-1] + bytes([raw[-1] & 0x7F]) in _SMALL_ORDER
