"""Reader tokens: made, listed and revoked here; the key that signs them is known to the receiver alone.

The list (`readers.json` in the state directory) holds what is needed to recognise a token, never the token. A token is
good while its signature is, unless the list says revoked; a list that cannot be read or understood lets no reader in.
"""

import secrets
from pathlib import Path

import jwt
import msgspec
import structlog

from receiver.auth.keys import HS256, READ_KEY_ID
from receiver.auth.reloading import lock_for_change
from receiver.errors import ReceiverSettingError
from shared.audience import make_audience
from shared.files import UnsafeFileError, read_private, write_private
from shared.units import DAY_S

ISSUER = "envoy-receiver"
EVERY_GATEWAY = "*"
LIST_FILE = "readers.json"
KEY_FILE = "read-key"

_log = structlog.get_logger()


class ReaderToken(msgspec.Struct, frozen=True):
    """What the list says of one token. Times in whole seconds since 1970."""

    jti: str
    gateways: list[str]
    created: int
    expires: int
    revoked: bool = False


_decoder = msgspec.json.Decoder(list[ReaderToken])


def load_or_make_key(state_dir: Path) -> bytes:
    """The signing key of reader tokens, made at the first call. Raises ReceiverSettingError."""
    path = state_dir / KEY_FILE
    try:
        if not path.exists():
            write_private(path, secrets.token_hex(32).encode())
        return read_private(path).strip()
    except UnsafeFileError as error:
        raise ReceiverSettingError(str(error)) from error
    except OSError as error:
        raise ReceiverSettingError(
            f"{path} cannot be used ({error.strerror}): RECEIVER_STATE_DIR must be writable"
        ) from error


def parse_revoked_ids(content: bytes | OSError | None) -> frozenset[str] | None:
    """Ids of revoked tokens; None where the list cannot be read or understood, and so nobody can be let in.

    Args:
        content: As `ReloadingFile` gives it; None for a list that never existed.
    """
    if content is None:
        return frozenset()
    if isinstance(content, OSError):
        _log.error(
            "the list of reader tokens cannot be read: no reader is let in", file=LIST_FILE, error=content.strerror
        )
        return None
    try:
        return frozenset(token.jti for token in _decoder.decode(content) if token.revoked)
    except (msgspec.DecodeError, UnicodeDecodeError):
        _log.error("the list of reader tokens is damaged: no reader is let in", file=LIST_FILE)
        return None


def load(state_dir: Path) -> list[ReaderToken]:
    """Every token ever made here, oldest first. Raises ReceiverSettingError."""
    path = state_dir / LIST_FILE
    try:
        return _decoder.decode(path.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReceiverSettingError(
            f"the list of reader tokens {path} cannot be read: restore it or move it away"
        ) from error


def create(
    state_dir: Path, key: bytes, *, gateways: list[str], days: int, now_s: int, name: str | None = None
) -> tuple[ReaderToken, str]:
    """A new token and its entry; the token itself is kept nowhere. Raises ReceiverSettingError.

    `name`: the receiver's, if it has one; the token is good there alone.
    """
    entry = ReaderToken(secrets.token_hex(8), gateways, now_s, now_s + days * DAY_S)
    claims = {
        "iss": ISSUER,
        "aud": make_audience(name),
        "scope": "read",
        "gateways": EVERY_GATEWAY if gateways == [EVERY_GATEWAY] else gateways,
        "jti": entry.jti,
        "iat": now_s,
        "exp": entry.expires,
    }
    with lock_for_change(state_dir / LIST_FILE):
        _save(state_dir, [*load(state_dir), entry])
    return entry, jwt.encode(claims, key, algorithm=HS256, headers={"kid": READ_KEY_ID})


def make_page_link(public_url: str, token: str) -> str:
    """The address that opens the page: the token stands in the fragment, which browsers never send to a server."""
    return f"{public_url}/#token={token}"


def revoke(state_dir: Path, jti: str) -> None:
    """Make a token worthless within seconds. Raises ValueError for an unknown id, and ReceiverSettingError."""
    with lock_for_change(state_dir / LIST_FILE):
        entries = load(state_dir)
        if not any(entry.jti == jti for entry in entries):
            raise ValueError("no token of that id is in the list; `envoy-receiver token list` shows them")
        _save(state_dir, [msgspec.structs.replace(e, revoked=True) if e.jti == jti else e for e in entries])


def _save(state_dir: Path, entries: list[ReaderToken]) -> None:
    path = state_dir / LIST_FILE
    try:
        write_private(path, msgspec.json.format(msgspec.json.encode(entries)), keep_mode=True)
    except OSError as error:
        raise ReceiverSettingError(f"{path} cannot be written ({error.strerror})") from error
