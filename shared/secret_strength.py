"""Whether a shared secret can be guessed. Both halves refuse the same ones. Pure."""

MIN_SECRET_BYTES = 32
"""Bytes of a secret, at least."""
_DISTINCT = 8
"""Different bytes of a secret, at least: 64 random hexadecimal digits have fewer once in many billions."""


def find_weakness(secret: bytes) -> str | None:
    """What is wrong with a secret, as the end of a sentence that begins with its setting; None if it is good."""
    if len(secret) < MIN_SECRET_BYTES:
        return f"is shorter than {MIN_SECRET_BYTES} bytes"
    if len(set(secret)) < _DISTINCT or _is_repetition(secret):
        return "is easy to guess: it repeats itself"
    return None


def _is_repetition(secret: bytes) -> bool:
    """Whether it is a shorter text over and over."""
    return any(secret == (secret[:length] * len(secret))[: len(secret)] for length in range(1, len(secret) // 2 + 1))
