"""Secret files: 0600 inside 0700 directories, written whole or not at all.

Commands that an administrator gives as root leave a file to whom it belongs, so that the service can still read it.
"""

import contextlib
import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700


class UnsafeFileError(Exception):
    """A secret file that others can read; the message names it and the remedy."""


def make_private_directory(path: Path) -> None:
    """Make `path` (and its parents) readable by its owner only; an existing directory is left as it is."""
    if not path.parent.exists():
        make_private_directory(path.parent)  # mkdir would give parents the mode that the umask leaves
    path.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)


def write_private(path: Path, data: bytes, *, keep_mode: bool = False) -> None:
    """Replace `path` by `data`, atomically and durably (a power cut leaves the old or the new file).

    The file keeps its owner; a new one belongs to the owner of its directory, as far as this user may give it away.

    Args:
        path: The file; its directory is made if it is missing.
        data: All of its content.
        keep_mode: Whether a file that is there keeps its mode; else, and for a new file, it is 0600.
    """
    make_private_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            _leave_to_owner(file.fileno(), path, keep_mode=keep_mode)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def _leave_to_owner(descriptor: int, path: Path, *, keep_mode: bool) -> None:
    """Give a new file the owner of the file that it replaces, or of its directory."""
    try:
        model, exists = path.stat(), True
    except FileNotFoundError:
        model, exists = path.parent.stat(), False
    _give_to(descriptor, model)
    if keep_mode and exists:
        os.fchmod(descriptor, stat.S_IMODE(model.st_mode))


def _give_to(descriptor: int, model: os.stat_result) -> None:
    if os.geteuid() == 0 and (model.st_uid, model.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(descriptor, model.st_uid, model.st_gid)


@contextlib.contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Let no other process that asks for the lock of `path` run meanwhile; waits for it. Raises OSError."""
    make_private_directory(path.parent)
    lock = path.with_name(f".{path.name}.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        _give_to(descriptor, path.parent.stat())
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Make renames, links and new files in this directory durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_private(path: Path) -> bytes:
    """Read a secret file that we wrote. Raises UnsafeFileError if group or others may read it, and OSError."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise UnsafeFileError(f"{path} can be read by other users (mode {mode:o}); run: chmod 600 {path}")
    return path.read_bytes()


def read_regular(path: Path, most_bytes: int = -1) -> bytes:
    """Read a file (all of it, unless told otherwise). Raises OSError, also for what is none.

    Opening a named pipe would wait for somebody who writes, and the whole process with it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(most_bytes)
    finally:
        os.close(descriptor)
