"""The directory of a demo, and free ports."""

import fcntl
import os
import shutil
import socket
from pathlib import Path

from shared.exposure import find_exposed_directory
from shared.files import PRIVATE_FILE, make_private_directory
from standalone.errors import StandaloneError

_MARKER = ".envoy-relay-demo"


class DemoDirectory:
    """A directory that holds one demo and nothing else; the demo before it is removed when a new one starts.

    Args:
        path: Made if it is missing. One that holds anything else than an earlier demo is refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = -1

    def take(self) -> None:
        """Make it empty and ours until the process ends. Raises StandaloneError."""
        marker = self.path / _MARKER
        if self.path.exists() and not marker.exists() and any(self.path.iterdir()):
            raise StandaloneError(f"{self.path} holds other things than a demo: choose an empty directory with --state")
        try:
            make_private_directory(self.path)
            if exposed := find_exposed_directory(self.path):
                raise StandaloneError(f"{exposed}; or choose another with --state")
            self._lock = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for entry in self.path.iterdir():
                if entry.is_dir():
                    shutil.rmtree(entry)
                elif entry != marker:
                    entry.unlink()
        except BlockingIOError:
            raise StandaloneError(
                f"a demo is already running in {self.path}: stop it first, or give this one --state ANOTHER-DIRECTORY"
            ) from None
        except OSError as error:
            raise StandaloneError(
                f"{self.path} cannot be used ({error.strerror}): choose another with --state"
            ) from error

    def release(self) -> None:
        """Let the next demo have it; its data stays until then."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def find_free_port() -> int:
    """A free port of loopback. Another program may take it first; the process that needs it then reports this."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
