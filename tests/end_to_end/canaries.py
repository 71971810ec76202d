"""Unique strings in the place of every secret, and a search for them in everything that others may see."""

import base64
import secrets
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

SECRET_FILES = ("scraper/tokens/*", "receiver/read-key", "scraper/key")
"""The files whose purpose it is to hold a secret: 0600, and nothing else may hold one."""


@dataclass
class Canaries:
    """The secrets by name, and what was collected to be searched.

    Attributes:
        values: Name to secret.
        evidence: Name of a log, an answer, ... to its bytes.
    """

    values: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, bytes] = field(default_factory=dict)

    def plant(self, name: str) -> str:
        """A new secret. It needs no escaping anywhere, so it would show as it is."""
        return self.guard(name, f"canary{secrets.token_hex(20)}")

    def guard(self, name: str, value: str) -> str:
        """A secret that somebody else made."""
        assert len(value) >= 20, f"{name} is too short to be told from chance"
        self.values[name] = value
        return value

    def collect(self, name: str, text: str | bytes) -> None:
        """Something that others may see."""
        self.evidence[f"{name} ({len(self.evidence)})"] = text.encode() if isinstance(text, str) else text

    def collect_files(self, folder: Path) -> None:
        """Every file below a folder but the secret ones."""
        exempt = {path for pattern in SECRET_FILES for path in folder.glob(pattern)}
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path not in exempt:
                self.collect(str(path.relative_to(folder)), path.read_bytes())

    def list_sightings(self) -> list[str]:
        """Where a secret shows, plain or in a common disguise. Names only."""
        return [
            f"{name} in {where}"
            for name, value in self.values.items()
            for where, data in self.evidence.items()
            if any(form in data for form in _list_forms(value))
        ]


def _list_forms(value: str) -> list[bytes]:
    raw = value.encode()
    shifted = (base64.b64encode(b"\0" * shift + raw)[4:-4].strip(b"=") for shift in range(3))
    return [raw, raw.hex().encode(), urllib.parse.quote(value, safe="").encode(), *shifted]
