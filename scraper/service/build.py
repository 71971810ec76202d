"""From settings to the objects that `run`, `check` and the commands share."""

import ssl

from scraper.config import MIN_SECRET_BYTES, ScraperSettings, UplinkSettings
from scraper.errors import ScraperSettingError
from scraper.gateway.options import GatewayOptions
from scraper.uplink.signer import EdgeKey, HouseholdSecret, Key


def signing_key(receiver: UplinkSettings, *, make: bool = False) -> Key:
    """What signs for this scraper: the secret, else the key, which is made if `make` says so and there is none.

    Raises SettingError with the remedy.
    """
    if receiver.secret is not None:
        secret = receiver.secret() or ""
        if len(secret.encode()) < MIN_SECRET_BYTES:
            raise ScraperSettingError(
                f"ENVOY_RECEIVER_SECRET is shorter than {MIN_SECRET_BYTES} bytes: make one with `openssl rand -hex 32` "
                "and give the same to the receiver as RECEIVER_SECRET"
            )
        return HouseholdSecret(secret)
    return EdgeKey.load_or_make(receiver.key_file) if make else EdgeKey.load(receiver.key_file)


def receiver_tls(receiver: UplinkSettings) -> ssl.SSLContext | None:
    """How the receiver is verified: the public roots, or the given authority; None for plain http."""
    if not receiver.url.startswith("https:"):
        return None
    try:
        return ssl.create_default_context(cafile=None if receiver.ca_file is None else str(receiver.ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ScraperSettingError(
            f"ENVOY_RECEIVER_CA_FILE: {receiver.ca_file} is not a readable certificate file"
        ) from error


def gateway_options(settings: ScraperSettings) -> GatewayOptions:
    """The settings as the gateway client takes them."""
    gateway = settings.gateway

    def credentials() -> tuple[str, str] | None:
        username, password = gateway.cloud_username(), gateway.cloud_password()
        return (username, password) if username and password else None

    return GatewayOptions(
        host=gateway.host,
        serial=gateway.serial,
        token=gateway.token,
        installer_password=gateway.installer_password,
        cloud_credentials=credentials,
        cloud_url=gateway.cloud_url,
        token_url=gateway.token_url,
        state_dir=settings.state_dir,
        tls_trust=gateway.tls_trust,
        tls_fingerprint=gateway.tls_fingerprint,
        http_port=gateway.http_port,
        https_port=gateway.https_port,
        keep_alive=gateway.keep_alive,
    )
