"""The settings of the receiver itself, `RECEIVER_` + the name in capitals, with their types, ranges and defaults.

Validators name the setting and the remedy, never the value.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from receiver.settings.source import ExpandedPath, SecretBytes, SettingsModel
from receiver.settings.stores import InfluxDB, Sqlite
from shared.audience import NAME_PATTERN
from shared.keys import is_serial
from shared.local_settings import RECEIVER_STATE_DIR
from shared.secret_strength import find_weakness

MOST_DAYS = 36_500
DEMO_SECRET = b"everybody-knows-the-secret-of-the-demo-and-it-opens-nothing-else"
"""`deploy/demo-secret`: good for the simulated gateway of the demo only."""
DEMO_GATEWAYS = ("122446000801",)
_NAME = re.compile(NAME_PATTERN)
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 (recognised, not chosen)


def _split_words(value: Any) -> Any:
    """The words between commas."""
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _check_serials(serials: tuple[str, ...]) -> tuple[str, ...]:
    if not all(map(is_serial, serials)):
        raise ValueError("RECEIVER_GATEWAYS must be serial numbers separated by commas, e.g. 122300001234,122300005678")
    return serials


def _parse_networks(value: Iterable[Any]) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(map(ip_network, value))
    except ValueError:
        raise ValueError(
            "RECEIVER_OPEN_LIVE must be networks separated by commas, e.g. 192.168.1.0/24,fd00::/64 (no host bits set)"
        ) from None


def _refuse_weakness(secret: bytes | None, info: ValidationInfo) -> bytes | None:
    if secret is not None and (weakness := find_weakness(secret)) is not None:
        name = f"RECEIVER_{str(info.field_name).upper()}"
        raise ValueError(f"{name} {weakness}: make one with `openssl rand -hex 32`")
    return secret


def _check_name(name: str | None) -> str | None:
    if name is not None and _NAME.fullmatch(name) is None:
        raise ValueError(
            "RECEIVER_NAME must be letters, digits and . _ : / - alone, e.g. receiver.example.org, and the same as the "
            "scrapers' ENVOY_RECEIVER_NAME"
        )
    return name


def _check_page_address(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or url.username or url.query or url.fragment:
        raise ValueError(
            "RECEIVER_PUBLIC_URL must look like https://receiver.example.org, without user name, password or query"
        )
    return text.rstrip("/")


def _choose_default_store(values: dict[str, Any]) -> Sqlite:
    return Sqlite(values["state_dir"] / "readings.sqlite")


def _choose_default_keys_file(values: dict[str, Any]) -> Path:
    path: Path = values["state_dir"] / "keys"
    return path


def _choose_default_public_url(values: dict[str, Any]) -> str:
    host = values.get("host")
    return f"http://{'127.0.0.1' if host in _EVERYWHERE else host}:{values.get('port')}"


_Port = Annotated[int, Field(ge=0, le=65535)]
_Words = Annotated[tuple[str, ...], BeforeValidator(_split_words)]
_Networks = Annotated[
    tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_parse_networks), BeforeValidator(_split_words)
]
_StrongSecret = Annotated[SecretBytes, AfterValidator(_refuse_weakness)]


class ReceiverSettings(SettingsModel):
    """All settings of the receiver.

    Attributes:
        state_dir: Keys, the reader key and the list of reader tokens; 0700.
        store: Where readings are kept.
        meter_days: Days that raw meter readings are kept; 0 is without limit.
        minute_days: Days that minutes of meters and of the site are kept; 0 is without limit. Hours stay.
        secret: Household secret (HS256) for `gateways`, or None.
        legacy_secret: Lets the scraper of envoy-scrape post for `gateways`, or None.
        legacy_measurement: Whether envoy-scrape's measurement is written beside ours, into InfluxDB.
        gateways: Serials that the household secret and the legacy secret may write for.
        keys_file: Public keys of scrapers.
        name: What tokens must be addressed to, or None: tokens for any receiver are good here.
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

    PREFIX: ClassVar[str] = "RECEIVER_"

    state_dir: ExpandedPath = Path(RECEIVER_STATE_DIR)
    store: Sqlite | InfluxDB = Field(default_factory=_choose_default_store)
    meter_days: int = Field(90, ge=0, le=MOST_DAYS)
    minute_days: int = Field(60, ge=0, le=MOST_DAYS)
    secret: _StrongSecret = None
    legacy_secret: _StrongSecret = None
    legacy_measurement: bool = False
    gateways: Annotated[_Words, AfterValidator(_check_serials)] = ()
    keys_file: ExpandedPath = Field(default_factory=_choose_default_keys_file)
    name: Annotated[str | None, AfterValidator(_check_name)] = None
    sites_file: ExpandedPath | None = None
    read_secret: _StrongSecret = None
    host: str = "127.0.0.1"
    port: _Port = 8000
    status_host: str = "127.0.0.1"
    status_port: _Port = 8002
    trusted_proxies: _Words = ()
    open_live: _Networks = ()
    public_url: Annotated[str, AfterValidator(_check_page_address)] = Field(default_factory=_choose_default_public_url)
    gateway_rate: float = Field(200, ge=1)
    address_rate: float = Field(1000, ge=1)
    docs: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="after")
    def _check_secrets(self) -> Self:
        if self.secret is not None and self.secret == self.read_secret:
            raise ValueError(
                "RECEIVER_READ_SECRET equals RECEIVER_SECRET, so every scraper could make tokens that read: make "
                "another one with `openssl rand -hex 32`, or leave it out"
            )
        if self.legacy_secret is not None and self.legacy_secret in (self.secret, self.read_secret, DEMO_SECRET):
            raise ValueError(
                "RECEIVER_LEGACY_SECRET travels with every post of the old scraper, so it must be no other secret: "
                "make one of its own with `openssl rand -hex 32`"
            )
        if (self.secret == DEMO_SECRET and self.gateways != DEMO_GATEWAYS) or self.read_secret == DEMO_SECRET:
            raise ValueError(
                "RECEIVER_SECRET or RECEIVER_READ_SECRET is the published secret of the demo: make one of your own "
                "with `openssl rand -hex 32`"
            )
        return self

    @model_validator(mode="after")
    def _check_legacy_measurement(self) -> Self:
        if self.legacy_measurement and isinstance(self.store, Sqlite):
            raise ValueError(
                "RECEIVER_LEGACY_MEASUREMENT writes envoy-scrape's measurement into the receiver's InfluxDB, but "
                "RECEIVER_STORE is a file of SQLite: set RECEIVER_STORE=influxdb, or take the setting away"
            )
        return self

    @model_validator(mode="after")
    def _check_secret_and_gateways(self) -> Self:
        if self.legacy_secret is not None and not self.gateways:
            raise ValueError(
                "RECEIVER_LEGACY_SECRET is set without RECEIVER_GATEWAYS: it is good for the listed gateways only, so "
                "set both"
            )
        if (self.secret is None) == (not self.gateways) or self.legacy_secret is not None:
            return self
        given, missing = "RECEIVER_SECRET", "RECEIVER_GATEWAYS"
        if self.secret is None:
            given, missing = missing, given
        raise ValueError(
            f"{given} is set without {missing}: the secret is good for the listed gateways only, so set both"
        )
