"""The installer password that firmware before 7 derives from its serial. Pure.

The gateway hashes the user, the realm and the serial, takes the last eight hex digits of the hash backwards and
replaces zeros and ones by letters, so that nobody mistakes O for 0 or l for 1 on a printed label. Which letter
depends on how many zeros and ones the whole hash has.
"""

import hashlib

_REALM = "enphaseenergy.com"
_LENGTH = 8


def derive_installer_password(serial: str, user: str = "installer") -> str:
    """The password of `user` on the gateway with this serial (text: leading zeros count)."""
    # The space at the end belongs to it.
    text = f"[e]{user}@{_REALM}#{serial} EnPhAsE eNeRgY "
    return derive_password(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())


def derive_password(md5_hex: str) -> str:
    """The password that belongs to a hash (32 lowercase hex digits)."""
    zeros, ones = md5_hex.count("0"), md5_hex.count("1")
    password = ""
    for digit in reversed(md5_hex[-_LENGTH:]):
        # The counters skip letters that look alike, before every digit and not only before zeros and ones.
        zeros = min(max(zeros - (zeros in {3, 6, 9}), 0), 20)
        ones = min(max(ones - (ones in {9, 15}), 0), 26)
        if digit == "0":
            password += chr(ord("f") + zeros)
            zeros -= 1
        elif digit == "1":
            password += chr(ord("@") + ones)
            ones -= 1
        else:
            password += digit
    return password
