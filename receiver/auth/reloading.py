"""A small file that people and commands change while the receiver runs.

A file that cannot be read is never taken for one that is not there: the caller learns which of the two it is,
and the file is tried again until it can be read.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from receiver.auth.witness import ListWitness
from receiver.errors import ReceiverSettingError
from shared.clock import Clock
from shared.files import hold_lock, read_regular

RELOAD_S = 10.0
"""A change is seen within this many seconds."""

T = TypeVar("T")
_log = structlog.get_logger()


class ReloadingFile(Generic[T]):
    """The parsed content of a file, read again when the file has changed.

    Args:
        path: The file; it need not exist.
        parse: Makes the value from what was read: the bytes, None for a file that never existed, or the error for one
            that exists and cannot be read, or that is there no more. Must not raise: a problem in the file has to
            become a value that lets nobody in.
        clock: How often to look.
        most_bytes: Read no more than this; None is all. `parse` gets what was read.
        witness: Tells whether the file existed while nobody looked; None: one that was never seen never did.
        parse_again: Whether `parse` asks a witness of its own: what is not there, and what made None, is parsed again
            at every look.
    """

    def __init__(
        self,
        path: Path,
        parse: Callable[[bytes | OSError | None], T],
        clock: Clock,
        *,
        most_bytes: int | None = None,
        witness: ListWitness | None = None,
        parse_again: bool = False,
    ) -> None:
        self._path = path
        self._parse = parse
        self._clock = clock
        self._most_bytes = -1 if most_bytes is None else most_bytes
        self._witness = witness
        self._parse_again = parse_again
        self._existed = False
        self._signature = self._look()
        self._looked = clock.monotonic()
        self.version = 0
        self._content = self._read()
        self._value = parse(self._content)

    @property
    def is_unreadable(self) -> bool:
        """Whether the file cannot be read, or is there no more; as of the last `get`."""
        return isinstance(self._content, OSError)

    def get(self) -> T:
        """The current value, at most `RELOAD_S` old. `version` has grown if it is another than before."""
        if self._clock.monotonic() - self._looked >= RELOAD_S:
            return self.look_now()
        return self._value

    def look_now(self) -> T:
        """The value as the file is at this moment."""
        self._looked = self._clock.monotonic()
        signature = self._look()
        in_doubt = not isinstance(self._content, bytes) or (self._parse_again and self._value is None)
        if signature != self._signature or in_doubt:
            self._signature = signature
            self._take(self._read())
        return self._value

    def _take(self, content: bytes | OSError | None) -> None:
        is_known = _is_alike(content, self._content)
        self._content = content
        if is_known and not self._parse_again:
            return  # it was said already
        value = self._parse(content)
        if not is_known or value != self._value:
            self._value = value
            self.version += 1

    def _look(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _read(self) -> bytes | OSError | None:
        try:
            content = read_regular(self._path, self._most_bytes)
        except FileNotFoundError as error:
            return error if self._existed or self._is_lost() else None
        except OSError as error:
            self._existed = True
            return error
        if not self._existed:
            self._existed = True
            self._note()
        return content

    def _is_lost(self) -> bool:
        return self._path.is_symlink() or (self._witness is not None and self._witness.is_lost())

    def _note(self) -> None:
        try:
            if self._witness is not None:
                self._witness.note()
        except OSError as error:
            _log.error("that a list exists cannot be noted", file=str(self._path), error=error.strerror)


def _is_alike(one: bytes | OSError | None, other: bytes | OSError | None) -> bool:
    if isinstance(one, OSError) and isinstance(other, OSError):
        return one.errno == other.errno
    return one == other


@contextlib.contextmanager
def lock_for_change(path: Path) -> Iterator[None]:
    """Let no other command change the file meanwhile. Raises ReceiverSettingError."""
    try:
        with hold_lock(path):
            yield
    except OSError as error:
        raise ReceiverSettingError(f"{path} cannot be locked ({error.strerror}): check its directory") from error
