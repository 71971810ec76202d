"""The comments of a sites file, each with what it stands beside, to see whether writing keeps them. Pure.

The library for YAML hangs a comment on what comes before it, people write it for what comes after: a key that is put in
at the end of an entry would come to stand behind the comment of the next one.
"""

from typing import NamedTuple

_BEFORE_QUOTES = (":", ",", "[", "{", "-", "?")


class YamlComment(NamedTuple):
    """One comment.

    Attributes:
        line: Number of its line, from 1.
        text: From its `#` on.
        beside: The key of its own line, or of the next line that has one; empty at the end of the file.
    """

    line: int
    text: str
    beside: str


def list_comments(text: str) -> list[YamlComment]:
    """Every comment of a YAML text whose scalars stand on one line each, and its marks of documents."""
    lines = [_split(line) for line in text.splitlines()]
    found: list[YamlComment] = []
    beside = ""
    for number, (content, comment) in reversed(list(enumerate(lines, 1))):
        if content in ("---", "..."):
            found.append(YamlComment(number, content, ""))
        elif content:
            beside = content.partition(":")[0].strip("- ")
        if comment:
            found.append(YamlComment(number, comment, beside))
    return found[::-1]


def find_moved(before: str, after: str) -> YamlComment | None:
    """The first comment of a text that another one lacks, or has beside something else; None if all are kept."""
    old, new = list_comments(before), list_comments(after)
    has_keys = any(one.beside for one in old) or any(content for content, _ in map(_split, before.splitlines()))
    for index, one in enumerate(old):
        is_there = index < len(new) and new[index].text == one.text
        if not is_there or (has_keys and new[index].beside != one.beside):
            return one
    return None


def _split(line: str) -> tuple[str, str]:
    """What a line says, and its comment."""
    quote = ""
    for index, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"" and (not line[:index].strip() or line[:index].rstrip().endswith(_BEFORE_QUOTES)):
            quote = character
        elif character == "#" and (index == 0 or line[index - 1].isspace()):
            return line[:index].strip(), line[index:].rstrip()
    return line.strip(), ""
