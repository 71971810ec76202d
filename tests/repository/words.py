"""Words that are out, and what is written instead: one word has one meaning, in code, tests, docs and messages."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final, NamedTuple


class _WordRule(NamedTuple):
    """A word that is out.

    Attributes:
        pattern: Finds it, also as a part of a name: test_it_is_made_anew.
        instead: What is written in its place.
        below: Folders in which it is out; everywhere if there are none.
    """

    pattern: re.Pattern[str]
    instead: str
    below: tuple[str, ...] = ()


_RULES: Final = (
    _WordRule(re.compile(r"(?<![a-z])anew(?![a-z])", re.IGNORECASE), "again"),
    _WordRule(re.compile(r"(?<![a-z])(?<!serve_)for[ _]?ever(?![a-z])", re.IGNORECASE), "without limit"),
    _WordRule(re.compile(r"(?<![a-z])autarky(?![a-z])", re.IGNORECASE), "self_sufficiency"),
    _WordRule(re.compile(r"(?<![a-z])unplaced(?![a-z])", re.IGNORECASE), "unallocated"),
    # faults are what the simulator can switch on
    _WordRule(
        re.compile(r"(?<![a-z-])faults?(?![a-z-])", re.IGNORECASE),
        "problem, failure, damage or refusal",
        ("receiver/", "scraper/", "shared/", "tests/receiver/", "tests/shared/"),
    ),
)
_READ_BY_PEOPLE: Final = {".html", ".md", ".py", ".ts", ".yaml", ".yml"}
_ABOUT_WORDS: Final = {PurePosixPath("tests/repository/words.py"), PurePosixPath("tests/repository/test_words.py")}


def find_words_that_are_out(files: Mapping[PurePosixPath, str]) -> Iterator[str]:
    """A sentence for each line with a word that is out.

    Args:
        files: Path in the repository to text.
    """
    for path, text in files.items():
        if path.suffix not in _READ_BY_PEOPLE or path in _ABOUT_WORDS:
            continue
        for rule in _RULES:
            if rule.below and not str(path).startswith(rule.below):
                continue
            for match in rule.pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{path}:{line} says {match[0]}: write {rule.instead}"
