"""Faults in the JSON of a reply: its values, its structure and its text."""

import json
from typing import Any

from simulator.faults import Faults

# The first of these names found in a reply is the one whose value a fault replaces.
_MEASURED = ("activePower", "lastReportWatts", "now", "wNow", "wattsNow", "p", "actPower", "real_power_mw")

# json.dumps cannot write these texts: it writes a marker, and the text replaces the marker afterwards.
_MARKER = "@@faulty@@"
_TEXTS = {
    "nan": "NaN",
    "lower-nan": "nan",
    "huge-number": "1e400",
    "huge-integer": "1" + "0" * 40,
    "wrong-type": '"not a number"',
    "null": "null",
}


def to_text(value: Any, indent: int | None) -> str:
    """The JSON text with the layout of the device."""
    return json.dumps(value, indent=indent, separators=(",", ":") if indent is None else None)


def make_faulty_text(value: Any, indent: int | None, faults: Faults, path: str) -> str:
    """The JSON of a reply, changed by every fault of JSON that is on for this path."""
    value = _change_structure(value, faults, path)
    for name, replacement in _TEXTS.items():
        parameters = faults.take(name, path)
        if parameters is not None:
            with_marker = _replace_value(value, parameters["field"] or _find_first_measured(value), _MARKER)
            return to_text(with_marker, indent).replace(f'"{_MARKER}"', replacement)
    if (parameters := faults.take("deep-nesting", path)) is not None:
        depth = int(parameters["depth"])
        return "[" * depth + "]" * depth
    text = to_text(value, indent)
    if faults.take("duplicate-keys", path) is not None:
        start = text.index("{") + 1
        key = text[start:].split(":", 1)[0]
        text = f"{text[:start]}{key}: 0,{text[start:]}"
    return text


def _change_structure(value: Any, faults: Faults, path: str) -> Any:
    if (parameters := faults.take("remove-field", path)) is not None:
        value = _rename_field(value, parameters["field"] or _find_first_measured(value), None)
    if (parameters := faults.take("rename-field", path)) is not None:
        value = _rename_field(value, parameters["field"] or _find_first_measured(value), str(parameters["to"]))
    if (parameters := faults.take("new-field", path)) is not None:
        value = _add_field(value, str(parameters["field"]))
    return value


def _find_first_measured(value: Any) -> str:
    present = _collect_keys(value)
    return next((name for name in _MEASURED if name in present), "")


def _collect_keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(_collect_keys(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_collect_keys(item) for item in value))
    return set()


def _replace_value(value: Any, field: str, by: Any) -> Any:
    """A copy with the value of every `field` replaced in the first object that has it; its siblings stay."""
    done = False

    def walk(item: Any) -> Any:
        nonlocal done
        if isinstance(item, list):
            return [walk(part) for part in item]
        if not isinstance(item, dict):
            return item
        copy = {}
        for key, part in item.items():
            if key == field and not done and not isinstance(part, dict | list):
                done = True
                copy[key] = by
            else:
                copy[key] = walk(part)
        return copy

    return walk(value)


def _rename_field(value: Any, field: str, to: str | None) -> Any:
    """A copy in which every `field` has another name, or is gone when that is None."""
    if isinstance(value, list):
        return [_rename_field(item, field, to) for item in value]
    if not isinstance(value, dict):
        return value
    names = {key: (to if key == field else key) for key in value}
    return {names[key]: _rename_field(item, field, to) for key, item in value.items() if names[key] is not None}


def _add_field(value: Any, field: str) -> Any:
    """A copy in which every object has one more field."""
    if isinstance(value, list):
        return [_add_field(item, field) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _add_field(item, field) for key, item in value.items()} | {field: 1}
