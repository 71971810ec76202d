"""The only reader of the environment, `.env` and secret files; everything is checked here, at start.

A secret may be given as `NAME` or as `NAME_FILE` (a path). Errors name the setting and the remedy, never the value.
"""

import difflib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from receiver.contact_settings import ContactEnvironment, ContactSettings, contact_settings
from receiver.database_settings import (
    InfluxEnvironment,
    InfluxSettings,
    influx_settings,
    secret_text,
    sqlite_path,
)
from receiver.errors import ReceiverSettingError
from shared.keys import is_serial

MIN_SECRET_BYTES = 32
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 (recognised, not chosen)
MOST_DAYS = 36_500
_KUBERNETES = re.compile(r"RECEIVER_(SERVICE_|PORT_)")


class _ReceiverEnvironment(BaseSettings):
    """The settings as people write them: `RECEIVER_` + the name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="RECEIVER_", env_file=".env", extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    store: str | None = None
    live_bucket: str | None = None
    meter_days: int = Field(90, ge=0, le=MOST_DAYS)
    tokens_dir: Path | None = None
    state_dir: Path = Path("~/.local/state/envoy-receiver")
    secret: SecretStr | None = None
    secret_file: Path | None = None
    gateways: str = ""
    keys_file: Path | None = None
    sites_file: Path | None = None
    read_secret: SecretStr | None = None
    read_secret_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    status_host: str = "127.0.0.1"
    status_port: int = Field(8002, ge=0, le=65535)
    trusted_proxies: str = ""
    open_live: str = ""
    public_url: str | None = None
    gateway_rate: float = Field(200, ge=1)
    address_rate: float = Field(1000, ge=1)
    docs: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


@dataclass(frozen=True, kw_only=True)
class ReceiverSettings:
    """Everything the receiver was told.

    Attributes:
        sqlite_path: File of the embedded store; None where InfluxDB is the store.
        influxdb: Where InfluxDB is and how to enter it; None where the embedded store is used.
        meter_days: Days that raw meter readings are kept; 0 is for ever.
        state_dir: Keys, the reader key and the list of reader tokens; 0700.
        secret: Household secret (HS256) for `gateways`, or None.
        gateways: Serials that the household secret may write for.
        keys_file: Public keys of scrapers.
        sites_file: What the owner says about each gateway, or None.
        read_secret: Signs reader tokens; None means a key made in the state directory.
        host: Address of the main port.
        port: The main port.
        status_host: Address of the status port.
        status_port: The status port.
        trusted_proxies: Addresses whose X-Forwarded-* headers are believed.
        open_live: Networks that may see production and consumption live without a token.
        public_url: Where people open the page, without a slash at the end.
        gateway_rate: Batches a second that one gateway may send in the long run; five times that at once.
        address_rate: Requests a second that one network address may make in the long run; five times that at once.
        docs: Whether `/docs` is shown.
        log_level: Least severe level that is logged.
    """

    sqlite_path: Path | None
    influxdb: InfluxSettings | None = None
    meter_days: int = 90
    state_dir: Path
    secret: bytes | None = field(repr=False)
    gateways: tuple[str, ...]
    keys_file: Path
    sites_file: Path | None
    read_secret: bytes | None = field(repr=False)
    host: str
    port: int
    status_host: str
    status_port: int
    trusted_proxies: tuple[str, ...]
    open_live: tuple[IPv4Network | IPv6Network, ...]
    public_url: str
    gateway_rate: float
    address_rate: float
    docs: bool
    log_level: str


def load() -> ReceiverSettings:
    """Read and check the settings. Raises SettingError, one line per fault."""
    _refuse_unknown()
    try:
        raw = _ReceiverEnvironment()
    except ValidationError as error:
        raise ReceiverSettingError(
            "\n".join(_sentence(fault["loc"], fault["msg"]) for fault in error.errors())
        ) from None
    state_dir = raw.state_dir.expanduser()
    secret = _secret("RECEIVER_SECRET", raw.secret, raw.secret_file)
    gateways = _serials(raw.gateways)
    if (secret is None) != (not gateways):
        missing, given = (
            ("RECEIVER_GATEWAYS", "RECEIVER_SECRET") if secret else ("RECEIVER_SECRET", "RECEIVER_GATEWAYS")
        )
        raise ReceiverSettingError(
            f"{given} is set without {missing}: the secret is good for the listed gateways only, so set both"
        )
    file = sqlite_path(raw.store, state_dir)
    return ReceiverSettings(
        sqlite_path=file,
        influxdb=_influxdb(raw, state_dir) if file is None else None,
        meter_days=raw.meter_days,
        state_dir=state_dir,
        secret=secret,
        gateways=gateways,
        keys_file=(raw.keys_file or state_dir / "keys").expanduser(),
        sites_file=None if raw.sites_file is None else raw.sites_file.expanduser(),
        read_secret=_secret("RECEIVER_READ_SECRET", raw.read_secret, raw.read_secret_file),
        host=raw.host,
        port=raw.port,
        status_host=raw.status_host,
        status_port=raw.status_port,
        trusted_proxies=tuple(_words(raw.trusted_proxies)),
        open_live=_networks("RECEIVER_OPEN_LIVE", raw.open_live),
        public_url=_public_url(raw),
        gateway_rate=raw.gateway_rate,
        address_rate=raw.address_rate,
        docs=raw.docs,
        log_level=raw.log_level,
    )


def load_contacts() -> ContactSettings:
    """Read and check who is told of alarms; only `setup` needs it. Raises SettingError, one line per fault."""
    return contact_settings(ContactEnvironment())


def _refuse_unknown() -> None:
    """A misspelt setting would silently do nothing."""
    known = {f"RECEIVER_{name.upper()}" for name in _ReceiverEnvironment.model_fields}
    for name in sorted({*os.environ, *dotenv_values(".env")}):
        # Kubernetes sets RECEIVER_SERVICE_HOST and the like by itself for a service of this name.
        if name.startswith("RECEIVER_") and name not in known and not _KUBERNETES.match(name):
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else "remove it; the README lists the settings"
            raise ReceiverSettingError(f"{name} is no setting of the receiver: {hint}")


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    name = f"RECEIVER_{str(location[0]).upper()}"
    if name == "RECEIVER_PORT" and os.environ.get(name, "").startswith("tcp://"):
        return f"{name} was set by Kubernetes for a service of this name: set enableServiceLinks: false in the pod"
    return f"{name}: {message[0].lower()}{message[1:]}"


def _words(text: str) -> Iterator[str]:
    return (word.strip() for word in text.split(",") if word.strip())


def _serials(text: str) -> tuple[str, ...]:
    serials = tuple(_words(text))
    if not all(map(is_serial, serials)):
        raise ReceiverSettingError(
            "RECEIVER_GATEWAYS must be serial numbers separated by commas, e.g. 122300001234,122300005678"
        )
    return serials


def _influxdb(raw: _ReceiverEnvironment, state_dir: Path) -> InfluxSettings:
    tokens_dir = (raw.tokens_dir or state_dir / "tokens").expanduser()
    return influx_settings(InfluxEnvironment(), raw.live_bucket, tokens_dir)


def _public_url(raw: _ReceiverEnvironment) -> str:
    if raw.public_url is None:
        return f"http://{'127.0.0.1' if raw.host in _EVERYWHERE else raw.host}:{raw.port}"
    url = urlsplit(raw.public_url)
    if url.scheme not in ("http", "https") or not url.hostname or url.username or url.query or url.fragment:
        raise ReceiverSettingError(
            "RECEIVER_PUBLIC_URL must look like https://receiver.example.org, without user name, password or query"
        )
    return raw.public_url.rstrip("/")


def _networks(name: str, text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(map(ip_network, _words(text)))
    except ValueError:
        raise ReceiverSettingError(
            f"{name} must be networks separated by commas, e.g. 192.168.1.0/24,fd00::/64 (no host bits set)"
        ) from None


def _secret(name: str, value: SecretStr | None, path: Path | None) -> bytes | None:
    text = secret_text(name, value, path)
    if text is None:
        return None
    if len(text.encode()) < MIN_SECRET_BYTES:
        raise ReceiverSettingError(
            f"{name} is shorter than {MIN_SECRET_BYTES} bytes: make one with `openssl rand -hex 32`"
        )
    return text.encode()
