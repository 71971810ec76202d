"""The file of a backup: a .tar.gz, 0600, whole or not there. `-` is standard output or input.

The last member says what the backup is, so a file that was cut off is not taken for one.
"""

import contextlib
import os
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from receiver.errors import BackupError
from shared.files import PRIVATE_FILE

ABOUT = "about.json"
FORMAT = 1
_STANDARD = Path("-")


class About(msgspec.Struct, frozen=True):
    """What a backup says of itself.

    Attributes:
        format: Version of the layout.
        made: When it was begun, milliseconds since 1970.
        store: `sqlite` or `influxdb`.
    """

    format: int
    made: int
    store: str


def pack(folder: Path, about: About, target: Path) -> None:
    """Write the files below `folder` to the new file `target`. Raises BackupError."""
    (folder / ABOUT).write_bytes(msgspec.json.encode(about))
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    try:
        with _output(target) as raw, tarfile.open(fileobj=raw, mode="w|gz") as archive:
            for name in sorted(names, key=lambda name: name == ABOUT):
                archive.add(folder / name, name)
    except OSError as error:
        raise BackupError(f"{target} cannot be written ({error.strerror}): choose another place") from error


def unpack(source: Path, folder: Path) -> About:
    """Read the whole of `source` into `folder` before anything is made of it. Raises BackupError."""
    try:
        with _input(source) as raw, tarfile.open(fileobj=raw, mode="r|gz") as archive:
            # The filter keeps out links, devices and names that lead elsewhere: the file may come from anywhere.
            archive.extractall(folder, filter="data")
        about = msgspec.json.decode((folder / ABOUT).read_bytes(), type=About)
    except FileNotFoundError as error:
        sentence = "does not exist" if Path(error.filename or "") == source else "is not a whole backup of a receiver"
        raise BackupError(f"{source} {sentence}") from error
    except (tarfile.TarError, EOFError, msgspec.DecodeError) as error:
        raise BackupError(f"{source} is not a whole backup of a receiver: take another copy of it") from error
    except OSError as error:
        reason = error.strerror or "it is no .tar.gz"
        raise BackupError(f"{source} cannot be read ({reason})") from error
    if about.format != FORMAT:
        raise BackupError(f"{source} was made by another version of this program: restore it with that version")
    return about


@contextlib.contextmanager
def _output(target: Path) -> Iterator[BinaryIO]:
    if target == _STANDARD:
        yield sys.stdout.buffer
        return
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(unfinished, target)  # unlike a rename, it never replaces an older backup
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def _input(source: Path) -> Iterator[BinaryIO]:
    if source == _STANDARD:
        yield sys.stdin.buffer
        return
    with source.open("rb") as file:
        yield file
