"""One running scraper per outbox file: an advisory lock that dies with its process, and the witness beside it."""

import contextlib
import fcntl
import os
from pathlib import Path

from scraper.errors import OutboxInUseError
from scraper.outbox.witness import BYTES, Witness, pack_witness, unpack_witness
from shared.files import PRIVATE_FILE

_HOLDER_BYTES = 32
"""The process id, padded with blanks; the witness follows it."""


def name_lock(outbox: Path) -> Path:
    """Where the lock of an outbox lies."""
    return outbox.with_name(outbox.name + ".lock")


class Lock:
    """Exclusive `flock` on a file beside the outbox; a killed process leaves none behind.

    What is written into the file is a courtesy: a disk that takes no byte never keeps the lock from its work.
    """

    def __init__(self, path: Path) -> None:
        """`path`: the lock file, made if it is missing. Raises OSError if that cannot be done."""
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        self._closed = False

    def try_take(self) -> bool:
        """Take the lock and write our process id into it; False if another process holds it. Raises OSError."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode().ljust(_HOLDER_BYTES), 0)
        return True

    def take(self) -> None:
        """Take the lock. Raises OutboxInUseError that names the other process, and OSError."""
        if self.try_take():
            return
        holder = os.pread(self._descriptor, _HOLDER_BYTES, 0).decode(errors="replace").strip()
        raise OutboxInUseError(
            f"another scraper{f' (process {holder})' if holder else ''} is using {self._path.parent}: "
            "stop it, or give this one a directory of its own with ENVOY_STATE_DIR"
        )

    def is_in_place(self) -> bool:
        """Whether the lock file still is the one that is held; another scraper would not see a deleted one."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except OSError:
            return False

    def take_again(self) -> None:
        """Make and take a lock file that was deleted, with the same witness. Raises OutboxInUseError and OSError."""
        witness = self.read_witness()
        made = Lock(self._path)
        try:
            made.take()
        except BaseException:
            made.close()
            raise
        os.close(self._descriptor)
        self._descriptor = made._descriptor
        if witness is not None:
            self.write_witness(witness)

    def read_witness(self) -> Witness | None:
        """What the outbox last held; None if nobody ever said, or it cannot be read."""
        try:
            return unpack_witness(os.pread(self._descriptor, BYTES, _HOLDER_BYTES))
        except OSError:
            return None

    def write_witness(self, witness: Witness) -> None:
        """Note what the outbox holds."""
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, pack_witness(witness), _HOLDER_BYTES)

    def close(self) -> None:
        """Let go; a second time does nothing."""
        if not self._closed:
            self._closed = True
            os.close(self._descriptor)
