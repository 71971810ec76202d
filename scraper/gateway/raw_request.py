"""What a person may ask of a gateway by hand (pure): a path that can lead nowhere else, and data that is JSON."""

import re
from urllib.parse import unquote

import msgspec

from scraper.errors import WrongUseError

LONGEST_PATH = 512
MOST_DATA = 64 * 1024
"""Bytes of data that may be sent at once."""
METHODS = ("PUT", "POST")

_PLAIN = re.compile(r"/(?!/)[!-~]*", re.ASCII)


def judge_path(path: str) -> str:
    """The path itself, which begins with one slash and stays with the gateway. Raises WrongUseError otherwise.

    The path is judged as it stands and as a server would decode it: `%2e%2e` is `..`.
    """
    if not path.startswith("/") or path.startswith("//"):
        raise WrongUseError("a path begins with one slash, as in /ivp/meters, without scheme and host")
    if len(path) > LONGEST_PATH:
        raise WrongUseError(f"a path has at most {LONGEST_PATH} characters")
    decoded = path
    for _ in range(3):  # what is encoded twice is decoded by some servers
        if not _PLAIN.fullmatch(decoded) or any(mark in decoded for mark in ("@", "..", "://", "\\", "#")):
            raise WrongUseError("a path is printable ASCII without spaces, '@', '#', '..', '\\' and '://'")
        decoded = unquote(decoded)
    return path


def judge_method(method: str) -> str:
    """The method in capitals. Raises WrongUseError for another than PUT and POST."""
    if method.upper() not in METHODS:
        raise WrongUseError(f"the method is {' or '.join(METHODS)}")
    return method.upper()


def judge_data(data: bytes) -> bytes:
    """The data itself, if it is JSON of a bearable size. Raises WrongUseError otherwise; never echoes it."""
    if len(data) > MOST_DATA:
        raise WrongUseError(f"the data has more than {MOST_DATA} bytes")
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WrongUseError("the data is not JSON") from error
    return data
