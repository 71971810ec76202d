"""Secrets taken out of a text that is shown or kept (pure): tokens, passwords, keys, sessions, by look or name.

`shared.logs.redact` is for a word or a sentence of a log line; this is for whole documents, which keep their form: a
redacted JSON text is JSON still.
"""

import re

REDACTED = "[redacted]"

_NAMES = r"[\w.-]*(?:token|passw(?:or)?d|passphrase|pwd|secret|session_?id|api_?key|private_?key|psk|cookie|credential)"
_IN_WORDS = re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*|(?<=\bBearer )[\w.~+/=-]{8,}|(?<=\bBasic )[\w+/=]{8,}")
_IN_JSON = re.compile(rf'("{_NAMES}[\w.-]*"\s*:\s*)(?:"(?:[^"\\]|\\.)+"|-?\d[\d.eE+-]*)', re.IGNORECASE)
_IN_XML = re.compile(rf"(<({_NAMES}\w*)(?:\s[^>]*)?>)[^<]+(?=</\2>)", re.IGNORECASE)
_IN_PAIRS = re.compile(rf"""(\b{_NAMES}=)[^\s&;"'<>,]+""", re.IGNORECASE)
_IN_ADDRESSES = re.compile(r"(?<=://)[^/\s\"'@]+(?=@)")
_SPELT = re.compile(r"(?<!\\)\\u00([2-7][0-9a-f])", re.IGNORECASE)


def redact_document(text: str) -> str:
    """`text` with everything that looks like a secret replaced by `REDACTED`, by its own look or by its name."""
    text = _SPELT.sub(_write_plainly, text)
    text = _IN_WORDS.sub(REDACTED, text)
    text = _IN_JSON.sub(rf'\1"{REDACTED}"', text)
    text = _IN_XML.sub(rf"\1{REDACTED}", text)
    text = _IN_ADDRESSES.sub(REDACTED, text)
    return _IN_PAIRS.sub(rf"\1{REDACTED}", text)


def _write_plainly(spelt: re.Match[str]) -> str:
    """The letter, digit or mark that JSON wrote as an escape: else an escape hides a secret."""
    character = chr(int(spelt[1], 16))
    return character if character.isalnum() or character in "_-.=@/:+ " else spelt[0]
