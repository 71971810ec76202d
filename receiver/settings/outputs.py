"""Where outputs go, one model for each target. An output is used when its address is set."""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator

from receiver.settings.source import ExpandedPath, SecretText, SettingsModel, name_variable


def is_this_machine(host: str) -> bool:
    """Whether what is said to a host never leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_plain_address(text: str, schemes: frozenset[str] = frozenset({"http", "https"}), *, path: bool = True) -> bool:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    extra = parts.query or parts.fragment or (not path and parts.path.strip("/"))
    return fits and parts.username is None and not extra


class TargetSettings(SettingsModel):
    """What every output over HTTP has.

    Attributes:
        url: Base address of the target, without a slash at the end; None: the output is not used.
        insecure: Whether plain http to another machine is wanted.
    """

    url: str | None = None
    insecure: bool = False

    @field_validator("url")
    @classmethod
    def _check_address(cls, url: str | None) -> str | None:
        if url is not None and not _is_plain_address(url):
            raise ValueError(
                f"{name_variable(cls, 'url')} must look like https://influx.lan:8086, without a password or a query"
            )
        return None if url is None else url.rstrip("/")

    @model_validator(mode="after")
    def _refuse_open_line(self) -> Self:
        plain = self.url is not None and self.url.startswith("http:")
        if plain and not self.insecure and not is_this_machine(urlsplit(self.url or "").hostname or ""):
            raise ValueError(
                f"{name_variable(type(self), 'url')} is plain http to another machine: anybody on the way could read "
                f"your data and the login; use https, or set {name_variable(type(self), 'insecure')}=true if that "
                "network is yours alone"
            )
        return self


class LinesSettings(TargetSettings):
    """A database that takes line protocol, as a mirror of every reading.

    Attributes:
        dialect: Which one it is.
        database: Its database, or bucket.
        org: Organisation (InfluxDB 2).
        username: Account, where it wants one.
        password: Of that account.
        token: Where it wants a token instead.
        ca_file: Certificate of its authority, where that is your own.
    """

    PREFIX: ClassVar[str] = "RECEIVER_LINES_"

    dialect: Literal["influxdb1", "influxdb2", "influxdb3", "victoriametrics", "questdb", "telegraf"] | None = None
    database: str = "envoy"
    org: str = "home"
    username: str | None = None
    password: SecretText = None
    token: SecretText = None
    ca_file: ExpandedPath | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.url is None:
            return self
        if self.dialect is None:
            raise ValueError(
                "RECEIVER_LINES_URL is set without RECEIVER_LINES_DIALECT: set it to influxdb1, influxdb2, influxdb3, "
                "victoriametrics, questdb or telegraf"
            )
        if (self.username is None) != (self.password is None):
            raise ValueError("RECEIVER_LINES_USERNAME and RECEIVER_LINES_PASSWORD belong together: set both, or none")
        if self.username is not None and self.token is not None:
            raise ValueError("RECEIVER_LINES_TOKEN and RECEIVER_LINES_USERNAME are both set: remove one of them")
        return self


class EmonCmsSettings(TargetSettings):
    """An EmonCMS, of one's own or emoncms.org.

    Attributes:
        api_key: The read & write key of the account.
        ca_file: Certificate of its authority, where that is your own.
    """

    PREFIX: ClassVar[str] = "RECEIVER_EMONCMS_"

    api_key: SecretText = None
    ca_file: ExpandedPath | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.url is not None and self.api_key is None:
            raise ValueError(
                "RECEIVER_EMONCMS_URL is set without RECEIVER_EMONCMS_API_KEY: set it to the read & write key"
            )
        return self


class PvOutputSettings(TargetSettings):
    """PVOutput. It is used when the key is set.

    Attributes:
        url: Its base address.
        api_key: A key that may write.
    """

    PREFIX: ClassVar[str] = "RECEIVER_PVOUTPUT_"

    url: str | None = "https://pvoutput.org"
    api_key: SecretText = None


class MqttSettings(SettingsModel):
    """A broker that gets the latest states.

    Attributes:
        url: mqtt://HOST:PORT, or mqtts:// with TLS; None: the output is not used.
        username: Account, where the broker wants one.
        password: Of that account.
        ca_file: Certificate of its authority, where that is your own.
        topic: Under which all states are.
        discovery: Under which Home Assistant looks for descriptions; `off`: none are published.
        interval: How often (seconds) states are published.
        insecure: Whether a line without TLS to another machine is wanted.
    """

    PREFIX: ClassVar[str] = "RECEIVER_MQTT_"

    url: str | None = None
    username: str | None = None
    password: SecretText = None
    ca_file: ExpandedPath | None = None
    topic: str = "envoy"
    discovery: str = "homeassistant"
    interval: int = Field(10, ge=1, le=60)
    insecure: bool = False

    @field_validator("url")
    @classmethod
    def _check_broker(cls, url: str | None) -> str | None:
        if url is not None and not _is_plain_address(url, frozenset({"mqtt", "mqtts"}), path=False):
            raise ValueError("RECEIVER_MQTT_URL must look like mqtts://broker.lan:8883, without a password or a path")
        return None if url is None else url.rstrip("/")

    @field_validator("topic", "discovery")
    @classmethod
    def _check_topic(cls, topic: str, info: ValidationInfo) -> str:
        if re.fullmatch(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", topic) is None:
            name = name_variable(cls, info.field_name or "")
            raise ValueError(f"{name} must be letters, digits, '_', '.' and '-', with '/' only between them")
        return topic

    @field_validator("topic")
    @classmethod
    def _refuse_emon(cls, topic: str) -> str:
        if f"{topic}/".startswith("emon/"):
            raise ValueError(
                "RECEIVER_MQTT_TOPIC must not be emon nor below it: EmonCMS listens there, and would record what is "
                "retained again at each connection"
            )
        return topic

    @model_validator(mode="after")
    def _refuse_open_broker(self) -> Self:
        plain = self.url is not None and self.url.startswith("mqtt:")
        if plain and not self.insecure and not is_this_machine(urlsplit(self.url or "").hostname or ""):
            raise ValueError(
                "RECEIVER_MQTT_URL has no TLS and leads to another machine: anybody on the way could read your data "
                "and the login; use mqtts, or set RECEIVER_MQTT_INSECURE=true if that network is yours alone"
            )
        if self.password is not None and self.username is None:
            raise ValueError("RECEIVER_MQTT_PASSWORD is set without RECEIVER_MQTT_USERNAME: set both, or none")
        return self


@dataclass(frozen=True)
class OutputSettings:
    """The settings of all outputs."""

    lines: LinesSettings = field(default_factory=LinesSettings)
    emoncms: EmonCmsSettings = field(default_factory=EmonCmsSettings)
    pvoutput: PvOutputSettings = field(default_factory=PvOutputSettings)
    mqtt: MqttSettings = field(default_factory=MqttSettings)
