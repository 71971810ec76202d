"""One running scraper per outbox file: an advisory lock that dies with its process."""

import fcntl
import os
from pathlib import Path

from scraper.errors import OutboxInUseError
from shared.files import PRIVATE_FILE


class Lock:
    """Exclusive `flock` on a file beside the outbox; a killed process leaves none behind."""

    def __init__(self, path: Path) -> None:
        """`path`: the lock file, made if it is missing. Raises OSError if that cannot be done."""
        self._path = path
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE), "r+b", buffering=0)

    def try_take(self) -> bool:
        """Take the lock and write our process id into it; False if another process holds it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._file.truncate(0)
        self._file.seek(0)
        self._file.write(f"{os.getpid()}\n".encode())
        return True

    def take(self) -> None:
        """Take the lock. Raises OutboxInUseError that names the other process."""
        if self.try_take():
            return
        self._file.seek(0)
        holder = (self._file.read(32) or b"").decode(errors="replace").strip()
        raise OutboxInUseError(
            f"another scraper{f' (process {holder})' if holder else ''} is using {self._path.parent}: "
            "stop it, or give this one a directory of its own with ENVOY_STATE_DIR"
        )

    def close(self) -> None:
        """Let go; a second time does nothing."""
        self._file.close()
