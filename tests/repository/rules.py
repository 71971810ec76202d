"""The rules that no linter knows: short files, unique class names, verbs as functions, no word that is out, nothing of one machine.

Needs nothing but the standard library and git, and takes seconds.
"""

import ast
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from tests.repository.boundaries import find_readers, find_unkept_claims
from tests.repository.naming import find_idle_verbs, find_nouns
from tests.repository.references import find_dangling_references
from tests.repository.words import find_words_that_are_out

LINES_BELOW: Final = 300
"""A file that people write has fewer lines."""
_GENERATED: Final = (
    re.compile(r"requirements/\w+[.]txt|.*package-lock[.]json|.*/go[.]sum"),  # locks
    re.compile(r"grafana/dashboards/[\w-]+[.]json|grafana/provisioning/alerting/rules[.]yaml"),
    re.compile(r"receiver/web/src/schema[.]ts"),
)
"""Files that a program writes, whole; `LICENSE`, which others wrote, is short enough."""

_TYPESCRIPT_TYPE: Final = re.compile(r"^(?:export )?(?:class|interface|type) (\w+)", re.MULTILINE)
_BELONGS_TO_ONE_MACHINE: Final = (
    (re.compile(r"(?<![\w.$}/-])/(?:work|root|home/[a-z]\w*|Users/\w+)/\w"), "a path of one machine"),
    (re.compile(r"pypi[.]org|pythonhosted[.]org|npmjs[.]org|proxy[.]golang[.]org|crates[.]io"), "a registry's host"),
    (re.compile(r"^--(?:extra-)?index-url|^--find-links", re.MULTILINE), "the address of a package index"),
)


def list_tracked_files(root: Path) -> list[Path]:
    """The text files of the repository that git has or would take, by name."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    names = sorted(set(listed.split("\0")) - {""})
    return [root / name for name in names if (root / name).is_file() and not name.endswith((".png", ".gz"))]


def find_problems(root: Path) -> list[str]:
    """Every violation in the repository at `root`, as sentences; none if the rules hold."""
    files = {
        PurePosixPath(file.relative_to(root)): file.read_text(encoding="utf-8") for file in list_tracked_files(root)
    }
    return [
        *_find_long_files(files),
        *_find_repeated_classes(files),
        *_find_traces_of_one_machine(files),
        *find_readers(files),
        *find_unkept_claims(files),
        *find_nouns(files),
        *find_idle_verbs(files),
        *find_dangling_references(files),
        *find_words_that_are_out(files),
    ]


def _find_long_files(files: dict[PurePosixPath, str]) -> Iterator[str]:
    for path, text in files.items():
        generated = any(pattern.fullmatch(str(path)) for pattern in _GENERATED)
        lines = len(text.splitlines())
        if not generated and lines >= LINES_BELOW:
            yield f"{path} has {lines} lines; split it: a file has fewer than {LINES_BELOW}"


def _find_repeated_classes(files: dict[PurePosixPath, str]) -> Iterator[str]:
    """Names that stand for two classes or types; a leading underscore does not make them differ."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path, text in files.items():
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(text, str(path))):
                if isinstance(node, ast.ClassDef):
                    found[node.name.lstrip("_")].append(f"{path}:{node.lineno}")
        elif path.suffix == ".ts" and path.name != "schema.ts":  # its types are the receiver's answers
            for match in _TYPESCRIPT_TYPE.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                found[match[1]].append(f"{path}:{line}")
    for name, definitions in sorted(found.items()):
        if len(definitions) > 1:
            yield f"the class name {name} stands more than once: {', '.join(definitions)}"


def _find_traces_of_one_machine(files: dict[PurePosixPath, str]) -> Iterator[str]:
    for path, text in files.items():
        for pattern, kind in _BELONGS_TO_ONE_MACHINE:
            if match := pattern.search(text):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{path}:{line} names {kind}: {match[0]}"
