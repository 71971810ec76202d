"""What owners have of their roof, taken for words on panels: Enlighten's array layout, or a table."""

from receiver.sites.layouts.enlighten import parse_enlighten
from receiver.sites.layouts.table import parse_table
from receiver.sites.layouts.words import LayoutError, PastedPanels, PastedWords

__all__ = ["LayoutError", "PastedPanels", "PastedWords", "parse_enlighten", "parse_layout", "parse_table"]

MAX_CHARACTERS = 512 * 1024
"""Of a layout, at most."""


def parse_layout(text: str) -> PastedPanels:
    """What a text says of panels: JSON is Enlighten's array layout, all else a table. Raises LayoutError."""
    if len(text) > MAX_CHARACTERS:
        raise LayoutError(f"it is longer than {MAX_CHARACTERS} characters; is it the right text?")
    stripped = text.removeprefix("\ufeff").strip()
    if not stripped:
        raise LayoutError("it is empty: paste a table, or the array layout of Enlighten")
    return parse_enlighten(stripped) if stripped[0] in "{[" else parse_table(stripped)
