"""`python -m tests.repository.commits BASE..HEAD`: whether commits have the form that CONTRIBUTING.md asks for.

Merges are left out. Needs nothing but the standard library and git.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LONGEST_SUBJECT: Final = 72
_SUBJECT: Final = re.compile(r"[a-z][\w./-]*(?:, [a-z][\w./-]*)*: \S.*")
_TRAILER: Final = re.compile(r"(?:Signed-off-by|Co-authored-by|Fixes|Closes|Refs): .*", re.IGNORECASE)


def find_problems_of_message(message: str) -> Iterator[str]:
    """What is wrong with the message of one commit, as sentences."""
    subject, *rest = message.strip().splitlines() or [""]
    if len(subject) > LONGEST_SUBJECT:
        yield f"its subject has {len(subject)} characters; it has at most {LONGEST_SUBJECT}"
    if not _SUBJECT.fullmatch(subject):
        yield "its subject does not look like `part: what it does`"
    if rest and rest[0].strip():
        yield "an empty line is missing below its subject"
    if not any(line.strip() and not _TRAILER.fullmatch(line.strip()) for line in rest):
        yield "it does not say why: write the reason below an empty line"


def find_problems_of_commits(root: Path, span: str) -> Iterator[str]:
    """A sentence for each problem of the commits of a repository.

    Args:
        root: The repository.
        span: Which commits, e.g. `origin/main..HEAD`.
    """
    command = ["git", "log", "--no-merges", "--reverse", "-z", "--format=%h%n%B", span, "--"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    for entry in filter(None, listed.split("\0")):
        name, _, message = entry.partition("\n")
        for problem in find_problems_of_message(message):
            yield f"commit {name} ({message.strip().partition(chr(10))[0]}): {problem}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.repository.commits BASE..HEAD")
    found = list(find_problems_of_commits(Path(__file__).parents[2], sys.argv[1]))
    sys.stdout.write("".join(f"{problem}\n" for problem in found))
    sys.exit(bool(found))
