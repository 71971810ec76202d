"""Functions are verbs: the first word of a function's name says what it does.

A verb that is not listed in verbs.txt is added there; a noun or a participle is not.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

_CHECKED: Final = {"scraper", "receiver", "shared", "simulator", "standalone", "grafana"}
VERBS: Final = frozenset(Path(__file__).with_name("verbs.txt").read_text(encoding="utf-8").split())
"""What a name may begin with; `of`, `from`, `to` and `as` name another form of the same thing, as in Python itself."""
_NAMED_BY_OTHERS: Final = {
    # the entrance of a program, the health check, and clocks as the standard library names them
    *("main", "alive", "ready", "now", "now_ms", "monotonic", "real_ms"),
    # protocols of asyncio, h11, httpx, uvicorn, tarfile, sqlite3 and pydantic-settings
    *("aclose", "connection_made", "connection_lost", "data_received", "writable", "auth_flow", "capture_signals"),
    *("on_message_begin", "on_header", "on_headers_complete", "on_body", "on_message_complete", "on_response_complete"),
    *("settings_customise_sources", "executemany", "executescript"),
    # commands, which are named as they are typed
    *("key", "password", "setup", "sites"),
    # builders of Grafana's SDK
    *("title", "description", "datasource", "targets", "unit", "no_value", "span", "height", "legend", "thresholds"),
}


def find_nouns(files: Mapping[PurePosixPath, str]) -> Iterator[str]:
    """Functions whose name does not begin with a verb, as sentences."""
    for path, text in files.items():
        if path.suffix == ".py" and path.parts[0] in _CHECKED:
            for node in ast.walk(ast.parse(text, str(path))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _may_be_named_so(node):
                    yield (
                        f"{path}:{node.lineno} the function {node.name} does not begin with a verb: rename it, "
                        "or add its verb to tests/repository/verbs.txt"
                    )


def _may_be_named_so(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    name = node.name
    if name.startswith("__") or name in _NAMED_BY_OTHERS or name.strip("_").split("_")[0] in VERBS:
        return True
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any("property" in each or each.endswith(".setter") or ".command" in each for each in decorators)
