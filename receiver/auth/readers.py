"""Reader tokens: made, listed and revoked here; the key that signs them is known to the receiver alone.

The list (`readers.json` in the state directory) holds what is needed to recognise a token, never the token. A token is
good while its signature is, unless the list says revoked; a list that cannot be read or understood, or that was there
and is gone, lets no reader in.
"""

import secrets
from pathlib import Path

import jwt
import msgspec
import structlog

from receiver.auth.keys import HS256, READ_KEY_ID, ReaderScope
from receiver.auth.reloading import lock_for_change
from receiver.auth.witness import ListWitness
from receiver.errors import ReceiverSettingError
from shared.audience import make_audience
from shared.files import UnsafeFileError, read_private, read_regular, write_private
from shared.units import DAY_S

ISSUER = "envoy-receiver"
EVERY_GATEWAY = "*"
LIST_FILE = "readers.json"
"""In the state directory."""
KEY_FILE = "read-key"
_REMEDY = (
    "restore the list from a backup; or begin again with a new read key (remove the file read-key beside the list, or "
    "replace RECEIVER_READ_SECRET, and restart the receiver), which ends every token made so far"
)

_log = structlog.get_logger()


class ReaderToken(msgspec.Struct, frozen=True):
    """What the list says of one token. Times in whole seconds since 1970."""

    jti: str
    gateways: list[str]
    created: int
    expires: int
    revoked: bool = False
    key: str = ""
    """Names the key that signed it; empty in lists that an earlier version made."""
    label: str = ""
    scope: ReaderScope = "read"


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


class Revocations:
    """What the list says, for the receiver while it runs.

    Args:
        state_dir: Where the list is.
        key: What signs reader tokens.
    """

    def __init__(self, state_dir: Path, key: bytes) -> None:
        self._witness = _make_witness(state_dir, key)
        self._said: tuple[str, str | None] | None = None

    def parse_ids(self, content: bytes | OSError | None) -> frozenset[str] | None:
        """Ids of revoked tokens; None where the list cannot be read or understood, or is lost: nobody can be let in.

        Args:
            content: As `ReloadingFile` gives it; None for a list that is not there.
        """
        if isinstance(content, OSError):
            remedy = _REMEDY if isinstance(content, FileNotFoundError) else "correct its owner, its mode or its disk"
            self._report("the list of reader tokens cannot be read", remedy, error=content.strerror)
            return None
        try:
            entries = [] if content is None else _decoder.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._report("the list of reader tokens is damaged", _REMEDY)
            return None
        if _is_lost(entries, self._witness):
            self._report("the list of reader tokens is gone", _REMEDY)
            return None
        self._said = None
        try:
            _note(entries, self._witness)
        except OSError as error:
            _log.error("that the list of reader tokens exists cannot be noted", error=error.strerror)
        return frozenset(entry.jti for entry in entries if entry.revoked)

    def _report(self, problem: str, remedy: str, **more: str | None) -> None:
        """Say it once: the list is looked at every few seconds."""
        if (problem, more.get("error")) != self._said:
            self._said = (problem, more.get("error"))
            _log.error(f"{problem}: no reader is let in", file=LIST_FILE, remedy=remedy, **more)


def load(state_dir: Path, key: bytes) -> list[ReaderToken]:
    """Every token ever made here, oldest first. Raises ReceiverSettingError, also for a list that is gone.

    `key`: what signs reader tokens now.
    """
    path, witness = state_dir / LIST_FILE, _make_witness(state_dir, key)
    try:
        entries = _decoder.decode(read_regular(path))
    except FileNotFoundError:
        entries = []
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReceiverSettingError(
            f"the list of reader tokens {path} cannot be read: restore it, or correct its owner and mode"
        ) from error
    if _is_lost(entries, witness):
        raise ReceiverSettingError(
            f"the list of reader tokens {path} was there and is gone, and with it what was revoked: {_REMEDY}"
        )
    return entries


def _make_witness(state_dir: Path, key: bytes) -> ListWitness:
    return ListWitness(state_dir / LIST_FILE, key)


def _is_lost(entries: list[ReaderToken], witness: ListWitness) -> bool:
    """Whether there were entries of this key and are none: the list is gone, or somebody has begun another one."""
    return not _has_entries(entries, witness) and witness.is_lost()


def _note(entries: list[ReaderToken], witness: ListWitness) -> None:
    if _has_entries(entries, witness):
        witness.note()


def _has_entries(entries: list[ReaderToken], witness: ListWitness) -> bool:
    return any(entry.key in ("", witness.key_id) for entry in entries)


def create(
    state_dir: Path,
    key: bytes,
    *,
    gateways: list[str],
    days: int,
    now_s: int,
    name: str | None = None,
    label: str = "",
    scope: ReaderScope = "read",
) -> tuple[ReaderToken, str]:
    """A new token and its entry; the token itself is kept nowhere. Raises ReceiverSettingError.

    `name`: the receiver's, if it has one; the token is good there alone. `label`: whom it is for. `scope`: what it may
    do.
    """
    entry = ReaderToken(
        secrets.token_hex(8),
        gateways,
        now_s,
        now_s + days * DAY_S,
        key=_make_witness(state_dir, key).key_id,
        label=label,
        scope=scope,
    )
    claims = {
        "iss": ISSUER,
        "aud": make_audience(name),
        "scope": scope,
        "gateways": EVERY_GATEWAY if gateways == [EVERY_GATEWAY] else gateways,
        "jti": entry.jti,
        "iat": now_s,
        "exp": entry.expires,
    }
    with lock_for_change(state_dir / LIST_FILE):
        _save(state_dir, key, [*load(state_dir, key), entry])
    return entry, jwt.encode(claims, key, algorithm=HS256, headers={"kid": READ_KEY_ID})


def revoke(state_dir: Path, key: bytes, jti: str) -> None:
    """Make a token worthless within seconds. Raises ValueError for an unknown id, and ReceiverSettingError."""
    with lock_for_change(state_dir / LIST_FILE):
        entries = load(state_dir, key)
        if not any(entry.jti == jti for entry in entries):
            raise ValueError("no token of that id is in the list; `envoy-receiver token list` shows them")
        _save(state_dir, key, [msgspec.structs.replace(e, revoked=True) if e.jti == jti else e for e in entries])


def _save(state_dir: Path, key: bytes, entries: list[ReaderToken]) -> None:
    path = state_dir / LIST_FILE
    try:
        write_private(path, msgspec.json.format(msgspec.json.encode(entries)), keep_mode=True)
        _note(entries, _make_witness(state_dir, key))
    except OSError as error:
        raise ReceiverSettingError(f"{path} cannot be written ({error.strerror})") from error
