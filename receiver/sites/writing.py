"""The sites file written for its owner: whole or not at all, never over an edit that the writer has not seen.

The file keeps its mode, and its comments (`receiver.sites.edit`). A link is followed, so that it stays one. Receiver
and commands take the same lock.
"""

import errno
import hashlib
import os
from pathlib import Path
from typing import Final

from receiver.sites.edit import PanelChanges, change_panels
from receiver.sites.load import MAX_BYTES, SitesFileError
from shared.files import hold_lock, read_regular, write_private

KEEPS_COMMENTS: Final = True
"""What is answered to who asks before writing."""
_READ_ONLY = (
    "the sites file that RECEIVER_SITES_FILE names cannot be written here: let the receiver's user write the file and "
    "its directory (a file that is mounted by itself cannot be replaced: mount its directory, and not read-only)"
)
_UNSET = (
    "there is no sites file to write into: set RECEIVER_SITES_FILE to the path of a file in a directory that the "
    "receiver may write, and start it again"
)


class SitesFileLockedError(Exception):
    """The file cannot be written; the message names the setting and the remedy, and no path."""


class SitesFileChangedError(Exception):
    """The file is not the one that the writer has seen."""


class SitesFileWriter:
    """Puts words on panels into the sites file.

    Args:
        path: The file, or None where none is set.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def find_obstacle(self) -> str | None:
        """Why nothing can be written, as a sentence; None if it can be, as far as is known before it is tried."""
        if self._path is None:
            return _UNSET
        target = self._path.resolve()
        # os.path tells of a directory that may not be entered as of a file that is not there
        targets = [target, target.parent] if os.path.exists(target) else [target.parent]  # noqa: PTH110
        return None if all(os.access(each, os.W_OK) for each in targets) else _READ_ONLY

    def read_version(self) -> str:
        """Names what the file says at this moment. Raises SitesFileLockedError for a file that cannot be read."""
        return make_version(b"" if self._path is None else _read(self._path.resolve()))

    def change(self, serial: str, changes: PanelChanges, version: str | None) -> str:
        """Write new words on the panels of a gateway; the version of the new file. Takes its time: not in a loop.

        Args:
            serial: The gateway.
            changes: What shall be said of its panels.
            version: Of the file that the writer has seen; None: of any.

        Raises:
            SitesFileLockedError: The file cannot be written.
            SitesFileChangedError: It has changed since.
            SitesFileError: It cannot be used as it is, or as it would be.
        """
        if self._path is None or (obstacle := self.find_obstacle()) is not None:
            raise SitesFileLockedError(_UNSET if self._path is None else obstacle)
        target = self._path.resolve()
        try:
            with hold_lock(target):
                before = _read(target)
                if version is not None and make_version(before) != version:
                    raise SitesFileChangedError("the sites file has changed since it was read")
                after = change_panels(before, serial, changes)
                if len(after) > MAX_BYTES:
                    raise SitesFileError([f"it would be larger than {MAX_BYTES // 1024} KiB"])
                if after != before:
                    write_private(target, after, keep_mode=True)
                return make_version(after)
        except OSError as error:
            raise SitesFileLockedError(_READ_ONLY) from error


def make_version(data: bytes) -> str:
    """Names a content of the file."""
    return hashlib.sha256(data).hexdigest()[:32]


def _read(path: Path) -> bytes:
    """The file; nothing where there is none yet. Raises SitesFileLockedError."""
    try:
        return read_regular(path, MAX_BYTES + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise SitesFileLockedError(
            f"the sites file cannot be read ({os.strerror(error.errno or errno.EIO)}): correct RECEIVER_SITES_FILE, "
            "or the file's owner and mode"
        ) from error
