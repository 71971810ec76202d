"""Where the receiver keeps readings: in one file, or in an InfluxDB.

InfluxDB's settings have the names of its own client (`INFLUXDB_V2_*`); a token comes from a setting, from a file, or
from the directory into which `envoy-receiver setup` writes tokens.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from receiver.settings.source import ExpandedPath, SecretFile, SecretText, SettingsModel, Variable, read_secret
from shared.environment import UnreadableSettingError, find_home

RECEIVER_TOKEN = "receiver"  # noqa: S105 (the name of a file)
GRAFANA_TOKEN = "grafana"  # noqa: S105 (the name of a file)


@dataclass(frozen=True)
class Sqlite:
    """The embedded store, in the file `path`."""

    path: Path

    @property
    def description(self) -> str:
        """Where the readings are, for people."""
        return str(self.path)


def _check_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or parts.username is not None or parts.query or parts.fragment:
        raise ValueError("INFLUXDB_V2_URL must look like http://influxdb:8086, without a password or a query in it")
    return text.rstrip("/")


def _choose_default_live_bucket(values: dict[str, Any]) -> str:
    return f"{values['bucket']}_live"


def _choose_default_grafana_tokens_dir(values: dict[str, Any]) -> Path:
    folder: Path = values["tokens_dir"]
    return folder


def _find_path(file: SecretFile) -> Path:
    try:
        return find_home(file.setting, file.path)
    except UnreadableSettingError as error:
        raise ValueError(str(error)) from error


class InfluxDB(SettingsModel):
    """One InfluxDB 2.7.

    Attributes:
        url: Its base address, without a slash at the end.
        org: Name of the organisation that owns the buckets.
        bucket: Everything but raw meter readings, without limit.
        live_bucket: Raw meter readings; may be the same bucket.
        tokens_dir: Where `setup` writes the token that it makes for the receiver (`RECEIVER_TOKEN`).
        grafana_tokens_dir: Where it writes Grafana's (`GRAFANA_TOKEN`), so that Grafana can be given that one alone.
        token: What the receiver writes and reads with; None where none is set and `setup` has written none.
        admin_user: Name of the administrator that `setup` makes on a new server.
        admin_password: Password of that administrator; only `setup` needs it, and only on a new server.
        admin_token: All-access token; only `setup` needs it.
    """

    PREFIX: ClassVar[str] = "INFLUXDB_"

    url: Annotated[str, Variable("INFLUXDB_V2_URL"), AfterValidator(_check_address)] = "http://127.0.0.1:8086"
    org: Annotated[str, Variable("INFLUXDB_V2_ORG")] = "home"
    bucket: Annotated[str, Variable("INFLUXDB_V2_BUCKET")] = "envoy"
    live_bucket: Annotated[str, Variable("RECEIVER_LIVE_BUCKET")] = Field(default_factory=_choose_default_live_bucket)
    tokens_dir: Annotated[ExpandedPath, Variable("RECEIVER_TOKENS_DIR")]
    grafana_tokens_dir: Annotated[ExpandedPath, Variable("GRAFANA_TOKENS_DIR")] = Field(
        default_factory=_choose_default_grafana_tokens_dir
    )
    token: Annotated[SecretText, Variable("INFLUXDB_V2_TOKEN")] = None
    admin_user: str = "admin"
    admin_password: SecretText = None
    admin_token: SecretText = None

    @property
    def description(self) -> str:
        """Where the readings are, for people."""
        return f"buckets {self.bucket} and {self.live_bucket} at {self.url}"

    @property
    def bucket_names(self) -> tuple[str, ...]:
        """Each bucket once: the main one first, then the live one if it is another."""
        return tuple(dict.fromkeys((self.bucket, self.live_bucket)))

    @field_validator("token", mode="before")
    @classmethod
    def _find_written_token(cls, value: Any, info: ValidationInfo) -> Any:
        """A file that `setup` writes may be missing or damaged: `setup` puts it right."""
        if "tokens_dir" not in info.data:
            return value  # that it is wrong is said already
        written = SecretFile("INFLUXDB_V2_TOKEN_FILE", info.data["tokens_dir"] / RECEIVER_TOKEN)
        chosen = written if value is None else value
        if not isinstance(chosen, SecretFile) or _find_path(chosen) != written.path:
            return value
        try:
            return read_secret(written)
        except ValueError:
            return None
