"""A compact JWT taken apart strictly, before any signature is looked at. Pure.

PyJWT alone accepts duplicate claims, `exp` as a string, an `exp` a century away and headers that change what is signed
(`crit`, `b64`) or name a key (`jku`, `jwk`, `x5u`). So the shape of header and claims is checked here, on a
list of what is allowed, and PyJWT verifies the signature only.
"""

import base64
import binascii
import re
from typing import NamedTuple

import msgspec

from receiver.errors import RefusedError
from receiver.strict_json import refuse_duplicates
from shared.problems import Problem

MAX_TOKEN = 4096
"""Characters of a token, at most."""

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The only three header members a token may have; all are needed."""

    alg: str
    typ: str
    kid: str


class Claims(msgspec.Struct, frozen=True):
    """The claims that mean anything here; others are read past. Times are whole seconds since 1970."""

    iss: str
    aud: list[str] | str
    scope: str
    iat: int
    exp: int
    sub: str = ""
    nbf: int | None = None
    jti: str = ""
    gateways: list[str] | str = ""


class CompactToken(NamedTuple):
    """Header and claims of a token that nobody has verified yet."""

    header: Header
    claims: Claims


_header_decoder = msgspec.json.Decoder(Header)
_claims_decoder = msgspec.json.Decoder(Claims)


def make_unauthorised(reason: str) -> RefusedError:
    """The one answer to every token that is not good, whatever the reason."""
    return RefusedError(Problem.UNAUTHORISED, reason)


def parse(token: str) -> CompactToken:
    """Take a token apart. Raises RefusedError (unauthorised)."""
    match = _COMPACT.fullmatch(token) if len(token) <= MAX_TOKEN else None
    if match is None:
        raise make_unauthorised("not-a-token")
    try:
        header_bytes, claims_bytes = (
            base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in match.groups()[:2]
        )
        header = _header_decoder.decode(header_bytes)
        claims = _claims_decoder.decode(claims_bytes)
        refuse_duplicates(header_bytes)
        refuse_duplicates(claims_bytes)
    except (msgspec.DecodeError, binascii.Error, RecursionError, ValueError) as error:
        raise make_unauthorised("bad-shape") from error
    if header.typ != "JWT":
        raise make_unauthorised("wrong-type")
    return CompactToken(header, claims)
