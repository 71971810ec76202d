"""Where the receiver keeps readings, as people write it down, checked. `receiver.settings` reads the environment.

InfluxDB's settings have the names of its own client (`INFLUXDB_V2_*`); a token comes from a setting, from a file, or
from the directory into which `envoy-receiver setup` writes tokens.
"""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from receiver.errors import ReceiverSettingError

RECEIVER_TOKEN = "receiver"  # noqa: S105 (the name of a file)
GRAFANA_TOKEN = "grafana"  # noqa: S105 (the name of a file)
_SQLITE = "sqlite:///"


class InfluxEnvironment(BaseSettings):
    """The settings of InfluxDB as people write them."""

    model_config = SettingsConfigDict(
        env_prefix="INFLUXDB_", env_file=".env", extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    v2_url: str = "http://127.0.0.1:8086"
    v2_org: str = "home"
    v2_token: SecretStr | None = None
    v2_token_file: Path | None = None
    v2_bucket: str = "envoy"
    admin_user: str = "admin"
    admin_password: SecretStr | None = None
    admin_password_file: Path | None = None
    admin_token: SecretStr | None = None
    admin_token_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class InfluxSettings:
    """One InfluxDB 2.7.

    Attributes:
        url: Its base address, without a slash at the end.
        org: Name of the organisation that owns the buckets.
        token: What the receiver writes and reads with; None where none is set and none was written by `setup`.
        bucket: Everything but raw meter readings, for ever.
        live_bucket: Raw meter readings; may be the same bucket.
        tokens_dir: Where `setup` writes the tokens that it makes (`RECEIVER_TOKEN`, `GRAFANA_TOKEN`).
        admin_user: Name of the administrator that `setup` makes on a new server.
        admin_password: Password of that administrator; only `setup` needs it, and only on a new server.
        admin_token: All-access token; only `setup` needs it.
    """

    url: str
    org: str
    token: str | None = field(repr=False)
    bucket: str
    live_bucket: str
    tokens_dir: Path
    admin_user: str
    admin_password: str | None = field(repr=False)
    admin_token: str | None = field(repr=False)


def sqlite_path(store: str | None, state_dir: Path) -> Path | None:
    """File of the embedded store by RECEIVER_STORE; None for InfluxDB. Raises SettingError."""
    if store is None:
        return state_dir / "readings.sqlite"
    if store == "influxdb":
        return None
    if not store.startswith(_SQLITE) or len(store) == len(_SQLITE):
        raise ReceiverSettingError(
            "RECEIVER_STORE must be influxdb, or look like sqlite:///PATH (four slashes begin an absolute path)"
        )
    return Path(store.removeprefix(_SQLITE)).expanduser()


def influx_settings(raw: InfluxEnvironment, live_bucket: str | None, tokens_dir: Path) -> InfluxSettings:
    """InfluxDB's settings, checked. Raises SettingError."""
    return InfluxSettings(
        url=_url(raw.v2_url),
        org=raw.v2_org,
        token=_token(raw, tokens_dir),
        bucket=raw.v2_bucket,
        live_bucket=live_bucket or f"{raw.v2_bucket}_live",
        tokens_dir=tokens_dir,
        admin_user=raw.admin_user,
        admin_password=secret_text("INFLUXDB_ADMIN_PASSWORD", raw.admin_password, raw.admin_password_file),
        admin_token=secret_text("INFLUXDB_ADMIN_TOKEN", raw.admin_token, raw.admin_token_file),
    )


def secret_text(name: str, value: SecretStr | None, path: Path | None) -> str | None:
    """A secret given as `name`, or as the path `name`_FILE; None for neither. Raises SettingError."""
    if path is None:
        return None if value is None else value.get_secret_value().strip()
    try:
        text = path.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ReceiverSettingError(f"{name}_FILE: {path} cannot be read ({reason})") from error
    if not text:
        raise ReceiverSettingError(f"{name}_FILE: {path} is empty: put the secret into it, or take the setting away")
    return text


def _token(raw: InfluxEnvironment, tokens_dir: Path) -> str | None:
    """The receiver's token. A file that `setup` writes may be missing or spoiled: `setup` puts it right."""
    written = tokens_dir / RECEIVER_TOKEN
    named = raw.v2_token_file
    if named is None and raw.v2_token is None:
        named = written
    try:
        return secret_text("INFLUXDB_V2_TOKEN", raw.v2_token, named)
    except ReceiverSettingError:
        if named is None or named.expanduser() != written:
            raise
        return None


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or parts.username is not None or parts.query or parts.fragment:
        raise ReceiverSettingError(
            "INFLUXDB_V2_URL must look like http://influxdb:8086, without a password or a query in it"
        )
    return text.rstrip("/")
