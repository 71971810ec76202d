"""Answers held against what the receiver publishes of them."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

import jsonschema_rs
from pydantic import TypeAdapter

JSON = "application/json"


def read_as(published: Any, document: Any) -> Any:
    """A JSON document as an answer of that type, strictly, with attributes in the place of keys."""
    text = json.dumps(document)
    _make_adapter(published).validate_json(text, strict=True)
    return json.loads(text, object_hook=lambda entries: SimpleNamespace(**entries))


@cache
def _make_adapter(published: Any) -> TypeAdapter[Any]:
    return TypeAdapter(published)


def list_answer_schemas(description: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Path to JSON schema of every route that a GET request reads as JSON, from an OpenAPI description."""
    found = {}
    for path, operations in description["paths"].items():
        content = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if JSON in content:
            found[path] = {**content[JSON]["schema"], "components": description["components"]}
    return found


def check_answer(schema: dict[str, Any], document: Any) -> None:
    """Raises `jsonschema_rs.ValidationError` for an answer that is not as published."""
    jsonschema_rs.Draft202012Validator(schema).validate(document)


def find_open_objects(schema: dict[str, Any]) -> Iterator[str]:
    """Titles of the objects in an answer's schema that would allow properties beyond those that they name."""
    waiting: list[Any] = [schema]
    seen: set[str] = set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            reference = part.get("$ref")
            if reference is not None and reference not in seen:
                seen.add(reference)
                waiting.append(schema["components"]["schemas"][reference.rsplit("/", 1)[1]])
            if "properties" in part and part.get("additionalProperties") is not False:
                yield part.get("title", "?")
            waiting += [value for name, value in part.items() if name != "components"]
