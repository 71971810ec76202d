"""Faults of a reply: the value inside the JSON first, then the bytes around it."""

import json
from typing import Any

from simulator.faults import Faults

# The first of these names found in a reply is the one whose value gets spoiled.
_MEASURED = ("activePower", "lastReportWatts", "now", "wNow", "wattsNow", "p", "actPower", "real_power_mw")

# json.dumps cannot write these: a marker stands in for them until the text is there.
_MARKER = "@@spoiled@@"
_TEXTS = {
    "nan": "NaN",
    "huge-number": "1e400",
    "huge-integer": "1" + "0" * 40,
    "wrong-type": '"not a number"',
    "null": "null",
}


def to_text(value: Any, indent: int | None) -> str:
    """JSON as the device lays it out."""
    return json.dumps(value, indent=indent, separators=(",", ":") if indent is None else None)


def faulty_text(value: Any, indent: int | None, faults: Faults, path: str) -> str:
    """The JSON of a reply, with every fault of its values that is on for this path."""
    value = _structure(value, faults, path)
    for name, replacement in _TEXTS.items():
        parameters = faults.take(name, path)
        if parameters is not None:
            marked = _replaced(value, parameters["field"] or _first_measured(value), _MARKER)
            return to_text(marked, indent).replace(f'"{_MARKER}"', replacement)
    if (parameters := faults.take("deep-nesting", path)) is not None:
        depth = int(parameters["depth"])
        return "[" * depth + "]" * depth
    text = to_text(value, indent)
    if faults.take("duplicate-keys", path) is not None:
        start = text.index("{") + 1
        key = text[start:].split(":", 1)[0]
        text = f"{text[:start]}{key}: 0,{text[start:]}"
    return text


def _structure(value: Any, faults: Faults, path: str) -> Any:
    if (parameters := faults.take("remove-field", path)) is not None:
        value = _renamed(value, parameters["field"] or _first_measured(value), None)
    if (parameters := faults.take("rename-field", path)) is not None:
        value = _renamed(value, parameters["field"] or _first_measured(value), str(parameters["to"]))
    if (parameters := faults.take("new-field", path)) is not None:
        value = _added(value, str(parameters["field"]))
    return value


def _first_measured(value: Any) -> str:
    present = _keys(value)
    return next((name for name in _MEASURED if name in present), "")


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(_keys(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_keys(item) for item in value))
    return set()


def _replaced(value: Any, field: str, by: Any) -> Any:
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


def _renamed(value: Any, field: str, to: str | None) -> Any:
    """A copy in which every `field` has another name, or is gone when that is None."""
    if isinstance(value, list):
        return [_renamed(item, field, to) for item in value]
    if not isinstance(value, dict):
        return value
    names = {key: (to if key == field else key) for key in value}
    return {names[key]: _renamed(item, field, to) for key, item in value.items() if names[key] is not None}


def _added(value: Any, field: str) -> Any:
    """A copy in which every object has one more field."""
    if isinstance(value, list):
        return [_added(item, field) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _added(item, field) for key, item in value.items()} | {field: 1}
