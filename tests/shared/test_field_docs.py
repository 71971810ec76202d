"""docs/fields.md says exactly what the field dictionary says."""

from pathlib import Path
from typing import get_args

import pytest

from shared.fields import KINDS, EventType, Kind

DOCUMENT = Path(__file__).parents[2] / "docs" / "fields.md"


def write_table(kind: Kind) -> str:
    """The table of one kind as it stands in the document."""
    rows = ["| field | unit | type | between points | meaning |", "|---|---|---|---|---|"]
    for name, field in kind.fields.items():
        type_name = "number" if field.type is float else "text"
        rows.append(f"| `{name}` | {field.unit} | {type_name} | {field.interpolation} | {field.meaning} |")
    return "\n".join(rows)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_documented_as_it_is(name):
    """On failure: put the table of the message into the section of the kind."""
    kind = KINDS[name]
    tags = ", ".join(f"`{tag}`" for tag in ("gateway", *kind.tags))
    section = f"## `{name}`\n\nTags: {tags}.\n\n{write_table(kind)}\n"
    assert section in DOCUMENT.read_text(), f"docs/fields.md must hold:\n\n{section}"


def test_the_document_knows_no_other_kind():
    headings = [line.removeprefix("## ") for line in DOCUMENT.read_text().splitlines() if line.startswith("## `")]
    assert headings == [f"`{name}`" for name in KINDS]


def test_event_types_are_documented():
    text = DOCUMENT.read_text()
    assert all(f"| `{name}` |" in text for name in get_args(EventType))
