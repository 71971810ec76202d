"""The passwords of firmware before 7, as the device itself checks them.

Written from the device's description and not shared with any reader, so that one misunderstanding cannot hide on
both sides.
"""

import hashlib

REALM = "enphaseenergy.com"


def derive_installer_password(serial: str, user: str = "installer") -> str:
    """The password that the device derives from its own serial for `user`."""
    text = f"[e]{user}@{REALM}#{serial} EnPhAsE eNeRgY "
    return fold(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())


def fold(digest: str) -> str:
    """Fold 32 hexadecimal characters into the eight of the password.

    The number of zeros and of ones in the whole digest decides which letters stand for them; both numbers skip
    certain values before every character, and shrink with each use.
    """
    zeros = _Countdown(digest.count("0"), first="f", skips=(3, 6, 9), limit=20)
    ones = _Countdown(digest.count("1"), first="@", skips=(9, 15), limit=26)
    password = ""
    for character in reversed(digest[-8:]):
        zeros.skip()
        ones.skip()
        password += zeros.take() if character == "0" else ones.take() if character == "1" else character
    return password


class _Countdown:
    def __init__(self, count: int, first: str, skips: tuple[int, ...], limit: int) -> None:
        self._count = count
        self._first = ord(first)
        self._skips = skips
        self._limit = limit

    def skip(self) -> None:
        if self._count in self._skips:
            self._count -= 1
        self._count = min(max(self._count, 0), self._limit)

    def take(self) -> str:
        letter = chr(self._first + self._count)
        self._count -= 1
        return letter
