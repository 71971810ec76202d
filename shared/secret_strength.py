"""Whether a shared secret can be guessed. Both halves refuse the same ones. Pure.

What counts is how much of a secret is neither a word that people put where a secret belongs, nor a walk along the
alphabet or the keyboard, nor a repetition of what stands before it. A library that knows more words, such as zxcvbn,
would cost the running scraper ten MiB; real secrets are made by a command, and what people type instead is much alike.
"""

import string

MIN_SECRET_BYTES = 32
"""Bytes of a secret, at least."""
_DISTINCT = 8
"""Different bytes of a secret, at least: 64 random hexadecimal digits have fewer once in many billions."""
_UNFORESEEN = 18
"""What cannot be foreseen of a secret, in characters, at least. Of 32 random hexadecimal digits it is nearly all."""
_FORESEEN = 4
"""A piece of so many characters that was foreseen counts as one character; shorter ones happen by chance."""
_WALKS = (
    "abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "qwertzuiop",
    "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn", "`1234567890-=", "!@#$%^&*()_+", '!"$%&/()=?',
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p",
)  # fmt: skip
_WORDS = (
    "password", "passwort", "passphrase", "passw0rd", "p4ssw0rd", "p@ssw0rd", "changeme", "change-me", "change_me",
    "change", "replace", "secret", "sekret", "geheim", "private", "token", "apikey", "api-key", "default", "example",
    "sample", "insert", "enter", "your", "here", "this", "that", "with", "please", "something", "somewhere", "random",
    "long", "strong", "value", "string", "placeholder", "insecure", "secure", "security", "test", "testing", "demo",
    "dummy", "todo", "fixme", "xxxx", "admin", "administrator", "root", "user", "guest", "login", "welcome", "letmein",
    "hello", "world", "iloveyou", "monkey", "dragon", "master", "foobar", "shared", "household", "solar", "envoy",
    "enphase", "gateway", "relay", "receiver", "scraper", "home", "house", "production", "hunter2", "correct", "horse",
    "battery", "staple", "deadbeef", "cafebabe", "trustno1", "superman", "baseball", "football", "sunshine", "princess",
)  # fmt: skip
_KNOWN = "\n".join([*_WORDS, *_WALKS, *(walk[::-1] for walk in _WALKS)])
_SEPARATORS = frozenset(string.punctuation + string.whitespace)


def find_weakness(secret: bytes) -> str | None:
    """What is wrong with a secret, as the end of a sentence that begins with its setting; None if it is good."""
    if len(secret) < MIN_SECRET_BYTES:
        return f"is shorter than {MIN_SECRET_BYTES} bytes"
    if len(set(secret)) < _DISTINCT or _is_repetition(secret):
        return "is easy to guess: it repeats itself"
    if _count_unforeseen(secret) < _UNFORESEEN:
        return "is easy to guess: it is made of common words, of walks along the keyboard or of repetitions"
    return None


def _is_repetition(secret: bytes) -> bool:
    """Whether it is a shorter text over and over."""
    return any(secret == (secret[:length] * len(secret))[: len(secret)] for length in range(1, len(secret) // 2 + 1))


def _count_unforeseen(secret: bytes) -> int:
    """How many characters there are, where each piece that was foreseen and each sort of separator counts as one."""
    text = secret.decode("latin-1").lower()
    count = position = 0
    while position < len(text):
        length = _measure_foreseen(text, position)
        one = text[position]
        count += length > 1 or one not in _SEPARATORS or one not in text[:position]
        position += length
    return count


def _measure_foreseen(text: str, position: int) -> int:
    """Length of the longest piece from here on that is known or stands before; 1 if there is none."""
    length = _FORESEEN
    while position + length <= len(text) and _is_foreseen(text, position, length):
        length += 1
    return length - 1 if length > _FORESEEN else 1


def _is_foreseen(text: str, position: int, length: int) -> bool:
    piece = text[position : position + length]
    return piece in _KNOWN or piece in text[: position + length - 1]
