"""What `envoy-scraper read /path` was answered last, kept for `--cached`: one private file for each path.

Promises: files are 0600 in a 0700 directory, hold no secret (they are kept as they are shown), belong to one gateway,
and are few. A file that cannot be read or is of another gateway counts as none.
"""

import hashlib
from pathlib import Path

import msgspec

from shared.files import UnsafeFileError, read_private, write_private

MOST_REPLIES = 64
"""The oldest beyond so many are deleted."""


class KeptReply(msgspec.Struct, frozen=True):
    """One reply.

    Attributes:
        path: What was asked.
        serial: The gateway that answered.
        at_ms: When, by the clock of this machine.
        text: The reply as it was shown.
    """

    path: str
    serial: str
    at_ms: int
    text: str


class RawMemory:
    """The replies in a state directory."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "raw"

    def keep(self, reply: KeptReply) -> None:
        """Keep a reply in the place of the last one of its path. Raises OSError."""
        write_private(self._find_file(reply.path), msgspec.json.encode(reply))
        files = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
        for old in files[:-MOST_REPLIES]:
            old.unlink(missing_ok=True)

    def find(self, path: str, serial: str | None, *, now_ms: int, max_age_s: float) -> KeptReply | None:
        """The reply of `path` by this gateway (any, if `serial` is None), if it is young enough; else None."""
        try:
            reply = msgspec.json.decode(read_private(self._find_file(path)), type=KeptReply)
        except (OSError, UnsafeFileError, msgspec.DecodeError):
            return None
        is_young = 0 <= now_ms - reply.at_ms <= max_age_s * 1000
        return reply if is_young and reply.path == path and serial in (None, reply.serial) else None

    def _find_file(self, path: str) -> Path:
        return self._folder / f"{hashlib.sha256(path.encode()).hexdigest()[:32]}.json"
