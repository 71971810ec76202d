"""The examples of docs/recipes.md, as their readers copy them."""

import re
from pathlib import Path
from typing import Any

import yaml

_PAGE = Path(__file__).parents[3] / "docs" / "recipes.md"
_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_recipes(heading: str) -> list[str]:
    """The YAML blocks below a heading."""
    sections = re.split(r"^#+ (.*)$", _PAGE.read_text(), flags=re.MULTILINE)
    section = sections[sections.index(heading) + 1]
    return _BLOCK.findall(section)


def read_recipe(heading: str) -> Any:
    """The content of the one YAML block below a heading."""
    (text,) = read_recipes(heading)
    return yaml.safe_load(text)
