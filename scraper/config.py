"""The settings as the scraper's parts take them: plain values, checked before they get here.

A secret may be given as a value or as a file: files are read each time the secret is needed, so a token that was
pasted into a file works at the next login without a restart.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import msgspec

from scraper.errors import ScraperSettingError

MIN_SECRET_BYTES = 32
"""Bytes of the household secret, at least."""


class Secret(msgspec.Struct, frozen=True):
    """Reads one secret when called; shows nothing when printed.

    Attributes:
        setting: The name of the setting that names the file, for errors.
        value: The secret itself, or None.
        path: A file that holds it and wins over `value`, or None.
    """

    setting: str
    value: str | None
    path: str | None

    def __call__(self) -> str | None:
        """The secret as it is now, or None. Raises SettingError if its file cannot be read."""
        if self.path is None:
            return self.value
        try:
            return Path(self.path).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ScraperSettingError(f"{self.setting}: {self.path} cannot be read ({reason})") from error

    def __repr__(self) -> str:
        return f"Secret({self.setting})"


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the gateway is and how to log in. Ports and addresses as configured; secrets as readers."""

    host: str | None
    serial: str | None
    token: Secret
    cloud_username: Secret
    cloud_password: Secret
    cloud_url: str
    token_url: str
    installer_password: Secret
    tls_trust: Literal["pin", "any"]
    tls_fingerprint: str | None
    keep_alive: bool
    http_port: int
    https_port: int


class UplinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where readings go and what signs for them: `secret`, or without one the key in `key_file`."""

    url: str
    secret: Secret | None
    key_file: Path
    ca_file: Path | None


class ScraperSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the scraper was told. Intervals in seconds, the quota in bytes.

    `receiver` is None where no receiver is configured yet: `check`, `read` and `password` work without one.
    """

    gateway: GatewaySettings
    receiver: UplinkSettings | None
    inverter_interval: float
    meter_source: Literal["auto", "stream", "poll", "off"]
    meter_interval: float
    dead_band: float
    post_interval: float
    state_dir: Path
    outbox_quota: int
    status_host: str
    status_port: int
    log_level: str


def encode(settings: ScraperSettings) -> bytes:
    """The settings as JSON, secrets included: for a private pipe only."""
    return msgspec.json.encode(settings, enc_hook=str)


def load_lean() -> ScraperSettings:
    """The settings, read and checked by a short-lived process of their own. Raises SettingError."""
    child = subprocess.run([sys.executable, "-m", "scraper.settings"], capture_output=True, check=False)
    if child.returncode != 0:
        raise ScraperSettingError(child.stderr.decode(errors="replace").strip())
    return msgspec.json.decode(child.stdout, type=ScraperSettings, dec_hook=_path)


def _path(expected: type, value: Any) -> Any:
    return expected(value)
