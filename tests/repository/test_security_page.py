"""docs/security.md names a test for each threat, and these tests exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", TEXT)))
ROWS = [
    line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith(("| what is tried", "| ---"))
]


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_every_test_exists(path: str, name: str):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in functions


def test_there_are_threats():
    assert len(ROWS) > 40


@pytest.mark.parametrize("row", ROWS)
def test_every_threat_is_kept_by_a_test(row: str):
    assert re.search(r"\| `tests/[\w/]+\.py::test_\w+`", row)
