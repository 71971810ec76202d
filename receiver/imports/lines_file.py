"""Exported files of text, plain or packed by gzip, read line by line: years of reports need no memory."""

import gzip
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path

_LONGEST_LINE = 64 * 1024
"""Bytes. A line of ours has some 100; one without end is a file of another kind."""
_GZIP = b"\x1f\x8b"


def read_lines(path: Path) -> Iterator[str]:
    """Its lines, without their ends. Raises ValueError with a sentence for what cannot be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for, and gives what it has only once
            raise ValueError(f"{path} is no regular file: give the path of the exported file")
        with path.open("rb") as plain:
            packed = plain.read(len(_GZIP)) == _GZIP
        with gzip.open(path) if packed else path.open("rb") as file:
            while line := file.readline(_LONGEST_LINE):
                if len(line) == _LONGEST_LINE:
                    raise ValueError(f"{path} has a line of more than {_LONGEST_LINE} bytes: it is no exported text")
                yield line.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: export it again as such") from error
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or "it is damaged or cut short"
        raise ValueError(f"{path} cannot be read ({why}): give the path of the exported file") from error
