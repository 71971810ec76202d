"""The only reader of the environment and `.env`; everything is checked here, at start.

`load` turns the environment into plain `ScraperSettings`. Errors name the setting and the remedy, never the value.

The running scraper does not import this module: `python -m scraper.settings` prints the checked settings for it as
JSON into a private pipe (see `scraper.config.load_lean`), because pydantic costs 14 MiB that a Raspberry Pi would keep
for as long as the scraper runs.
"""

import ipaddress
import os
import re
import sys
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from scraper.config import MIN_SECRET_BYTES, GatewaySettings, ScraperSettings, Secret, UplinkSettings, encode
from scraper.errors import ScraperSettingError

DISCOVER = "discover"
"""As ENVOY_HOST: look for the gateway with mDNS, in a container too (it must share the network of its host)."""
_NAME = re.compile(r"[0-9A-Za-z._-]{1,253}")


class _ScraperEnvironment(BaseSettings):
    """The settings as people write them: `ENVOY_` + the name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="ENVOY_", env_file=".env", extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    host: str | None = None
    serial: str | None = Field(None, pattern=r"^[0-9A-Za-z-]{1,32}$")
    token: SecretStr | None = None
    token_file: Path | None = None
    cloud_username: SecretStr | None = None
    cloud_username_file: Path | None = None
    cloud_password: SecretStr | None = None
    cloud_password_file: Path | None = None
    cloud_url: str = "https://enlighten.enphaseenergy.com"
    token_url: str = "https://entrez.enphaseenergy.com"  # noqa: S105 (an address)
    installer_password: SecretStr | None = None
    installer_password_file: Path | None = None
    inverter_interval: float = Field(60, ge=10, le=3600)
    meter_source: Literal["auto", "stream", "poll", "off"] = "auto"
    meter_interval: float = Field(5, ge=1, le=300)
    dead_band: float = Field(1, ge=0, le=10)
    post_interval: float = Field(10, ge=1, le=300)
    receiver_url: str | None = None
    receiver_secret: SecretStr | None = None
    receiver_secret_file: Path | None = None
    receiver_key_file: Path | None = None
    receiver_ca_file: Path | None = None
    receiver_insecure: bool = False
    state_dir: Path = Path("~/.local/state/envoy-relay")
    outbox_quota_mib: int = Field(512, ge=8, le=1_000_000)
    tls_trust: Literal["pin", "any"] = "pin"
    tls_fingerprint: str | None = Field(None, pattern=r"^(?:[0-9A-Fa-f]{2}:?){32}$")
    keep_alive: bool = True
    status_host: str = "127.0.0.1"
    status_port: int = Field(8001, ge=0, le=65535)
    http_port: int = Field(80, ge=1, le=65535)
    https_port: int = Field(443, ge=1, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


def load() -> ScraperSettings:
    """Read and check the settings. Raises SettingError with one line per fault."""
    try:
        raw = _ScraperEnvironment()
    except ValidationError as error:
        raise ScraperSettingError(
            "\n".join(_sentence(fault["loc"], fault["msg"]) for fault in error.errors())
        ) from None
    return ScraperSettings(
        gateway=_gateway(raw),
        receiver=_receiver(raw),
        inverter_interval=raw.inverter_interval,
        meter_source=raw.meter_source,
        meter_interval=raw.meter_interval,
        dead_band=raw.dead_band,
        post_interval=raw.post_interval,
        state_dir=raw.state_dir.expanduser(),
        outbox_quota=raw.outbox_quota_mib * 1024 * 1024,
        status_host=raw.status_host,
        status_port=raw.status_port,
        log_level=raw.log_level,
    )


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    return f"ENVOY_{str(location[0]).upper()}: {message[0].lower()}{message[1:]}"


def _is_host(text: str) -> bool:
    """A name or an address; a colon only in an IPv6 address."""
    bare = text.strip().removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return _NAME.fullmatch(bare) is not None
    return True


def _gateway(raw: _ScraperEnvironment) -> GatewaySettings:
    if raw.host is not None and not _is_host(raw.host):
        raise ScraperSettingError("ENVOY_HOST must be a host name or an IP address, without http://, port and path")
    discover = raw.host == DISCOVER
    if raw.host is None and in_container():
        raise ScraperSettingError(
            "ENVOY_HOST is not set: inside a container the gateway cannot be found by itself, because mDNS does not "
            "reach containers; set ENVOY_HOST to the gateway's address (your router lists it as 'envoy'), or to "
            f"{DISCOVER} if the container shares the network of its host"
        )
    for name, url in (("ENVOY_CLOUD_URL", raw.cloud_url), ("ENVOY_TOKEN_URL", raw.token_url)):
        if urlsplit(url).scheme != "https":
            raise ScraperSettingError(
                f"{name} must begin with https://: account passwords are never sent over plain http"
            )
    return GatewaySettings(
        host=None if discover else raw.host,
        serial=raw.serial,
        token=_secret("TOKEN", raw.token, raw.token_file),
        cloud_username=_secret("CLOUD_USERNAME", raw.cloud_username, raw.cloud_username_file),
        cloud_password=_secret("CLOUD_PASSWORD", raw.cloud_password, raw.cloud_password_file),
        cloud_url=raw.cloud_url.rstrip("/"),
        token_url=raw.token_url.rstrip("/"),
        installer_password=_secret("INSTALLER_PASSWORD", raw.installer_password, raw.installer_password_file),
        tls_trust=raw.tls_trust,
        tls_fingerprint=raw.tls_fingerprint and raw.tls_fingerprint.replace(":", "").lower(),
        keep_alive=raw.keep_alive,
        http_port=raw.http_port,
        https_port=raw.https_port,
    )


def _receiver(raw: _ScraperEnvironment) -> UplinkSettings | None:
    if raw.receiver_url is None:
        return None
    url = urlsplit(raw.receiver_url)
    if not _is_plain_base(url):
        raise ScraperSettingError(
            "ENVOY_RECEIVER_URL must look like https://receiver.example.org, without user name, password or query"
        )
    host = url.hostname or ""
    loopback = host in ("localhost", "::1") or host.startswith("127.")
    if url.scheme == "http" and not loopback and not raw.receiver_insecure:
        raise ScraperSettingError(
            "ENVOY_RECEIVER_URL is plain http to another machine: anybody on the way could read and alter your data; "
            "use https, or set ENVOY_RECEIVER_INSECURE=true if the network between the two is yours alone"
        )
    state_key = raw.state_dir.expanduser() / "key"
    if raw.receiver_secret is None and raw.receiver_secret_file is None:
        return UplinkSettings(
            url=raw.receiver_url.rstrip("/"),
            secret=None,
            key_file=raw.receiver_key_file or state_key,
            ca_file=raw.receiver_ca_file,
        )
    if raw.receiver_key_file is not None:
        raise ScraperSettingError("ENVOY_RECEIVER_SECRET and ENVOY_RECEIVER_KEY_FILE are both set: remove one of them")
    secret = _secret("RECEIVER_SECRET", raw.receiver_secret, raw.receiver_secret_file)
    if len((secret() or "").encode()) < MIN_SECRET_BYTES:
        raise ScraperSettingError(
            f"ENVOY_RECEIVER_SECRET is shorter than {MIN_SECRET_BYTES} bytes: make one with `openssl rand -hex 32` "
            "and give the same to the receiver as RECEIVER_SECRET"
        )
    return UplinkSettings(
        url=raw.receiver_url.rstrip("/"), secret=secret, key_file=state_key, ca_file=raw.receiver_ca_file
    )


def _is_plain_base(url: SplitResult) -> bool:
    try:
        port_is_good = url.port != 0
    except ValueError:
        return False
    extras = url.username or url.password or url.query or url.fragment
    return port_is_good and url.scheme in ("http", "https") and bool(url.hostname) and not extras


def _secret(name: str, value: SecretStr | None, path: Path | None) -> Secret:
    plain = value.get_secret_value().strip() if value is not None else None
    return Secret(f"ENVOY_{name}_FILE", plain or None, str(path.expanduser()) if path is not None else None)


def in_container() -> bool:
    """Whether this process runs in Docker, Podman or Kubernetes."""
    return (
        Path("/.dockerenv").exists() or Path("/run/.containerenv").exists() or "KUBERNETES_SERVICE_HOST" in os.environ
    )


if __name__ == "__main__":
    try:
        sys.stdout.buffer.write(encode(load()))
    except ScraperSettingError as error:
        sys.exit(str(error))
