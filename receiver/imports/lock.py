"""Keeps an import and a running receiver of the same state directory apart.

A running receiver has its journal of what is to be rolled up in memory: it would never hear of what a command writes
beside it.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from receiver.errors import ReceiverSettingError
from shared.files import PRIVATE_FILE

LOCK_FILE = ".running.lock"
"""In the state directory; it stays there, empty. The lock ends with the process, however that ends."""


@contextlib.contextmanager
def hold_while_running(state_dir: Path) -> Iterator[None]:
    """Let no import begin meanwhile. Raises ReceiverSettingError while one is under way."""
    with _hold(state_dir, fcntl.LOCK_SH, "an import is under way: start the receiver when it has ended"):
        yield


@contextlib.contextmanager
def hold_while_importing(state_dir: Path) -> Iterator[None]:
    """Let no receiver start meanwhile. Raises ReceiverSettingError if one runs, or another import."""
    sentence = (
        "the receiver is running (or another import): stop it, import, and start it again; its scrapers keep what "
        "they measure meanwhile"
    )
    with _hold(state_dir, fcntl.LOCK_EX, sentence):
        yield


@contextlib.contextmanager
def _hold(state_dir: Path, sort: int, sentence: str) -> Iterator[None]:
    path = state_dir / LOCK_FILE
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    except OSError as error:
        raise ReceiverSettingError(
            f"{path} cannot be opened ({error.strerror}): run this as the user of the receiver"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, sort | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ReceiverSettingError(sentence) from None
        except OSError as error:
            raise ReceiverSettingError(f"{path} cannot be locked ({error.strerror}): use a local disk") from error
        yield
    finally:
        os.close(descriptor)
