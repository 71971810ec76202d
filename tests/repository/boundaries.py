"""What import-linter cannot see: who reads the environment and the clock, and which modules say that they are pure.

`os` and `datetime` have other uses too, and a docstring is no import.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from pathlib import PurePosixPath
from typing import Final, TypeGuard

PROGRAMS: Final = ("shared", "scraper", "receiver", "simulator", "standalone", "grafana")
ENVIRONMENT_READERS: Final = (
    "receiver/settings/",
    "scraper/settings/",
    "shared/environment.py",
    "standalone/__main__.py",  # starts the processes of a demo, each with an environment of its own
    "standalone/demo.py",
    "standalone/loader.py",
    "standalone/run.py",
)
"""What may read the environment, as the beginning of a path."""
CLOCK_READERS: Final = ("shared/clock.py", "simulator/clock.py", "simulator/web/tls.py")
"""What may read the time, likewise; certificates are valid by the clock of the machine."""
_ENVIRONMENT: Final = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
_DATES: Final = {"date", "datetime"}
_NOW: Final = {"now", "today", "utcnow"}


def find_readers(files: Mapping[PurePosixPath, str]) -> Iterator[str]:
    """A sentence for every line of our programs that reads the environment or the clock and may not.

    Args:
        files: Path in the repository to text.
    """
    for path, text in files.items():
        if path.suffix == ".py" and path.parts[0] in PROGRAMS:
            nodes = list(ast.walk(ast.parse(text, str(path))))
            if not str(path).startswith(ENVIRONMENT_READERS):
                for line in sorted({node.lineno for node in nodes if _is_read_of_environment(node)}):
                    yield f"{path}:{line} reads the environment; take the value as an argument, from the settings"
            if not str(path).startswith(CLOCK_READERS):
                for line in sorted({node.lineno for node in nodes if _is_read_of_clock(node)}):
                    yield f"{path}:{line} reads the clock; take a `Clock` or the time as an argument"


def find_unkept_claims(files: Mapping[PurePosixPath, str]) -> Iterator[str]:
    """A sentence for every module of our programs that calls itself pure and is not in the contract that keeps it so."""
    parser = ConfigParser()
    parser.read_string(files.get(PurePosixPath(".importlinter-pure"), ""))
    kept = parser.get("importlinter:contract:pure", "source_modules", fallback="").split()
    for path, text in files.items():
        if path.suffix == ".py" and path.parts[0] in PROGRAMS:
            module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
            claims = re.search(r"\bPure\b", ast.get_docstring(ast.parse(text, str(path))) or "")
            if claims and not any(f"{module}.".startswith(f"{name}.") for name in kept):
                yield f"{path} says that it is pure: add {module} to the list in .importlinter-pure, or do not say it"


def _is_read_of_environment(node: ast.AST) -> TypeGuard[ast.Attribute | ast.ImportFrom]:
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr=name):
            return name in _ENVIRONMENT
        case ast.ImportFrom(module="os", names=names):
            return any(one.name in _ENVIRONMENT for one in names)
    return False


def _is_read_of_clock(node: ast.AST) -> TypeGuard[ast.Attribute]:
    """Of `datetime.now`, `dt.datetime.now`, `date.today` and their like."""
    match node:
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
            return owner in _DATES and name in _NOW
    return False
