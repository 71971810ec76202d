"""YAML to mappings, lists and text, and nothing else: what a person writes in a settings file.

Every scalar stays the text that was written, for the model gives it its type: so a serial never becomes an (octal)
number, a country code no boolean and 6:30 no 390. Aliases, which can make a small file enormous, and keys written
twice, of which YAML would silently drop one, are refused.

Built from the parser's events, because a loader of the library would expand aliases and keep the last of two equal
keys, and the composer of its C version crashes the process on deep nesting.
"""

from collections.abc import Iterator
from typing import TypeAlias

import yaml

Plain: TypeAlias = "str | list[Plain] | dict[str, Plain] | None"
"""None is a key without a value."""

_MAX_DEPTH = 10
_EMPTY = ("", "~", "null")


class PlainYamlError(ValueError):
    """The text cannot be read; the message is a sentence that begins with the line."""


def read(text: str) -> Plain:
    """The one document in `text`. Raises PlainYamlError."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the fast one, where the library was built with it
    events = _select_significant(yaml.parse(text, Loader=loader))
    try:
        first = next(events, None)
        value = None if first is None else _build_value(first, events, _MAX_DEPTH)
        if (more := next(events, None)) is not None:
            raise _make_error(more, "a second document begins here; write everything into one")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PlainYamlError(
            f"line {line} is not YAML ({error.problem}); look at its indentation and quotes"
        ) from error
    except yaml.YAMLError as error:
        raise PlainYamlError("it holds control characters, so it is not a text file; write it again") from error
    return value


def _select_significant(events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    around = (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)
    return (event for event in events if not isinstance(event, around))


def _build_value(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Plain:
    if isinstance(event, yaml.ScalarEvent):
        return None if event.implicit[0] and event.value in _EMPTY else str(event.value)
    if isinstance(event, yaml.AliasEvent):
        raise _make_error(event, "aliases (*name) are not allowed here; write the value out")
    if depth == 0:
        raise _make_error(event, "too many levels inside each other; look at its indentation and brackets")
    if isinstance(event, yaml.SequenceStartEvent):
        return [_build_value(item, events, depth - 1) for item in _iterate_until(yaml.SequenceEndEvent, events)]
    mapping: dict[str, Plain] = {}
    for key in _iterate_until(yaml.MappingEndEvent, events):
        if not isinstance(key, yaml.ScalarEvent):
            raise _make_error(key, "a key must be a word or a number")
        if key.value in mapping:
            raise _make_error(key, "this key stands here for the second time; keep one of the two")
        mapping[str(key.value)] = _build_value(next(events), events, depth - 1)
    return mapping


def _iterate_until(end: type[yaml.Event], events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    for event in events:
        if isinstance(event, end):
            return
        yield event


def _make_error(event: yaml.Event, sentence: str) -> PlainYamlError:
    line = event.start_mark.line + 1 if event.start_mark else 1
    return PlainYamlError(f"line {line}: {sentence}")
