"""The settings of the scraper, each declared once: its name, type, range and default.

The variable of a setting is the prefix of its group and its name in capitals: `GatewaySettings.serial` is ENVOY_SERIAL,
`UplinkSettings.url` is ENVOY_RECEIVER_URL. A `Secret` may be given as NAME or as NAME_FILE, a path. Where a value must
have a form, the `description` of its type completes the sentence "NAME must be ...". What settings must be together is
in `scraper.settings.checks`. The groups are plain values: parts of the scraper receive them as they are.

They are msgspec structs because pydantic would cost the running scraper 14 MiB.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from scraper.errors import ScraperSettingError
from scraper.settings.secret import Secret
from shared.audience import NAME_PATTERN
from shared.environment import SCRAPER_STATE_DIR, UnreadableSettingError, find_home
from shared.keys import SERIAL_PATTERN

DISCOVER = "discover"
"""As ENVOY_HOST: look for the gateway with mDNS, in a container too (it must share the network of its host)."""
_MIB = 1024 * 1024

Port = Annotated[int, Meta(ge=1, le=65535)]
Serial = Annotated[
    str, Meta(pattern=f"^{SERIAL_PATTERN}$", description="a serial number, e.g. 122300001234 (letters, digits and -)")
]
ReceiverName = Annotated[
    str,
    Meta(
        pattern=f"^{NAME_PATTERN}$",
        description="the receiver's RECEIVER_NAME, e.g. receiver.example.org (letters, digits and . _ : / -)",
    ),
]
Fingerprint = Annotated[
    str, Meta(pattern="^(?:[0-9A-Fa-f]{2}:?){32}$", description="a SHA-256 fingerprint of 64 hexadecimal digits")
]
Duration = Annotated[
    timedelta, Meta(description="a time such as PT3H, or a number of seconds (ISO 8601: hours H, minutes M)")
]


def _choose_state_directory() -> Path:
    try:
        return find_home("ENVOY_STATE_DIR", Path(SCRAPER_STATE_DIR))
    except UnreadableSettingError as error:
        raise ScraperSettingError(str(error)) from error


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the gateway is and how to log in."""

    PREFIX: ClassVar[str] = "ENVOY_"

    host: str | None = None
    serial: Serial | None = None
    token: Secret = msgspec.field(default_factory=Secret)
    cloud_username: Secret = msgspec.field(default_factory=Secret)
    cloud_password: Secret = msgspec.field(default_factory=Secret)
    cloud_url: str = "https://enlighten.enphaseenergy.com"
    token_url: str = "https://entrez.enphaseenergy.com"  # noqa: S105 (an address)
    installer_password: Secret = msgspec.field(default_factory=Secret)
    tls_trust: Literal["pin", "any"] = "pin"
    tls_fingerprint: Fingerprint | None = None
    keep_alive: bool = True
    http_port: Port = 80
    https_port: Port = 443

    @property
    def address(self) -> str | None:
        """The gateway's name or address; None where it is to be looked for."""
        return None if self.host == DISCOVER else self.host


class CloudSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A system that is read through Enphase's API, where ENVOY_SOURCE is `cloud`: which, and what the plan allows.

    `devices` is a list such as `/4711023/inv/sys=roof, /4711023/met/sys=meter`; empty: both, named by their types.
    """

    PREFIX: ClassVar[str] = "ENVOY_CLOUD_"

    system: Annotated[int, Meta(ge=1, le=10**12, description="the system's number, e.g. 4711023")] | None = None
    api_key: Secret = msgspec.field(default_factory=Secret)
    client_id: Secret = msgspec.field(default_factory=Secret)
    client_secret: Secret = msgspec.field(default_factory=Secret)
    api_url: str = "https://api.enphaseenergy.com"
    devices: str = ""
    max_lag: Duration = timedelta(hours=3)
    month: Annotated[int, Meta(ge=1, le=10_000_000)] = 1000
    minute: Annotated[int, Meta(ge=1, le=100_000)] = 10


class UplinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where readings go and what signs for them: `secret`, or without one the key (`ScraperSettings.key_file`)."""

    PREFIX: ClassVar[str] = "ENVOY_RECEIVER_"

    url: str
    name: ReceiverName | None = None
    secret: Secret = msgspec.field(default_factory=Secret)
    key_file: Path | None = None
    ca_file: Path | None = None
    insecure: bool = False


class ScraperSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of the scraper. Intervals in seconds, the dead-band in multiples of the default bands.

    `receiver` is None where no receiver is configured yet: `check`, `read` and `password` work without one.
    """

    PREFIX: ClassVar[str] = "ENVOY_"

    gateway: GatewaySettings
    receiver: UplinkSettings | None
    cloud: CloudSettings = msgspec.field(default_factory=CloudSettings)
    source: Literal["gateway", "cloud"] = "gateway"
    inverter_interval: Annotated[float, Meta(ge=10, le=3600)] = 60
    meter_source: Literal["auto", "stream", "poll", "off"] = "auto"
    meter_interval: Annotated[float, Meta(ge=1, le=300)] = 5
    dead_band: Annotated[float, Meta(ge=0, le=10)] = 1
    post_interval: Annotated[float, Meta(ge=1, le=300)] = 10
    state_dir: Path = msgspec.field(default_factory=_choose_state_directory)
    outbox_quota_mib: Annotated[int, Meta(ge=8, le=1_000_000)] = 512
    status_host: str = "127.0.0.1"
    status_port: Annotated[int, Meta(ge=0, le=65535)] = 8001
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def outbox_quota_bytes(self) -> int:
        """The size that the outbox may reach."""
        return self.outbox_quota_mib * _MIB

    @property
    def key_file(self) -> Path:
        """Where this scraper's own key lies."""
        chosen = None if self.receiver is None else self.receiver.key_file
        return chosen or self.state_dir / "key"
