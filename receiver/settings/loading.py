"""Reads the environment, `.env` and files of secrets, once, at start, and checks everything.

Errors name the setting and the remedy, never the value. An empty value counts as not set.
"""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError, ValidationInfo, field_validator

from receiver.errors import ReceiverSettingError
from receiver.settings.contacts import ContactSettings
from receiver.settings.declarations import ReceiverSettings
from receiver.settings.imports import ImportSettings
from receiver.settings.outputs import EmonCmsSettings, LinesSettings, MqttSettings, OutputSettings, PvOutputSettings
from receiver.settings.source import EnvironmentModel, explain_problems, list_variables
from receiver.settings.stores import InfluxDB, Sqlite
from shared.environment import (
    UnreadableSettingError,
    find_home,
    find_unknown_settings,
    read_environment,
)
from shared.local_settings import add_local_settings

MODELS = (
    ReceiverSettings,
    InfluxDB,
    ContactSettings,
    LinesSettings,
    EmonCmsSettings,
    PvOutputSettings,
    MqttSettings,
)
_SQLITE = "sqlite:///"
_INFLUXDB = "influxdb"
_ReadT = TypeVar("_ReadT", bound=EnvironmentModel)


class _InfluxEnvironment(EnvironmentModel, InfluxDB):
    """The settings of InfluxDB as people write them."""


class _ContactEnvironment(EnvironmentModel, ContactSettings):
    """The settings of contacts as people write them."""


class _LinesEnvironment(EnvironmentModel, LinesSettings):
    """The settings of the output of line protocol as people write them."""


class _EmonCmsEnvironment(EnvironmentModel, EmonCmsSettings):
    """The settings of the output to EmonCMS as people write them."""


class _PvOutputEnvironment(EnvironmentModel, PvOutputSettings):
    """The settings of the output to PVOutput as people write them."""


class _MqttEnvironment(EnvironmentModel, MqttSettings):
    """The settings of the output to a broker as people write them."""


class _ImportEnvironment(EnvironmentModel, ImportSettings):
    """The settings of an import as people write them."""


class _ReceiverEnvironment(EnvironmentModel, ReceiverSettings):
    """The settings of the receiver as people write them."""

    @field_validator("store", mode="before")
    @classmethod
    def _choose_store(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        if value == _INFLUXDB:
            return _read(_InfluxEnvironment, tokens_dir=info.data.get("state_dir", Path()) / "tokens")
        if not value.startswith(_SQLITE) or len(value) == len(_SQLITE):
            raise ValueError(
                "RECEIVER_STORE must be influxdb, or look like sqlite:///PATH (four slashes begin an absolute path)"
            )
        try:
            return Sqlite(find_home("RECEIVER_STORE", Path(value.removeprefix(_SQLITE))))
        except UnreadableSettingError as error:
            raise ValueError(str(error)) from error


def list_known_settings() -> list[str]:
    """The names of all settings of the receiver, in the order of their declarations."""
    return [name for model in MODELS for name in list_variables(model)]


def load() -> ReceiverSettings:
    """Read and check the settings. Raises ReceiverSettingError, one line per problem."""
    _refuse_unknown()
    return _read(_ReceiverEnvironment)


def load_contacts() -> ContactSettings:
    """Read and check who hears of alarms. Raises ReceiverSettingError, one line per problem."""
    _refuse_unknown()
    return _read(_ContactEnvironment)


def load_import() -> ImportSettings:
    """Read and check the login at what is imported. Raises ReceiverSettingError, one line per problem."""
    return _read(_ImportEnvironment)


def load_outputs() -> OutputSettings:
    """Read and check where outputs go. Raises ReceiverSettingError, one line per problem."""
    _refuse_unknown()
    return OutputSettings(
        lines=_read(_LinesEnvironment),
        emoncms=_read(_EmonCmsEnvironment),
        pvoutput=_read(_PvOutputEnvironment),
        mqtt=_read(_MqttEnvironment),
    )


def _refuse_unknown() -> None:
    try:
        environment = add_local_settings(read_environment(), "RECEIVER_STATE_DIR")
    except UnreadableSettingError as error:
        raise ReceiverSettingError(str(error)) from error
    problems = find_unknown_settings(environment, list_known_settings(), ReceiverSettings.PREFIX, "receiver")
    if found := list(problems):
        raise ReceiverSettingError("\n".join(found))


def _read(model: type[_ReadT], **defaults: Any) -> _ReadT:
    try:
        return model(**defaults)
    except ValidationError as error:
        raise ReceiverSettingError("\n".join(explain_problems(model, error))) from None
