"""A reply as JSON, whole or not at all. Pure.

Strict where a slip could pass for data: UTF-8 only, nothing cut off, no key twice, no absurd nesting. Lenient where
only one value is at stake: NaN (`nan` and `inf` too), 1e400 and endless integers come through as floats that
`values.read_number` refuses, so that the fields beside them are kept.
"""

import json
import math
import re
from collections.abc import Iterable

from scraper.errors import BadReplyError, EmptyReplyError

MAX_DEPTH = 32
"""Nesting that no gateway comes near (the deepest known reply has eight levels)."""

_NESTING = (dict, list)

_NO_NUMBER = re.compile(
    r'"(?:[^"\\]|\\.)*+"?|-?\b(?:(?:nan|inf(?:inity)?)\b(?:\(\w*+\))?|1\.#(?:qnan|snan|ind|inf)\d*+)',
    re.IGNORECASE | re.DOTALL,
)
"""Texts, which are left alone, and numbers that are none, as any C library prints them (`-nan(ind)`, `1.#QNAN`).

Linear: a character is looked at twice at most."""

_LONGEST_INTEGER = 20
"""Digits (and sign) of the longest integer worth converting: all of 64 bits."""


def load(body: bytes) -> object:
    """Decode one reply.

    Args:
        body: The whole body; the caller limits its size. White space around it is allowed.

    Raises:
        EmptyReplyError: There is nothing in it.
        BadReplyError: It is a web page, cut short, nested too deeply, not UTF-8, or has a key twice.
    """
    start = body.lstrip()[:1]
    if not start:
        raise EmptyReplyError("the gateway answered with nothing where JSON was due; trying again at the next poll")
    if start == b"<":
        raise BadReplyError("the gateway answered with a web page where JSON was due; trying again at the next poll")
    try:
        document = _decode(body.decode())
    except UnicodeDecodeError as error:
        raise BadReplyError("the reply is not UTF-8 text; trying again at the next poll") from error
    except RecursionError as error:
        raise BadReplyError("the reply is nested too deeply to be a gateway's") from error
    except ValueError as error:
        raise BadReplyError("the reply is not whole JSON (cut short or garbled); trying again later") from error
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:  # else it cannot be deeper: an event of the stream never is
        _check_depth(document)
    return document


def _decode(text: str) -> object:
    """The document, also where numbers that are none are written as C prints them (`nan`, `-inf`)."""
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError:
        repaired = _NO_NUMBER.sub(lambda found: found[0] if found[0][0] == '"' else "NaN", text)
        if repaired == text:
            raise
        return _decoder.decode(repaired)


def _build_document(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise BadReplyError("the reply has a key twice, so that it is not clear which value counts")
    return document


def _parse_integer(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else math.inf


# The standard library rather than msgspec: only it can show duplicate keys and let NaN and 1e400 through.
_decoder = json.JSONDecoder(object_pairs_hook=_build_document, parse_int=_parse_integer)


def _check_depth(document: object) -> None:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _list_children(node) if isinstance(child, _NESTING)]
        if not level:
            return
    raise BadReplyError("the reply is nested too deeply to be a gateway's")


def _list_children(node: object) -> Iterable[object]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()
