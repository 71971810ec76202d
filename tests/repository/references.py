"""What comments and docstrings of our programs name as `Class.member` exists: a reader can follow it."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from tests.repository.boundaries import PROGRAMS

_REFERENCE: Final = re.compile(r"`(_?[A-Z][a-z]\w*)\.(\w+)(?:\([^`]*\))?`")


class _Members:
    """The members of the classes of some modules, by the class's name."""

    def __init__(self) -> None:
        self._own: defaultdict[str, set[str]] = defaultdict(set)
        self._bases: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, module: ast.Module) -> None:
        """Take note of every class in a module."""
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef):
                self._bases[node.name] |= {ast.unparse(base).partition("[")[0] for base in node.bases}
                self._own[node.name] |= set(_list_names(node))

    def has(self, name: str, member: str) -> bool:
        """Whether a class of that name has it."""
        if name not in self._own:
            return False
        return member in self._own[name] or any(
            self.has(base, member) for base in self._bases[name] if base in self._own
        )


def find_dangling_references(files: Mapping[PurePosixPath, str]) -> Iterator[str]:
    """A sentence for each name in backquotes that no class of ours has."""
    sources = {path: text for path, text in files.items() if path.suffix == ".py" and path.parts[0] in PROGRAMS}
    members = _Members()
    for path, text in sources.items():
        members.add(ast.parse(text, str(path)))
    for path, text in sources.items():
        for match in _REFERENCE.finditer(text):
            if not members.has(match[1], match[2]):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{path}:{line} names {match[0]}, which does not exist"


def _list_names(node: ast.ClassDef) -> Iterator[str]:
    """Methods, fields and what methods set on the object."""
    for inner in ast.walk(node):
        match inner:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.AnnAssign(target=target):
                yield ast.unparse(target).removeprefix("self.")
            case ast.Assign(targets=targets):
                yield from (ast.unparse(target).removeprefix("self.") for target in targets)
