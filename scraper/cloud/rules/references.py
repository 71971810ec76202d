"""SolarNetwork's value references, and the sources that their values go to. Pure.

`/{systemId}/{deviceType}/{deviceId}/{field}` names a value; `{name}` in it is replaced by a placeholder. With a map of
sources only the devices in it are generated, under the names of the map; without one each device has a source of its
own below the stream's.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from scraper.errors import WrongUseError

INVERTERS = "inv"
METERS = "met"
_TYPES = {"inv": INVERTERS, "inverter": INVERTERS, "met": METERS, "meter": METERS}
_REFERENCE = re.compile(r"/([^/]+)/([^/]+)/([^/]+)/(.+)")
_DEVICE = re.compile(r"/([^/]+)/([^/]+)/([^/]+)")
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_SYSTEM = "sys"
"""The only device whose values can be asked for: the type as a whole."""


class Reference(NamedTuple):
    """A value of the cloud."""

    system_id: int
    device_type: str
    device_id: str
    field: str

    @property
    def device(self) -> str:
        """The key that a map of sources has for it."""
        return f"/{self.system_id}/{self.device_type}/{self.device_id}"

    @property
    def is_readable(self) -> bool:
        """Whether the cloud can be asked for it."""
        return self.device_id == _SYSTEM


def parse_reference(text: str) -> Reference | None:
    """A reference without placeholders; None for what is no reference, or names a type that nobody knows.

    Raises:
        WrongUseError: Its system is not a number.
    """
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return None
    system, kind, device, field = found.groups()
    if (device_type := _TYPES.get(kind.lower())) is None:
        return None
    return Reference(_read_system(system), device_type, device, field)


def parse_source_map(value: object) -> dict[str, str] | None:
    """A map of sources, as an object or as the text `k=v, k=v`; None if there is none.

    Raises:
        WrongUseError: It is something else.
    """
    if value is None or value in ("", {}):
        return None
    if isinstance(value, str):
        pairs = (part.split("=", 1) for part in value.split(",") if "=" in part)
        return {_name_device(key.strip()): source.strip() for key, source in pairs}
    if isinstance(value, Mapping) and all(isinstance(source, str) for source in value.values()):
        return {_name_device(str(key)): source for key, source in value.items()}
    raise WrongUseError("sourceIdMap must be an object of texts, or a text like /4711023/inv/sys=roof")


def list_references(
    text: str, placeholders: Mapping[str, str], source_map: Mapping[str, str] | None
) -> Iterator[Reference]:
    """What a reference stands for: one for each device of the map, else one for the placeholders alone."""
    seen = set()
    for chosen in _list_placeholders(placeholders, source_map):
        filled = _PLACEHOLDER.sub(lambda name, chosen=chosen: chosen.get(name[1], name[0]), text)  # type: ignore[misc]  # mypy sees no type of a default
        found = parse_reference(filled)
        if found is not None and found not in seen:
            seen.add(found)
            yield found


def find_source(
    reference: Reference, source_map: Mapping[str, str] | None, *, source_id: str, upper_case: bool
) -> str | None:
    """The source of a value; None if it is not in the map, so that it is neither asked for nor generated."""
    if source_map is not None:
        return source_map.get(reference.device)
    source = f"{source_id}{reference.device}"
    return source.upper() if upper_case else source


def list_sources(source_map: Mapping[str, str] | None, source_id: str) -> tuple[str, ...]:
    """The sources that a stream says it has."""
    return (source_id,) if source_map is None else tuple(dict.fromkeys(source_map.values()))


def _list_placeholders(
    placeholders: Mapping[str, str], source_map: Mapping[str, str] | None
) -> Sequence[Mapping[str, str]]:
    if source_map is None:
        return (placeholders,)
    # the device is the third part of a key; SolarNetwork takes the second, against what its page says
    return [
        {**placeholders, "systemId": found[1], "deviceId": found[3]}
        for key in source_map
        if (found := _DEVICE.fullmatch(key))
    ]


def _name_device(key: str) -> str:
    """The key of a map in the one form that is looked for: `Inverter` is `inv`."""
    found = _DEVICE.fullmatch(key)
    kind = None if found is None else _TYPES.get(found[2].lower())
    return key if found is None or kind is None else f"/{found[1]}/{kind}/{found[3]}"


def _read_system(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise WrongUseError(
            "the system of a value reference must be a number, as in /4711023/inv/sys/W; where it is a placeholder, "
            "the stream's placeholders or its sourceIdMap must say it"
        )
    return int(text)
