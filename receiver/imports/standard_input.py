"""What comes in by standard input, as a file: a report is read twice, and a packed one is told by its beginning."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from receiver.errors import ReceiverSettingError

STANDARD_INPUT = "-"
"""In the place of FILE."""
_NAME = "standard input"


@contextlib.contextmanager
def keep_as_file(source: BinaryIO) -> Iterator[str]:
    """The path of a private copy, for as long as it is read; what is said of it names standard input, not the copy.

    Raises:
        ReceiverSettingError: It cannot be copied; or what was raised within.
    """
    with contextlib.ExitStack() as stack:
        try:
            copy = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "import"
            with copy.open("wb") as file:
                shutil.copyfileobj(source, file)
        except OSError as error:
            raise ReceiverSettingError(
                f"{_NAME} cannot be copied ({error.strerror}): make room in the directory of temporary files (TMPDIR), "
                "or give the path of the exported file"
            ) from error
        try:
            yield str(copy)
        except (ReceiverSettingError, ValueError) as error:
            raise ReceiverSettingError(str(error).replace(str(copy), _NAME)) from error
