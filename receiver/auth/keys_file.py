"""The keys file: public keys of scrapers and the gateways each may write for.

One key a line, as `envoy-scraper key` prints it; several serials are joined by commas. A revoked key keeps its line,
with the word in front, so that the list still shows it:

    envoy-relay-key ed25519 KEY SERIAL[,SERIAL...]
    revoked envoy-relay-key ed25519 KEY SERIAL

Empty lines and lines that begin with # are comments. A line ends with a line feed and with nothing else.
"""

import shlex
from pathlib import Path
from typing import NamedTuple

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from receiver.auth.keys import EDDSA, VerificationKey
from receiver.auth.reloading import lock_for_change
from receiver.auth.witness import ListWitness
from receiver.errors import ReceiverSettingError
from shared import keys
from shared.files import read_regular, write_private

_log = structlog.get_logger()
_REMEDY = "restore it from a backup; or begin again with an empty file and add the keys that are still good"


class KeyEntry(NamedTuple):
    """One line of the keys file."""

    key: keys.PublicKey
    gateways: tuple[str, ...]
    revoked: bool

    def __str__(self) -> str:
        line = str(self.key._replace(serial=",".join(self.gateways)))
        return f"revoked {line}" if self.revoked else line


def parse_line(line: str) -> KeyEntry:
    """The entry in a line. Raises ValueError with a sentence that says what is wrong."""
    words = line.split()
    revoked = words[:1] == ["revoked"]
    words = words[1:] if revoked else words
    gateways = words[3].split(",") if len(words) == 4 else [""]
    key = keys.parse(" ".join([*words[:3], gateways[0], *words[4:]]))
    if not all(map(keys.is_serial, gateways)):
        raise ValueError("one of the serials in the line is not one")
    return KeyEntry(key, tuple(gateways), revoked)


def parse(text: str) -> tuple[list[KeyEntry], list[str]]:
    """All entries, and one sentence for each line that cannot be read (that key does not count)."""
    entries: list[KeyEntry] = []
    problems: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            entries.append(parse_line(line))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    return entries, problems


def parse_verification_keys(content: bytes | OSError | None) -> dict[str, VerificationKey]:
    """The keys that count, by id. Without the file there are no keys: a person who removes it means to let nobody in.

    A key that stands on several lines may write for the gateways of all of them; revoked once, it is revoked.

    Args:
        content: As `ReloadingFile` gives it.
    """
    if isinstance(content, OSError):
        _log.error(
            "the keys file cannot be read: no scraper with a key of its own is let in",
            error=content.strerror,
            remedy=_REMEDY if isinstance(content, FileNotFoundError) else "correct its owner, its mode or its disk",
        )
        return {}
    entries, problems = parse((content or b"").decode("utf-8", errors="replace"))
    for problem in problems:
        _log.error("a line of the keys file cannot be used", problem=problem)
    revoked = {entry.key.key_id for entry in entries if entry.revoked}
    gateways: dict[str, frozenset[str]] = {}
    raw: dict[str, bytes] = {}
    for entry in entries:
        key_id = entry.key.key_id
        if key_id not in revoked:
            raw[key_id] = entry.key.raw
            gateways[key_id] = gateways.get(key_id, frozenset()) | frozenset(entry.gateways)
    return {
        key_id: VerificationKey(EDDSA, Ed25519PublicKey.from_public_bytes(raw[key_id]), "ingest", gateways[key_id])
        for key_id in raw
    }


def load(path: Path) -> list[KeyEntry]:
    """All entries, for the commands. Raises ReceiverSettingError for a file that is gone or cannot be read whole."""
    try:
        text = read_regular(path).decode()
    except FileNotFoundError as error:
        if ListWitness(path).is_lost():
            raise ReceiverSettingError(
                f"the keys file {path} was there and is gone, and with it which keys were revoked: {_REMEDY} "
                f"(install -m 600 /dev/null {shlex.quote(str(path))})"
            ) from error
        return []
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ReceiverSettingError(f"the keys file {path} cannot be read ({reason})") from error
    entries, problems = parse(text)
    if problems:
        raise ReceiverSettingError(f"the keys file {path} has a problem in {problems[0]}; correct or remove the line")
    return entries


def add(path: Path, line: str, gateways: list[str]) -> KeyEntry:
    """Let a key write for `gateways` too; repeated, it adds more. Raises ValueError, ReceiverSettingError."""
    new = parse_line(line)._replace(revoked=False)
    with lock_for_change(path):
        return _add(path, new, gateways)


def _add(path: Path, new: KeyEntry, gateways: list[str]) -> KeyEntry:
    entries = load(path)
    same = [entry for entry in entries if entry.key.raw == new.key.raw]
    if any(entry.revoked for entry in same):
        raise ValueError(f"key {new.key.key_id} was revoked: make a new one with `envoy-scraper key`")
    wanted = [gateway for entry in (*same, new) for gateway in entry.gateways] + gateways
    if not all(map(keys.is_serial, wanted)):
        raise ValueError("--serial takes the serial number of a gateway (digits, letters and '-')")
    merged = new._replace(gateways=tuple(dict.fromkeys(wanted)))
    _save(path, [*(entry for entry in entries if entry not in same), merged])
    return merged


def revoke(path: Path, key_id: str) -> None:
    """Take a key's right away; running receivers see it within seconds. Raises ValueError for an unknown id."""
    with lock_for_change(path):
        entries = load(path)
        if not any(entry.key.key_id == key_id for entry in entries):
            raise ValueError("no key of that id is in the keys file; `envoy-receiver keys list` shows them")
        _save(path, [entry._replace(revoked=True) if entry.key.key_id == key_id else entry for entry in entries])


def _save(path: Path, entries: list[KeyEntry]) -> None:
    try:
        write_private(path, "".join(f"{entry}\n" for entry in entries).encode(), keep_mode=True)
        ListWitness(path).note()
    except OSError as error:
        raise ReceiverSettingError(f"the keys file {path} cannot be written ({error.strerror})") from error
