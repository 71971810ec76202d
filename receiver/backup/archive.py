"""The file of a backup: a .tar.gz, 0600, whole or not there. `-` is standard output or input.

The last member of the archive says what the backup is and holds the SHA-256 of every other member. The file ends with a
seal: an empty gzip member, which every program reads past, named by the SHA-256 of all bytes before it. So no file that
was cut off and none with a flipped bit is taken for a backup: the seal is read before anything is unpacked.
"""

import contextlib
import gzip
import hashlib
import io
import os
import secrets
import shutil
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from receiver.errors import BackupError
from shared.files import PRIVATE_FILE

ABOUT = "about.json"
FORMAT = 2
_STANDARD = Path("-")
_CHUNK = 1024 * 1024


class BackupLabel(msgspec.Struct, frozen=True):
    """What a backup says of itself.

    Attributes:
        format: Version of the layout.
        made: When it was begun, milliseconds since 1970.
        store: `sqlite` or `influxdb`.
        sha256: Of every other member, in hexadecimal, by its name.
    """

    format: int
    made: int
    store: str
    sha256: dict[str, str] = {}


def pack(folder: Path, about: BackupLabel, target: Path) -> None:
    """Write the files below `folder` to the new file `target`. Raises BackupError."""
    digests = _compute_digests(folder)
    (folder / ABOUT).write_bytes(msgspec.json.encode(msgspec.structs.replace(about, sha256=digests)))
    try:
        with _open_output(target) as raw:
            sealing = _SealingWriter(raw)
            with tarfile.open(fileobj=sealing, mode="w|gz") as archive:
                for name in [*sorted(digests), ABOUT]:
                    archive.add(folder / name, name)
            sealing.finish()
    except OSError as error:
        raise BackupError(f"{target} cannot be written ({error.strerror}): choose another place") from error


def unpack(source: Path, folder: Path) -> BackupLabel:
    """Read the whole of `source` into `folder`, and check it, before anything is made of it. Raises BackupError."""
    try:
        with _open_input(source, folder.parent) as raw:
            _extract(raw, folder)
        about = msgspec.json.decode((folder / ABOUT).read_bytes(), type=BackupLabel)
    except FileNotFoundError as error:
        sentence = "does not exist" if Path(error.filename or "") == source else "is not a whole backup of a receiver"
        raise BackupError(f"{source} {sentence}") from error
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, msgspec.DecodeError, ValueError) as error:
        raise _make_damage_error(source) from error
    except OSError as error:
        raise BackupError(f"{source} cannot be read ({error.strerror or 'it is no .tar.gz'})") from error
    if about.format != FORMAT:
        raise BackupError(f"{source} was made by another version of this program: restore it with that version")
    if about.sha256 != _compute_digests(folder):
        raise _make_damage_error(source)
    return about


def _extract(raw: BinaryIO, folder: Path) -> None:
    """Raises ValueError for anything that `pack` has not sealed, before a byte of it is unpacked."""
    size = raw.seek(0, os.SEEK_END) - _SEAL_BYTES
    raw.seek(0)
    digest = hashlib.sha256()
    left = size
    while left > 0 and (piece := raw.read(min(_CHUNK, left))):
        digest.update(piece)
        left -= len(piece)
    if left != 0 or raw.read() != _seal(digest):
        raise ValueError("the seal is not that of these bytes")
    raw.seek(0)
    with tarfile.open(fileobj=raw, mode="r:gz") as archive:
        # The filter keeps out links, devices and names that lead elsewhere: the file may come from anywhere.
        archive.extractall(folder, filter="data")


def _make_damage_error(source: Path) -> BackupError:
    return BackupError(f"{source} is not a whole backup of a receiver: take another copy of it")


def _compute_digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder but the one that lists them."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != ABOUT:
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _seal(digest: "hashlib._Hash") -> bytes:
    """An empty gzip member whose file name is a digest."""
    head = b"\x1f\x8b\x08\x08" + bytes(4) + b"\x00\xff"
    return head + digest.hexdigest().encode() + b"\x00" + b"\x03\x00" + bytes(8)


_SEAL_BYTES = len(_seal(hashlib.sha256()))


class _SealingWriter(io.RawIOBase):
    """Passes bytes on, and seals them at the end."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return self._raw.write(data)

    def finish(self) -> None:
        """Write the seal."""
        self._raw.write(_seal(self._digest))


@contextlib.contextmanager
def _open_output(target: Path) -> Iterator[BinaryIO]:
    if target == _STANDARD:
        yield sys.stdout.buffer
        return
    # A new file of a name that nobody could know: never one, or a link, that somebody has put there.
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(unfinished, flags, PRIVATE_FILE), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(unfinished, target)  # unlike a rename, it never replaces an older backup
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def _open_input(source: Path, folder: Path) -> Iterator[BinaryIO]:
    if source == _STANDARD:
        with tempfile.TemporaryFile(dir=folder) as copy:  # its seal is read before it is unpacked
            shutil.copyfileobj(sys.stdin.buffer, copy, _CHUNK)
            yield copy
        return
    with source.open("rb") as file:
        yield file
