"""docs/rollup-fields.md says exactly which derived kinds there are, and what their fields mean."""

from pathlib import Path

import pytest

from receiver.stores.kinds import DERIVED, ENERGY_KINDS
from shared.fields import Kind

DOCUMENT = Path(__file__).parents[3] / "docs" / "rollup-fields.md"


def list_sections() -> dict[str, Kind]:
    """Heading to kind: kinds with the same tags and fields stand together; of energies what all have stands once."""
    energies = [DERIVED[name] for name in ENERGY_KINDS]
    common = {
        name: field for name, field in energies[0].fields.items() if all(name in kind.fields for kind in energies)
    }
    sections = {", ".join(f"`{name}`" for name in ENERGY_KINDS): energies[0]._replace(fields=common)}
    for name, kind in zip(ENERGY_KINDS, energies, strict=True):
        if more := {field: known for field, known in kind.fields.items() if field not in common}:
            sections[f"`{name}` alone"] = kind._replace(fields=more)
    alike: list[tuple[Kind, list[str]]] = []
    for name, kind in DERIVED.items():
        if name in ENERGY_KINDS:
            continue
        names = next((names for other, names in alike if other == kind), None)
        if names is None:
            alike.append((kind, [name]))
        else:
            names.append(name)
    others = {", ".join(f"`{name}`" for name in names): kind for kind, names in alike}
    first = list(others)[:2]  # minutes and hours come before the energies
    return {heading: others.pop(heading) for heading in first} | sections | others


def write_table(kind: Kind) -> str:
    """The fields of one kind as they stand in the document."""
    rows = ["| field | unit | type | meaning |", "|---|---|---|---|"]
    for name, field in kind.fields.items():
        type_name = "number" if field.type is float else "text"
        rows.append(f"| `{name}` | {field.unit} | {type_name} | {field.meaning} |")
    return "\n".join(rows)


@pytest.mark.parametrize("heading", list_sections())
def test_every_kind_is_documented_as_it_is(heading):
    """On failure: put the table of the message into the section of the kind."""
    kind = list_sections()[heading]
    tags = ", ".join(f"`{tag}`" for tag in ("gateway", *kind.tags))
    section = f"## {heading}\n\nTags: {tags}.\n\n{write_table(kind)}\n"
    assert section in DOCUMENT.read_text(encoding="utf-8"), f"docs/rollup-fields.md must hold:\n\n{section}"


def test_the_document_knows_no_other_kind():
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    assert [line.removeprefix("## ") for line in lines if line.startswith("## `")] == list(list_sections())
