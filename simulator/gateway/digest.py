"""HTTP digest as firmware before 7 does it: MD5, qop=auth, no opaque, no algorithm in the challenge."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from urllib.request import parse_http_list, parse_keqv_list

from simulator.gateway.password import REALM, derive_installer_password
from simulator.web.messages import ParsedRequest

# Lifetime of a nonce in seconds of the device. The real lifetime is unknown; a client must handle its end.
_NONCE_LIFE_S = 600.0


def _hash_md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class DigestLogin:
    """The two users of one device and the nonces it has given out.

    Args:
        serial: seeds both passwords: the last six digits for `envoy`, a derived one for `installer`.
        installer: overrides the derived password, as an owner may have done.
    """

    def __init__(self, serial: str, installer: str | None = None) -> None:
        self._passwords = {"envoy": serial[-6:], "installer": installer or derive_installer_password(serial)}
        self._nonces: dict[str, float] = {}

    def make_challenge(self, now: float) -> str:
        """A `WWW-Authenticate` value with a fresh nonce."""
        nonce = base64.b64encode(secrets.token_bytes(24)).decode()
        self._nonces[nonce] = now + _NONCE_LIFE_S
        return f'Digest qop="auth", realm="{REALM}", nonce="{nonce}"'

    def find_user(self, request: ParsedRequest, now: float) -> str | None:
        """The user that signed this request: `envoy` or `installer`; None for any other signature."""
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "digest":
            return None
        fields = parse_keqv_list(parse_http_list(rest))
        password = self._passwords.get(fields.get("username", ""))
        if password is None or self._nonces.get(fields.get("nonce", ""), 0.0) < now:
            return None
        expected = _compute_response(request, fields, password)
        matches = secrets.compare_digest(expected.encode(), fields.get("response", "").encode())
        return fields["username"] if matches else None


def _compute_response(request: ParsedRequest, fields: Mapping[str, str], password: str) -> str:
    # The request's own target is hashed, not the `uri` the client claims, so that a wrong one is refused.
    secret = _hash_md5(f"{fields['username']}:{REALM}:{password}")
    what = _hash_md5(f"{request.method}:{request.target}")
    middle = ":".join(fields.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
    return _hash_md5(f"{secret}:{middle}:{what}")
