"""Bytes of the sites file to `Sites`, or sentences that name the gateway, the key and the remedy. Pure."""

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from receiver.sites import plain_yaml
from receiver.sites.cloud_links import find_wrong_links
from receiver.sites.destinations import find_wrong_places
from receiver.sites.houses import find_contradictions
from receiver.sites.model import (
    Location,
    MeterCorrection,
    Serial,
    Site,
    SiteOutputs,
    SitePanel,
    Sites,
    Tariff,
    list_time_zones,
)
from receiver.sites.output_keys import SiteEmonCms, SitePvOutput

MAX_BYTES = 512 * 1024
"""A larger file is refused: thousands of panels fit, and reading it again must not hold up what is being received."""

_MUST: Mapping[str, str] = MappingProxyType({
    "name": "must be a text of 1 to 100 characters on one line",
    "site": "must be a text of 1 to 100 characters on one line, without /",
    "array": "must be a text of 1 to 100 characters on one line",
    "time_zone": "must be an IANA name such as Europe/Berlin",
    "location": "must have latitude and longitude, e.g. {latitude: 52.52, longitude: 13.40}",
    "latitude": "must be degrees from -90 to 90, north positive, with a decimal point",
    "longitude": "must be degrees from -180 to 180, east positive, with a decimal point",
    "netting": "must be sum (netted over the phases) or phases (each phase billed)",
    "meters": "must be meter names with their corrections, e.g. net-consumption: {reversed: [a]}",
    "role": "must be production, pv3p, net-consumption, total-consumption, storage or ignore",
    "reversed": "must be a list of phases, e.g. [a, c]",
    "panels": 'must be serial numbers of inverters with what is known of each, e.g. "482300001111": {name: East 1}',
    "row": "must be a whole number from 1",
    "column": "must be a whole number from 1",
    "azimuth": "must be degrees from 0 to 360, clockwise from north (180 is south)",
    "tilt": "must be degrees from 0 (flat) to 90 (upright)",
    "rated_watts": "must be watts above 0, at most 10000",
    "tariffs": "must be a list, each with '- valid_from:' and 'rates:'",
    "valid_from": "must be a date such as 2026-01-31",
    "rates": "must be a price, or a price for every hour of the day once, e.g. {6-22: 0.34, 22-6: 0.21}",
    "feed_in": "must be a price per kWh, with a decimal point",
    "currency": "must be a code of three capital letters such as EUR",
    "outputs": "must be what goes where, e.g. {lines: false}",
    "lines": "must be true or false",
    "emoncms": "must be the nodes there, e.g. {node: envoy, panels: envoy-panels, interval: 10}",
    "pvoutput": "must be the system there, e.g. {system: 12345, interval: 5}",
    "system": "must be the number of the system, as its page at PVOutput says it",
    "mqtt": "must be true or false",
    "billing_day": "must be a day of the month from 1 to 28",
    "cloud": "must be the name of the system at the receiver: system- and its number, e.g. system-4711023",
})  # fmt: skip
_PARTS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {"location": Location, "meters": MeterCorrection, "panels": SitePanel, "tariffs": Tariff, "outputs": SiteOutputs}
)
_OUTPUTS: Mapping[str, type[BaseModel]] = MappingProxyType({"emoncms": SiteEmonCms, "pvoutput": SitePvOutput})
"""Keys of `outputs` that have keys of their own."""
_ENTRIES = ("meters", "panels", "tariffs")
"""Keys that hold entries with keys of their own."""
_LISTS = ("rates", "reversed")
"""Keys whose sentence speaks of the whole list, not of one item."""
_SITES = TypeAdapter(dict[Serial, Site])


class SitesFileError(ValueError):
    """The file cannot be used; `sentences` says why, one problem each, and what to do."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


def find_rule(key: str) -> str | None:
    """What a key must be, as the end of a sentence; None for one that is not known."""
    return _MUST.get(key)


def parse(data: bytes) -> Sites:
    """The sites in the file. Raises SitesFileError."""
    if len(data) > MAX_BYTES:
        raise SitesFileError([f"it is larger than {MAX_BYTES // 1024} KiB; is it the right file?"])
    try:
        plain = plain_yaml.read(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SitesFileError(["it is not UTF-8 text; save it as UTF-8"]) from None
    except plain_yaml.PlainYamlError as error:
        raise SitesFileError([str(error)]) from error
    if plain is None:
        return MappingProxyType({})
    if not isinstance(plain, dict):
        raise SitesFileError(
            ["it must have one entry for each gateway, which begins with its serial number and a colon"]
        )
    for key in plain:
        if key in Site.model_fields:
            raise SitesFileError([f"{key} stands at the left edge: indent it below the serial number of its gateway"])
    try:
        sites = MappingProxyType(_SITES.validate_python(plain))
    except ValidationError as error:
        sentences = [
            _make_sentence(problem["loc"], problem["type"], problem["msg"], plain) for problem in error.errors()
        ]
        raise SitesFileError(list(dict.fromkeys(sentences))) from None
    if sentences := [*find_contradictions(sites), *find_wrong_places(sites), *find_wrong_links(sites)]:
        raise SitesFileError(sentences)
    return sites


def _make_sentence(location: tuple[int | str, ...], kind: str, message: str, plain: Any) -> str:
    keys = [part for part in location if part != "[key]"]
    if isinstance(keys[-1], int) and keys[-2] in _LISTS:
        keys.pop()
    place = ", ".join([f"gateway {keys[0]}", *(_name_part(part) for part in keys[1:])])
    if kind == "sentence":
        return f"{place}: {message}"
    if kind == "extra_forbidden":
        return f"{place}: no such key; {_suggest_key(keys)}"
    if kind == "missing":
        return f"{place}: is missing; it {_MUST[str(keys[-1])]}"
    if len(keys) == 1 or keys[-2] in _ENTRIES:
        return f"{place}: must have keys of its own, indented below it: {', '.join(_list_known([*keys, '']))}"
    return f"{place}: {_MUST[str(keys[-1])]}{_suggest_zone(keys, plain)}"


def _name_part(part: int | str) -> str:
    return f"entry {part + 1}" if isinstance(part, int) else part


def _list_known(keys: list[int | str]) -> list[str]:
    """The keys that may stand where the last of `keys` does."""
    if len(keys) > 3 and keys[1] == "outputs":
        return list(_OUTPUTS[str(keys[2])].model_fields)
    return list((_PARTS[str(keys[1])] if len(keys) > 2 else Site).model_fields)


def _suggest_key(keys: list[int | str]) -> str:
    """What may have been meant by the last key."""
    known = _list_known(keys)
    near = difflib.get_close_matches(str(keys[-1]), known, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"


def _suggest_zone(keys: list[int | str], plain: Any) -> str:
    if keys[1:] != ["time_zone"]:
        return ""
    written = plain[keys[0]]["time_zone"]
    by_city = {zone.rsplit("/", 1)[-1].lower(): zone for zone in sorted(list_time_zones())}
    near = difflib.get_close_matches(str(written).rsplit("/", 1)[-1].lower(), by_city, 1)
    return f"; did you mean {by_city[near[0]]}?" if near else ""
