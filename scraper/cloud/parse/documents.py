"""A reply of the API as JSON, whole or not at all, and its words without what is secret. Pure.

Strict: UTF-8, nothing cut off, no key twice, no number that is none, no absurd nesting. What single values mean is for
the parsers, which are tolerant field by field.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import NoReturn

from scraper.cloud.errors import CloudLaterError

MAX_DEPTH = 32
"""Nesting that no reply comes near (the deepest known one has six levels)."""
MAX_WORDS = 200
"""Characters of the API's own words that are repeated."""
REDACTED = "[secret]"

_JWT = re.compile(r"eyJ[\w-]*\.[\w-]+(?:\.[\w-]*)?")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def load_document(body: bytes) -> object:
    """Decode one reply. Raises CloudLaterError: it is a page, cut short, or no JSON; the API is asked again later."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise CloudLaterError("the Enphase API answered with a web page, as it does under heavy load")
    try:
        document = _DECODER.decode(body.decode())
    except (ValueError, RecursionError):
        raise CloudLaterError("the Enphase API sent a reply that is no whole JSON; it was discarded") from None
    _check_depth(document)
    return document


def load_object(body: bytes) -> Mapping[str, object]:
    """A reply that is an object, such as an error; empty if it is anything else."""
    try:
        document = load_document(body)
    except CloudLaterError:
        return {}
    return document if isinstance(document, dict) else {}


def read_whole(document: Mapping[str, object], name: str) -> int | None:
    """A whole number above 0, also as text digits; None if there is none."""
    value = document.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def quote_words(document: Mapping[str, object], secrets: Collection[str]) -> str:
    """What an error document says, in at most `MAX_WORDS` characters and without secrets; "" if it says nothing."""
    words = document.get("details") or document.get("errorMessages") or document.get("message")
    if isinstance(words, list):
        words = ", ".join(word for word in words if isinstance(word, str))
    return redact_words(words, secrets) if isinstance(words, str) else ""


def redact_words(text: str, secrets: Collection[str]) -> str:
    """A text of the API without keys, tokens and e-mail addresses."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    text = _EMAIL.sub(REDACTED, _JWT.sub(REDACTED, text))
    return "".join(one if one.isprintable() else " " for one in text)[:MAX_WORDS]


def _build_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice")
    return document


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("a number is none")


_DECODER = json.JSONDecoder(object_pairs_hook=_build_object, parse_constant=_refuse_constant)


def _check_depth(document: object) -> None:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _list_children(node)]
        if not level:
            return
    raise CloudLaterError("the Enphase API sent a reply that is nested too deeply; it was discarded")


def _list_children(node: object) -> list[object]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []
