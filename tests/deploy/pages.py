"""The pages for people who run a system: how it is set up and kept, and what each alert means."""

from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[2] / "docs"
TEXTS: Final = {name: (DOCS / name).read_text(encoding="utf-8") for name in ("operations.md", "home.md", "alerts.md")}
TEXT: Final = "".join(TEXTS.values())
"""Of all pages, one after the other."""
