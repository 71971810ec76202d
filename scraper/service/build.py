"""From settings to the objects that `run`, `check` and the commands share."""

import ssl
from pathlib import Path

from scraper.errors import ScraperSettingError
from scraper.gateway.options import GatewayOptions
from scraper.settings import ScraperSettings, Secret, UplinkSettings
from scraper.settings.checks import read_usable_secret
from scraper.uplink.signer import HouseholdSecret, Key


def load_signing_key(secret: Secret, key_file: Path, *, make: bool = False) -> Key:
    """What signs for this scraper.

    Args:
        secret: The household secret, if it is set.
        key_file: Else this scraper's own key.
        make: Whether the key is made if there is none.

    Raises:
        ScraperSettingError: The secret or the key cannot be used; says what to do.
    """
    if secret.is_set:
        return HouseholdSecret(read_usable_secret(secret))
    from scraper.uplink.edge_key import EdgeKey  # noqa: PLC0415 (it needs cryptography: see `scraper.service.run`)

    return EdgeKey.load_or_make(key_file) if make else EdgeKey.load(key_file)


def make_receiver_tls(receiver: UplinkSettings) -> ssl.SSLContext | None:
    """How the receiver is verified: the public roots, or the given authority; None for plain http."""
    if not receiver.url.startswith("https:"):
        return None
    try:
        return ssl.create_default_context(cafile=None if receiver.ca_file is None else str(receiver.ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ScraperSettingError(
            f"ENVOY_RECEIVER_CA_FILE: {receiver.ca_file} is not a readable certificate file"
        ) from error


def make_gateway_options(settings: ScraperSettings) -> GatewayOptions:
    """The settings as the gateway client takes them."""
    gateway = settings.gateway

    def read_credentials() -> tuple[str, str] | None:
        username, password = gateway.cloud_username(), gateway.cloud_password()
        return (username, password) if username and password else None

    return GatewayOptions(
        host=gateway.address,
        serial=gateway.serial,
        token=gateway.token,
        installer_password=gateway.installer_password,
        cloud_credentials=read_credentials,
        cloud_url=gateway.cloud_url,
        token_url=gateway.token_url,
        state_dir=settings.state_dir,
        tls_trust=gateway.tls_trust,
        tls_fingerprint=gateway.tls_fingerprint,
        http_port=gateway.http_port,
        https_port=gateway.https_port,
        keep_alive=gateway.keep_alive,
    )
