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
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)

    def try_take(self) -> bool:
        """Take the lock and write our process id into it; False if another process holds it."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        return True

    def take(self) -> None:
        """Take the lock. Raises OutboxInUseError that names the other process."""
        if self.try_take():
            return
        holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
        raise OutboxInUseError(
            f"another scraper{f' (process {holder})' if holder else ''} is using {self._path.parent}: "
            "stop it, or give this one a directory of its own with ENVOY_STATE_DIR"
        )

    def close(self) -> None:
        """Let go."""
        os.close(self._descriptor)
