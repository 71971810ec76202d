"""Tokens: made as the cloud makes them, checked as the gateway checks them (ES256)."""

import uuid
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

OWNER_LIFETIME_S = 31_536_000
INSTALLER_LIFETIME_S = 43_200

# The rank of each role in the firmware; each endpoint requires a minimum.
RANKS = {"anybody": 1, "monitor": 2, "owner": 2, "prov": 3, "support": 4, "sysadmin": 5, "installer": 6, "factory": 7}


class TokenRefusedError(Exception):
    """The gateway does not take this token; the message says why (for tests and logs of the simulator)."""


@dataclass(frozen=True, slots=True)
class AcceptedToken:
    """The claims that the gateway keeps of an accepted token."""

    role: str
    token_id: str

    @property
    def rank(self) -> int:
        """The role's place in the firmware's order."""
        return RANKS.get(self.role, 0)


class TokenAuthority:
    """The one key that signs every token, and that every gateway trusts.

    Args:
        key_pem: a P-256 private key; None makes a new one.
    """

    def __init__(self, key_pem: bytes | None = None) -> None:
        if key_pem is None:
            self._key = ec.generate_private_key(ec.SECP256R1())
        else:
            loaded = serialization.load_pem_private_key(key_pem, password=None)
            if not isinstance(loaded, ec.EllipticCurvePrivateKey):
                raise ValueError("the token key is no elliptic-curve key: delete it and start again")
            self._key = loaded
        self._key_id = str(uuid.uuid4())

    @property
    def key_pem(self) -> bytes:
        """The private key, to be kept over a restart."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def issue(self, serial: str, role: str, now: float, expires_in: float | None = None, username: str = "") -> str:
        """A token for one gateway.

        Args:
            serial: goes into `aud`.
            role: `owner`, `installer`, or any other name of a role.
            now: epoch seconds for `iat`.
            expires_in: seconds; may be negative. None gives what the cloud gives to that role.
            username: the account's e-mail address.
        """
        if expires_in is None:
            expires_in = INSTALLER_LIFETIME_S if role == "installer" else OWNER_LIFETIME_S
        claims = {
            "aud": serial,
            "iss": "Entrez",
            "enphaseUser": role,
            "exp": int(now + expires_in),
            "iat": int(now),
            "jti": str(uuid.uuid4()),
            "username": username or f"{role}@example.com",
        }
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._key_id})

    def check(self, token: str, serial: str, now: float) -> AcceptedToken:
        """Verify as the gateway does, by the gateway's own clock.

        Raises:
            TokenRefusedError: bad signature, another gateway's, or expired.
        """
        # PyJWT would compare the times with the host's clock; the device has only its own.
        options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": ["exp", "aud"]}
        try:
            claims = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=["ES256"],
                audience=serial,
                options=options,  # type: ignore[arg-type]
            )
        except jwt.PyJWTError as error:
            raise TokenRefusedError(str(error)) from error
        if claims["exp"] <= now:
            raise TokenRefusedError("expired")
        return AcceptedToken(role=str(claims.get("enphaseUser", "")), token_id=str(claims.get("jti", "")))
