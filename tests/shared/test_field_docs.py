"""docs/fields.md and docs/fields-from-elsewhere.md say exactly what the field dictionary says."""

from pathlib import Path
from typing import get_args

import pytest

from shared.fields import KINDS, EventType, Kind

DOCS = Path(__file__).parents[2] / "docs"
TEXT = "".join((DOCS / name).read_text() for name in ("fields.md", "fields-from-elsewhere.md"))


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
    assert section in TEXT, f"docs/fields.md or docs/fields-from-elsewhere.md must hold:\n\n{section}"


def test_the_document_knows_no_other_kind():
    headings = [line.removeprefix("## ") for line in TEXT.splitlines() if line.startswith("## `")]
    assert sorted(headings) == sorted(f"`{name}`" for name in KINDS)


def test_event_types_are_documented():
    assert all(f"| `{name}` |" in TEXT for name in get_args(EventType))
