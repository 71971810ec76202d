"""JSON that says one thing only: duplicate keys are refused, which neither msgspec nor PyJWT does. Pure.

Two readers of `{"sub": "a", "sub": "b"}` may take different values for it; here there is only one reading.
"""

import json
from typing import Any


class DuplicateKeyError(ValueError):
    """One object has the same key twice."""


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise DuplicateKeyError("duplicate keys")
    return keys


_DECODER = json.JSONDecoder(object_pairs_hook=_build_object)


def refuse_duplicates(data: bytes) -> None:
    """Read JSON slowly and strictly. Raises ValueError for a duplicate key or for what is no JSON at all."""
    try:
        _DECODER.decode(data.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
