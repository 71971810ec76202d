"""Keys that verify tokens, each pinned to one algorithm, one scope and the gateways it speaks for."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Scope = Literal["ingest", "read", "owner"]
"""What a token may do: send readings, read, or read and say where panels are."""
ReaderScope = Literal["read", "owner"]
"""What the token or link of a person may do."""

READ_KEY_ID = "read"
"""`kid` of reader tokens."""
HS256 = "HS256"
EDDSA = "EdDSA"


@dataclass(frozen=True)
class VerificationKey:
    """One key.

    Attributes:
        algorithm: The only algorithm it verifies.
        material: Secret bytes (HS256) or a public key (EdDSA); never printed.
        scope: What tokens under it may do.
        gateways: Serials it may write for; unused for reader tokens, which name their gateways themselves.
    """

    algorithm: str
    material: bytes | Ed25519PublicKey = field(repr=False)
    scope: Scope
    gateways: frozenset[str] = frozenset()


class KeyRing:
    """The keys by id, with decoys.

    A token under an unknown id, a revoked one or the wrong algorithm is verified all the same, against a key that
    nobody has: from outside, the time it takes tells nothing about which ids exist.
    """

    def __init__(self, keys: Mapping[str, VerificationKey]) -> None:
        self._keys = dict(keys)
        self._decoys = {
            HS256: VerificationKey(HS256, secrets.token_bytes(32), "ingest"),
            EDDSA: VerificationKey(EDDSA, Ed25519PrivateKey.generate().public_key(), "ingest"),
        }

    def find(self, key_id: str, algorithm: str) -> VerificationKey | None:
        """The key to verify with, perhaps a decoy; None for an algorithm that no key here can have."""
        key = self._keys.get(key_id)
        return key if key is not None and key.algorithm == algorithm else self._decoys.get(algorithm)
