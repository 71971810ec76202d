"""Secret files: 0600 inside 0700 directories, written whole or not at all."""

import os
import secrets
import stat
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700


class UnsafeFileError(Exception):
    """A secret file that others can read; the message names it and the remedy."""


def make_private_directory(path: Path) -> None:
    """Make `path` (and its parents) readable by its owner only; an existing directory is left as it is."""
    path.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)


def write_private(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, mode 0600, atomically and durably (a power cut leaves the old or the new file)."""
    make_private_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


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
