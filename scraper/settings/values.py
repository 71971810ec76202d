"""From text to the declared values: each setting of a group is converted by its declared type.

Messages are made from the declaration, because those of msgspec may quote the value.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from scraper.settings.secret import Secret
from shared.environment import UnreadableSettingError, explain_service_address, find_home, is_service_address

GroupT = TypeVar("GroupT", bound=msgspec.Struct)

_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on", "t", "y"), True),
    **dict.fromkeys(("false", "0", "no", "off", "f", "n"), False),
}


def list_setting_names(group: type[msgspec.Struct]) -> Iterator[str]:
    """The variables that the settings of a group are read from; groups inside it are left out."""
    for field in _list_settings(group):
        name = _name_variable(group, field)
        yield name
        if field.type is Secret:
            yield f"{name}_FILE"


def convert_group(group: type[msgspec.Struct], environment: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    """The values of a group that are set, by name of the field; `problems` gets a sentence for each wrong one."""
    values: dict[str, Any] = {}
    for field in _list_settings(group):
        name = _name_variable(group, field)
        if field.type is Secret:
            values[field.name] = _make_secret(name, environment, problems)
        elif text := environment.get(name):
            try:
                values[field.name] = _convert(name, text, field.type)
            except UnreadableSettingError as error:
                problems.append(str(error))
            except msgspec.ValidationError:
                problems.append(
                    explain_service_address(name)
                    if is_service_address(text)
                    else f"{name} must be {_describe(field.type)}"
                )
    return values


def build_group(group: type[GroupT], values: Mapping[str, Any]) -> GroupT | None:
    """The group, or None if a setting without a default is not set."""
    if any(field.required and field.name not in values for field in _list_settings(group)):
        return None
    return group(**values)


def _list_settings(group: type[msgspec.Struct]) -> Iterator[FieldInfo]:
    """The fields of a group that are settings, not groups."""
    for field in msgspec.structs.fields(group):
        types = get_args(field.type) or (field.type,)
        if not any(isinstance(one, type) and issubclass(one, msgspec.Struct) and one is not Secret for one in types):
            yield field


def _name_variable(group: Any, field: FieldInfo) -> str:
    return f"{group.PREFIX}{field.name.upper()}"


def _make_secret(name: str, environment: Mapping[str, str], problems: list[str]) -> Secret:
    path = environment.get(f"{name}_FILE")
    try:
        return Secret(name, environment.get(name) or None, find_home(f"{name}_FILE", Path(path)) if path else None)
    except UnreadableSettingError as error:
        problems.append(str(error))
        return Secret(name)


def _convert(name: str, text: str, declared: Any) -> Any:
    # msgspec knows only true, false, 1 and 0
    value = _BOOLEANS.get(text.lower(), text) if declared is bool else text
    return msgspec.convert(value, type=declared, strict=False, dec_hook=lambda kind, path: find_home(name, kind(path)))


def _describe(declared: Any) -> str:
    """What a value must be, to complete "NAME must be ..."."""
    kind, bounds = declared, msgspec.Meta()
    while get_args(kind) and get_origin(kind) is not Literal:  # out of `... | None` and of Annotated
        bounds = next((meta for meta in getattr(kind, "__metadata__", ()) if isinstance(meta, msgspec.Meta)), bounds)
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    if kind is bool:
        return "true or false"
    if bounds.description is not None:
        return bounds.description
    return f"a {'whole ' if kind is int else ''}number from {bounds.ge} to {bounds.le}"
