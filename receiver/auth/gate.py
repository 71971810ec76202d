"""The gate: from an Authorization header to a caller with rights, or a refusal.

401 means the token is not good, and says nothing more; 403 means it is good but not for writing here; a reader that
asks for a gateway it may not see hears 404, as if there were none.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import jwt

from receiver.auth import compact
from receiver.auth.compact import Claims, make_unauthorised
from receiver.auth.keys import KeyRing, ReaderScope, Scope, VerificationKey
from receiver.auth.links import LinkGate, is_code
from receiver.auth.readers import EVERY_GATEWAY, ISSUER
from receiver.auth.reloading import ReloadingFile
from receiver.errors import RefusedError
from shared.audience import is_addressed
from shared.clock import Clock
from shared.problems import Problem

LEEWAY_S = 60
"""Clocks of honest senders may differ from ours by this much (seconds)."""
LONGEST_INGEST_S = 600
"""Life of an ingest token, at most (seconds)."""
_SENDER = "envoy-scraper"
_REMEMBERED = 1024
_READER_SCOPES: Mapping[str, ReaderScope] = MappingProxyType({"read": "read", "owner": "owner"})
_OWNER_NEEDED = (
    "This token reads and does not write. Panels are placed with one of scope owner: `envoy-receiver token create "
    "--owner`, and `--link` for an address of the page."
)

# Signature only: PyJWT would ask the host's clock for `exp` and accept claims that `compact` refuses.
_signatures = jwt.PyJWS(algorithms=["HS256", "EdDSA"])


class Caller(NamedTuple):
    """Somebody whose token is good.

    Attributes:
        name: Serial of the sender, or id of the reader token; for limits and logs.
        scope: What the token may do.
        gateways: Serials the token covers; None means every gateway.
        expires: End of the token, seconds since 1970.
    """

    name: str
    scope: Scope
    gateways: frozenset[str] | None
    expires: int


class TokenGate:
    """Verifies tokens.

    Args:
        fixed: Keys that never change while the receiver runs, by id (the household secret, the reader key).
        keys_file: Keys of scrapers, by id.
        revoked: Ids of revoked reader tokens; None lets no reader in.
        name: What a token must be addressed to; None: tokens for any receiver are good.
        links: Lets the codes of short links in; None: there are none.
        clock: What time it is.
    """

    def __init__(
        self,
        *,
        fixed: Mapping[str, VerificationKey],
        keys_file: ReloadingFile[dict[str, VerificationKey]],
        revoked: ReloadingFile[frozenset[str] | None],
        clock: Clock,
        name: str | None = None,
        links: LinkGate | None = None,
    ) -> None:
        self._name = name
        self._links = links
        self._fixed = fixed
        self._keys_file = keys_file
        self._revoked = revoked
        self._clock = clock
        self._ring = KeyRing({})
        self._revoked_ids: frozenset[str] | None = None
        self._versions: tuple[int, int] | None = None
        # A scraper sends the same token for minutes: verified once, remembered until it expires or a key file changes.
        self._known: OrderedDict[str, Caller] = OrderedDict()

    def authenticate(self, headers: Sequence[str]) -> Caller:
        """The caller behind the Authorization headers of a request. Raises RefusedError (unauthorised)."""
        return self.verify(_parse_bearer(headers))

    def verify(self, token: str) -> Caller:
        """The caller behind a token, wherever it stood. Raises RefusedError (unauthorised)."""
        if not token.isascii():
            raise make_unauthorised("not-a-bearer")
        if self._links is not None and is_code(token):
            return _make_viewer(self._links, token)
        now = self._clock.now_ms() // 1000
        self._reload()
        caller = self._known.get(token)
        if caller is not None:
            if now >= caller.expires + LEEWAY_S:
                raise make_unauthorised("expired")
            return caller
        caller = self._verify(token, now)
        self._known[token] = caller
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return caller

    def find_closed_lists(self) -> str | None:
        """Who is not let in because a list cannot be read, as a sentence; None if both lists can be."""
        self._reload()
        closed = []
        if self._revoked_ids is None:
            closed.append("no reader is let in, for the list of reader tokens is damaged, unreadable or gone")
        if self._keys_file.is_unreadable:
            closed.append("no scraper with a key of its own is let in, for the keys file is unreadable or gone")
        return f"{'; '.join(closed)}: the log and `envoy-receiver check` say what to do" if closed else None

    def _reload(self) -> None:
        keys, revoked = self._keys_file.get(), self._revoked.get()
        versions = (self._keys_file.version, self._revoked.version)
        if versions != self._versions:
            self._versions = versions
            self._ring = KeyRing({**keys, **self._fixed})
            self._revoked_ids = revoked
            self._known.clear()

    def _verify(self, token: str, now: int) -> Caller:
        header, claims = compact.parse(token)
        key = self._ring.find(header.kid, header.alg)
        if key is None:
            raise make_unauthorised("wrong-algorithm")
        try:
            _signatures.decode(token, key.material, algorithms=[key.algorithm])
        except jwt.PyJWTError as error:
            raise make_unauthorised("unknown-key-or-signature") from error
        _check_times(claims, now)
        if not is_addressed(claims.aud, self._name):
            raise make_unauthorised("for-another-receiver")
        return self._admit_sender(claims, key) if key.scope == "ingest" else self._admit_reader(claims)

    def _admit_sender(self, claims: Claims, key: VerificationKey) -> Caller:
        if claims.iss != _SENDER or claims.scope != "ingest" or not claims.sub:
            raise make_unauthorised("wrong-claims")
        if claims.exp - claims.iat > LONGEST_INGEST_S:
            raise make_unauthorised("too-long-lived")
        return Caller(claims.sub, "ingest", key.gateways, claims.exp)

    def _admit_reader(self, claims: Claims) -> Caller:
        scope = _READER_SCOPES.get(claims.scope)
        if claims.iss != ISSUER or scope is None or not claims.jti:
            raise make_unauthorised("wrong-claims")
        if self._revoked_ids is None or claims.jti in self._revoked_ids:
            raise make_unauthorised("revoked")
        if isinstance(claims.gateways, str):
            if claims.gateways != EVERY_GATEWAY:
                raise make_unauthorised("wrong-claims")
            return Caller(claims.jti, scope, None, claims.exp)
        return Caller(claims.jti, scope, frozenset(claims.gateways), claims.exp)


def _make_viewer(links: LinkGate, code: str) -> Caller:
    """The reader behind a link. Raises RefusedError."""
    link = links.admit(code)
    gateways = None if link.gateways == [EVERY_GATEWAY] else frozenset(link.gateways)
    return Caller(link.id, link.scope, gateways, link.expires)


def authorise_write(caller: Caller, serial: str) -> None:
    """Raises RefusedError (forbidden) unless the caller is the sender for exactly this gateway."""
    if caller.scope != "ingest":
        raise RefusedError(Problem.FORBIDDEN, "read-token-used-to-write")
    if caller.name != serial:
        raise RefusedError(Problem.FORBIDDEN, "other-gateway")
    if caller.gateways is not None and serial not in caller.gateways:
        raise RefusedError(Problem.FORBIDDEN, "gateway-not-allowed")


def authorise_read(caller: Caller, serial: str | None = None) -> None:
    """Raises RefusedError: forbidden for a sender's token, not-found for a gateway this reader may not see."""
    if caller.scope == "ingest":
        raise RefusedError(Problem.FORBIDDEN, "ingest-token-used-to-read")
    if serial is not None and caller.gateways is not None and serial not in caller.gateways:
        raise RefusedError(Problem.NOT_FOUND, "gateway-not-visible")


def authorise_change(caller: Caller, serial: str) -> None:
    """Raises RefusedError as `authorise_read` does, and forbidden for a token that is not the owner's."""
    authorise_read(caller, serial)
    if caller.scope != "owner":
        raise RefusedError(Problem.FORBIDDEN, "read-token-used-to-change", detail=_OWNER_NEEDED)


def _parse_bearer(headers: Sequence[str]) -> str:
    if len(headers) != 1:
        raise make_unauthorised("several-headers" if headers else "no-header")
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer":
        raise make_unauthorised("not-a-bearer")
    return token


def _check_times(claims: Claims, now: int) -> None:
    if claims.exp <= claims.iat or claims.iat > now + LEEWAY_S:
        raise make_unauthorised("issued-in-the-future")
    if claims.nbf is not None and claims.nbf > now + LEEWAY_S:
        raise make_unauthorised("not-yet-valid")
    if now >= claims.exp + LEEWAY_S:
        raise make_unauthorised("expired")
