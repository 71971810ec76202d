"""How a declared setting is found: in the environment and `.env`, or for a secret in the file that NAME_FILE names.

The variable of a setting is the prefix of its model and its name in capitals, unless `Variable` says otherwise.
pydantic-settings does the rest; this is a source of its own because the library's know no NAME_FILE, and because both
halves read the environment in one way (`shared.environment`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.environment import (
    UnreadableSettingError,
    explain_missing_home,
    explain_service_address,
    find_home,
    is_service_address,
    read_environment,
    read_secret_file,
)
from shared.local_settings import add_local_settings


@dataclass(frozen=True)
class Variable:
    """Names the variable of a setting, where prefix and field do not."""

    name: str


@dataclass(frozen=True)
class SecretFile:
    """A secret that is given as a file: the setting that names it, and its path."""

    setting: str
    path: Path


def read_secret(value: Any) -> Any:
    """The secret itself, also from its `SecretFile`. Raises ValueError if the file cannot be used."""
    if not isinstance(value, SecretFile):
        return value
    try:
        text = read_secret_file(value.setting, value.path)
    except UnreadableSettingError as error:
        raise ValueError(str(error)) from error
    if not text:
        raise ValueError(f"{value.setting}: {value.path} is empty: put the secret into it, or take the setting away")
    return text


def _find_home(path: Path) -> Path:
    try:
        return find_home("", path)
    except UnreadableSettingError as error:
        raise PydanticCustomError(_NO_HOME, "no home") from error


_NO_HOME = "no_home"
_READ = BeforeValidator(read_secret)
SecretText = Annotated[str | None, _READ, Field(repr=False)]
"""A secret, given as NAME or as NAME_FILE."""
SecretBytes = Annotated[bytes | None, _READ, Field(repr=False)]
"""The same, as bytes."""
ExpandedPath = Annotated[Path, AfterValidator(_find_home)]
"""A path in which ~ is the home directory."""


class SettingsModel(BaseModel):
    """Base of the declarations. Errors never show a value."""

    PREFIX: ClassVar[str] = ""
    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True
    )


def name_variable(model: type[BaseModel], name: str) -> str:
    """The variable that gives the field `name`."""
    named = [meta.name for meta in model.model_fields[name].metadata if isinstance(meta, Variable)]
    prefix: str = getattr(model, "PREFIX", "")
    return named[0] if named else f"{prefix}{name.upper()}"


def list_variables(model: type[BaseModel]) -> Iterator[str]:
    """All variables that a model is read from, in the order of its fields."""
    for name, field in model.model_fields.items():
        yield name_variable(model, name)
        if _is_secret(field):
            yield f"{name_variable(model, name)}_FILE"


def explain_problems(model: type[BaseModel], error: ValidationError) -> Iterator[str]:
    """A sentence for each problem: the setting's name and what is expected, never the value."""
    for problem in error.errors(include_input=False, include_url=False):
        if problem["type"] == "default_factory_not_called":
            continue  # a default that rests on the settings that the other sentences are about
        if problem["type"] == "value_error":  # raised by our own validators, which name the setting
            yield str(problem["ctx"]["error"])
            continue
        field = str(problem["loc"][0])
        name = name_variable(model, field)
        if is_service_address(read_environment().get(name, "")):
            yield explain_service_address(name)
        elif problem["type"] == _NO_HOME:
            yield explain_missing_home(name)
        else:
            yield f"{name} must be {_describe_values(model.model_fields[field])}"


def _describe_values(field: FieldInfo) -> str:
    """What a value must be, to complete "NAME must be ..."."""
    kind: Any = next((one for one in get_args(field.annotation) if one is not type(None)), field.annotation)
    for one in (field.annotation, kind):  # a setting that may be left out is one of a type or None
        if get_origin(one) is Literal:
            return "one of " + ", ".join(get_args(one))
    if kind is bool:
        return "true or false"
    if kind in (int, float):
        least = next((str(bound.ge) for bound in field.metadata if isinstance(bound, Ge)), None)
        most = next((str(bound.le) for bound in field.metadata if isinstance(bound, Le)), None)
        bounds = f"from {least} to {most}" if least and most else f"of at least {least}" if least else ""
        return f"a {'whole ' if kind is int else ''}number {bounds}".rstrip()
    return "a path" if kind is Path else "text"


class EnvironmentModel(BaseSettings):
    """Makes a model that is declared elsewhere read the environment; what is passed to it are further defaults."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the library passes all of its own)
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first."""
        return _EnvironmentSource(settings_cls), init_settings


class _EnvironmentSource(PydanticBaseSettingsSource):
    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        self._environment = add_local_settings(read_environment(), "RECEIVER_STATE_DIR")

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = name_variable(self.settings_cls, field_name)
        path = self._environment.get(f"{name}_FILE") if _is_secret(field) else None
        value = SecretFile(f"{name}_FILE", Path(path)) if path else self._environment.get(name) or None
        return value, field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields.items()
        found = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in found.items() if value is not None}


def _is_secret(field: FieldInfo) -> bool:
    return _READ in field.metadata
