"""What identifies a home, a person or a device, replaced by names that stay the same (pure): for reports of bugs.

First every text is learnt (`learn`), then each is replaced (`replace`): a serial that one text names as such is
replaced in all of them, by the same name. Secrets go altogether.
"""

import ipaddress
import re
from collections import Counter
from urllib.parse import quote

from shared.redaction import REDACTED, redact_document

SHORTEST_NAME = 3
"""Characters of a word below which it is left: it would stand everywhere."""

_SERIAL = re.compile(r"(?<![0-9A-Za-z])(?<!\d\.)\d{12}(?![0-9A-Za-z]|\.\d)")
_NAMED_SERIAL = re.compile(
    r"""["']?\b(?:serial(?:_?num(?:ber)?|_?no)?|sn|dev_sn|gateway|inverter|device_sn)["']?\s*[:=]\s*"""
    r"""["']?(?=[\w-]*\d{4})([0-9A-Za-z-]{6,32})|<(?:sn|serial\w*)>([\w-]{6,32})<""",
    re.IGNORECASE,
)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_MAC = re.compile(r"(?<![0-9A-Fa-f:-])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![0-9A-Fa-f:-])")
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")
_ZONE = re.compile(
    r"(?<![\w/])(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)/[A-Z][\w+/-]+"
)
_PLACE = re.compile(
    r'("(?:lat(?:itude)?|lon(?:g|gitude)?|lng|location|(?:e|b)?ssid|street|city|zip|postal_?code|country|site_?name|'
    r'time_?zone|address)"\s*:\s*)(?:"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*)',
    re.IGNORECASE,
)
_USER_FOLDER = re.compile(r"(/(?:home|Users)/)[^/\s\"':,]+")
_PEM = re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL)


class Pseudonyms:
    """The names, of one report. Words are told apart without regard to capitals."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._secrets: set[str] = set()

    def hide(self, kind: str, value: str) -> None:
        """Replace `value` by `kind` and a number from now on; a word that is too short is left."""
        word = value.strip().lower()
        if len(word) >= SHORTEST_NAME and word not in self._names:
            self._counts[kind] += 1
            self._names[word] = f"{kind}-{self._counts[kind]}"

    def hide_secret(self, value: str) -> None:
        """Take every line of `value` away from now on, wherever it stands."""
        lines = [line.strip() for line in value.splitlines()]
        self._secrets.update(form for line in lines if len(line) >= SHORTEST_NAME for form in (line, quote(line, "")))

    def learn(self, text: str) -> None:
        """Find what identifies somebody by its look or by its name."""
        for match in _MAIL.finditer(text):
            self.hide("mail", match[0])
        for match in _NAMED_SERIAL.finditer(text):
            self.hide("serial", match[1] or match[2])
        for kind, pattern in (("serial", _SERIAL), ("mac", _MAC), ("time-zone", _ZONE)):
            for match in pattern.finditer(text):
                self.hide(kind, match[0])
        for pattern in (_IPV4, _IPV6):
            for match in pattern.finditer(text):
                if _is_revealing(match[0]):
                    self.hide("address", match[0])

    def replace(self, text: str) -> str:
        """`text` without anything that was hidden or learnt, and without what looks like a secret or a place."""
        if self._secrets:
            text = re.compile("|".join(map(re.escape, _sort_longest_first(self._secrets)))).sub(REDACTED, text)
        text = _PEM.sub(REDACTED, redact_document(text))
        text = _PLACE.sub(r'\1"[removed]"', text)
        text = _USER_FOLDER.sub(r"\1user", text)
        if not self._names:
            return text
        words = "|".join(map(re.escape, _sort_longest_first(self._names)))
        whole = re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])", re.IGNORECASE)
        return whole.sub(lambda match: self._names.get(match[0].lower(), REDACTED), text)


def _sort_longest_first(words: dict[str, str] | set[str]) -> list[str]:
    return sorted(words, key=lambda word: (-len(word), word))


def _is_revealing(text: str) -> bool:
    """Whether an address is one of the Internet, or one of IPv6 that may hold the number of a network card."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if address.is_loopback or address.is_unspecified:
        return False
    return address.version == 6 or address.is_global
