"""A small file that people and commands change while the receiver runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from shared.clock import Clock

RELOAD_S = 10.0
"""A change is seen within this many seconds."""

T = TypeVar("T")


class ReloadingFile(Generic[T]):
    """The parsed content of a file, read again when the file has changed.

    Args:
        path: The file; it need not exist.
        parse: Makes the value from the bytes; None stands for a file that does not exist or cannot be read. Must not
            raise: a fault in the file has to become a value that lets nobody in.
        clock: How often to look.
        most_bytes: Read no more than this; None is all. `parse` gets what was read.
    """

    def __init__(
        self, path: Path, parse: Callable[[bytes | None], T], clock: Clock, *, most_bytes: int | None = None
    ) -> None:
        self._path = path
        self._parse = parse
        self._clock = clock
        self._most_bytes = -1 if most_bytes is None else most_bytes
        self._signature = self._look()
        self._looked = clock.monotonic()
        self.version = 0
        self._value = parse(self._read())

    def get(self) -> T:
        """The current value, at most `RELOAD_S` old. `version` has grown if it is another than before."""
        now = self._clock.monotonic()
        if now - self._looked >= RELOAD_S:
            self._looked = now
            signature = self._look()
            if signature != self._signature:
                self._signature = signature
                self._value = self._parse(self._read())
                self.version += 1
        return self._value

    def _look(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _read(self) -> bytes | None:
        try:
            with self._path.open("rb") as file:
                return file.read(self._most_bytes)
        except OSError:
            return None
