"""Functions are verbs: the first word of a function's name says what it does, in Python and in the page's TypeScript.

A verb that is not listed in verbs.txt is added there; a noun or a participle is not. A verb that no function begins
with any more is taken out.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

_CHECKED: Final = {"scraper", "receiver", "shared", "simulator", "standalone", "grafana"}
_LIST: Final = PurePosixPath("tests/repository/verbs.txt")
VERBS: Final = frozenset(Path(__file__).with_name("verbs.txt").read_text(encoding="utf-8").split())
"""What a name may begin with; `of`, `from`, `to` and `as` name another form of the same thing, as in Python itself."""
_NAMED_AS_IN_PYTHON: Final = {"main", "aclose", "now", "now_ms", "monotonic"}
"""The entrance of a program, what ends a thing that works asynchronously, and clocks as the standard library has them."""
_NAMED_BY_LIBRARIES: Final = {
    PurePosixPath("receiver/http/protocol.py"): {
        *("connection_made", "connection_lost", "data_received"),
        *("on_message_begin", "on_header", "on_headers_complete", "on_body", "on_message_complete"),
        "on_response_complete",
    },
    PurePosixPath("receiver/http/listener.py"): {"capture_signals"},
    PurePosixPath("receiver/backup/archive.py"): {"writable"},
    PurePosixPath("receiver/settings/source.py"): {"settings_customise_sources"},
    PurePosixPath("scraper/gateway/login.py"): {"auth_flow"},
    PurePosixPath("shared/durable_sqlite.py"): {"executemany", "executescript"},
    PurePosixPath("grafana/source/panel_builders.py"): {
        *("title", "description", "datasource", "targets", "unit", "no_value", "span", "height"),
    },
}
"""Methods that a library calls, or describes, by these names: uvicorn, io, pydantic-settings, httpx, sqlite3, the SDK."""
_ELEMENT_MAKERS: Final = {"h", "s"}
"""The page's makers of elements, by the names that such makers have everywhere (hyperscript)."""
_TYPESCRIPT: Final = (
    # functions, inner ones too
    re.compile(r"^\s*(?:export )?(?:async )?function (\w+)", re.MULTILINE),
    # arrow functions with a name, also as fields of a class
    re.compile(
        r"^\s*(?:export |private |readonly )*(?:const )?(\w+) = (?:async )?\([^()]*\)(?:: [^=]+?)? =>", re.MULTILINE
    ),
    # methods of classes (getters are properties) and of interfaces
    re.compile(r"^  (?:private |async |static )*(\w+)(?:<.*>)?\((?:.*\)(?:: .*)? \{|[^()]*\): [^;]+;|)$", re.MULTILINE),
)


class _Function(NamedTuple):
    """One function: where it is defined, and its name."""

    path: PurePosixPath
    line: int
    name: str


def find_nouns(files: Mapping[PurePosixPath, str]) -> Iterator[str]:
    """Functions whose name does not begin with a verb, as sentences."""
    for path, line, name in _list_functions(files):
        if _find_verb(name) not in VERBS:
            yield f"{path}:{line} the function {name} does not begin with a verb: rename it, or add its verb to {_LIST}"


def find_idle_verbs(files: Mapping[PurePosixPath, str]) -> Iterator[str]:
    """Verbs of the list that no function begins with, as sentences."""
    used = {_find_verb(name) for _, _, name in _list_functions(files)}
    for verb in files.get(_LIST, "").split():
        if verb not in used:
            yield f"{_LIST} lists {verb}, and no function begins with it: take it out"


def _find_verb(name: str) -> str:
    """The first word of a name in either language's spelling."""
    found = re.match(r"_*([a-z]+)", name)
    return found[1] if found else name


def _list_functions(files: Mapping[PurePosixPath, str]) -> Iterator[_Function]:
    """All functions whose names are ours to choose."""
    for path, text in files.items():
        if path.parts[0] not in _CHECKED:
            continue
        if path.suffix == ".py":
            named_by_others = _NAMED_AS_IN_PYTHON | _NAMED_BY_LIBRARIES.get(path, set())
            for node in ast.walk(ast.parse(text, str(path))):
                if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _is_value(node):
                    continue
                if not node.name.startswith("__") and node.name not in named_by_others:
                    yield _Function(path, node.lineno, node.name)
        elif path.suffix == ".ts":
            for match in (match for pattern in _TYPESCRIPT for match in pattern.finditer(text)):
                if match[1] not in _ELEMENT_MAKERS | {"constructor"}:
                    yield _Function(path, text.count("\n", 0, match.start(1)) + 1, match[1])


def _is_value(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it is read as a value (a property) or typed as a command, whose name is a noun as often."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any("property" in each or each.endswith(".setter") or ".command" in each for each in decorators)
