"""What every answer tells browsers and proxies, unless its route says otherwise."""

from collections.abc import Mapping
from types import MappingProxyType

STRICT_HEADERS: Mapping[bytes, bytes] = MappingProxyType({
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
})  # fmt: skip
"""Guess no type, run nothing, keep nothing."""
