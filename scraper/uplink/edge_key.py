"""The scraper's own key. A scraper with a household secret does without this module, and so without `cryptography`."""

from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scraper.errors import ScraperSettingError
from shared.files import UnsafeFileError, read_private, write_private
from shared.keys import PublicKey


class EdgeKey:
    """Ed25519: the private key never leaves this machine."""

    algorithm = "EdDSA"

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.key_id = PublicKey(self.export_public_raw(), "").key_id

    @classmethod
    def load(cls, path: Path) -> "EdgeKey":
        """The key in `path`. Raises ScraperSettingError with the remedy where there is none."""
        try:
            private = serialization.load_pem_private_key(read_private(path), password=None)
        except FileNotFoundError:
            raise ScraperSettingError(
                f"neither ENVOY_RECEIVER_SECRET nor a key is set ({path} does not exist): run `envoy-scraper key` and "
                "give the line it prints to `envoy-receiver keys add`"
            ) from None
        except UnsafeFileError as error:
            raise ScraperSettingError(str(error)) from error
        except (OSError, ValueError) as error:
            raise ScraperSettingError(f"ENVOY_RECEIVER_KEY_FILE: {path} is not a readable Ed25519 key") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise ScraperSettingError(
                f"ENVOY_RECEIVER_KEY_FILE: {path} holds another kind of key; an Ed25519 key is needed"
            )
        return cls(private)

    @classmethod
    def load_or_make(cls, path: Path) -> "EdgeKey":
        """The key in `path`, made there (0600) if there is none."""
        if not path.exists():
            private = Ed25519PrivateKey.generate()
            pem = private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            try:
                write_private(path, pem)
            except OSError as error:
                raise ScraperSettingError(
                    f"{path} cannot be written ({error.strerror}): set ENVOY_STATE_DIR or ENVOY_RECEIVER_KEY_FILE to a "
                    "place that this user may write"
                ) from error
        return cls.load(path)

    def export_public_raw(self) -> bytes:
        """The public key, 32 bytes."""
        return self._private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    def sign(self, claims: dict[str, object]) -> str:
        """The claims as a compact JWT."""
        return jwt.encode(claims, self._private, algorithm=self.algorithm, headers={"kid": self.key_id})
