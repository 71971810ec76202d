"""docs/architecture.md names files, folders and methods that exist: a reader follows it through the code."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PARTS = ("scraper", "receiver", "shared", "simulator", "standalone", "grafana", "tests", "deploy", "kubernetes")
PATHS = sorted(set(re.findall(rf"`((?:{'|'.join(PARTS)})/[\w/.*-]*)`", TEXT)))
METHODS = sorted(set(re.findall(r"`([A-Z]\w+)\.([a-z]\w+)`", TEXT)))


def list_methods(name: str) -> set[str]:
    """The methods of the classes of that name."""
    found: set[str] = set()
    for part in PARTS[:6]:
        for file in (ROOT / part).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and node.name == name:
                    found |= {
                        member.name
                        for member in node.body
                        if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)
                    }
    return found


@pytest.mark.parametrize("path", PATHS)
def test_every_path_exists(path: str):
    assert list(ROOT.glob(path.rstrip("/"))) or (ROOT / f"{path}.py").exists()


@pytest.mark.parametrize(("name", "method"), METHODS)
def test_every_method_exists(name: str, method: str):
    assert method in list_methods(name)


@pytest.mark.parametrize("half", ["scraper", "receiver"])
def test_every_package_of_a_half_is_in_its_table(half: str):
    packages = {path.parent.name for path in (ROOT / half).glob("*/__init__.py")}
    _, _, rest = TEXT.partition(f"\n## {half}\n")
    section, _, _ = rest.partition("\n## ")
    assert not {name for name in packages if f"`{name}/`" not in section}


def test_every_module_of_shared_is_in_its_table():
    modules = {path.stem for path in (ROOT / "shared").glob("*.py")} - {"__init__"}
    _, _, rest = TEXT.partition("\n## shared\n")
    section, _, _ = rest.partition("\n## ")
    assert not {name for name in modules if f"`{name}`" not in section}
