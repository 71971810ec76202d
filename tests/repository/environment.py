"""Where the environment may be read: in the settings of each half, and where processes are composed."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

PROGRAMS: Final = ("shared", "scraper", "receiver", "simulator", "standalone", "grafana")
READERS: Final = (
    "receiver/settings",  # a file or a folder
    "scraper/settings",
    "shared/environment.py",
    "standalone/__main__.py",  # starts the processes of a demo, each with an environment of its own
    "standalone/demo.py",
    "standalone/loader.py",
    "standalone/run.py",
)
"""What may read it, as the beginning of a path."""
_READING: Final = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}


def find_readers(files: Mapping[PurePosixPath, str]) -> Iterator[str]:
    """A sentence for every line of our programs that reads the environment and may not.

    Args:
        files: Path in the repository to text.
    """
    for path, text in files.items():
        if path.suffix == ".py" and path.parts[0] in PROGRAMS and not str(path).startswith(READERS):
            for line in sorted(_lines(ast.parse(text, str(path)))):
                yield f"{path}:{line} reads the environment; take the value as an argument, from the settings"


def _lines(tree: ast.AST) -> set[int]:
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in _READING:
                found.add(node.lineno)
            case ast.ImportFrom(module="os", names=names) if any(one.name in _READING for one in names):
                found.add(node.lineno)
    return found
