"""Whether a list ever existed: a small file beside it outlives it.

Without this a list that vanished while nothing ran is taken for one that nobody began, and its revocations are
forgotten. Entries belong to the key that signs what is listed: once that key is replaced, nothing that a lost list
revoked is good any more, and a new list may begin.
"""

import hmac
import os
import re
from pathlib import Path

from shared.files import read_regular, write_private

_MARK = re.compile(r"[0-9a-f]{64}")


def name_witness(path: Path) -> Path:
    """Where the witness of a list lies."""
    return path.with_name(f".{path.name}.witness")


class ListWitness:
    """The witness of one list: a line for each key under which it had entries.

    Args:
        path: The list.
        key: What signs the tokens that it lists; empty where the list itself says who is let in.
    """

    def __init__(self, path: Path, key: bytes = b"") -> None:
        self._path = path
        self._file = name_witness(path)
        self._mark = hmac.digest(key, b"a list of this key has existed", "sha256").hex()
        self.key_id = self._mark[:16]
        """Names the key in the list, and tells nothing of it."""

    def is_lost(self) -> bool:
        """Whether the list, which is not there, once was. A witness that cannot be read or understood says so, too.

        The same is asked of a list that is there and has no entry of this key.
        """
        try:
            marks = self._read()
        except (OSError, UnicodeDecodeError):
            return True
        dangling = self._path.is_symlink() and not self._path.exists()
        return dangling or self._mark in marks or not all(map(_MARK.fullmatch, marks))

    def note(self) -> None:
        """Remember that the list has entries of this key, where this user may write beside it. Raises OSError."""
        try:
            marks = self._read()
        except UnicodeDecodeError:
            marks = []
        if self._mark not in marks and os.access(self._path.parent, os.W_OK | os.X_OK):
            write_private(self._file, "".join(f"{mark}\n" for mark in (*marks, self._mark)).encode())

    def _read(self) -> list[str]:
        try:
            return read_regular(self._file).decode("ascii").splitlines()
        except FileNotFoundError:
            return []
