"""What the doctor found."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from shared.logs import make_inert


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"
    """Works, but less than it could, or worth knowing."""
    FAIL = "FAIL"
    """The scraper could not run, or would deliver nothing."""


class Finding(NamedTuple):
    """One sentence about one step.

    Attributes:
        level: How much it matters.
        step: The part of the way, in one or two words.
        text: What is so, and for anything but `ok` what to do.
    """

    level: Level
    step: str
    text: str


Say = Callable[[Finding], None]
"""Takes each finding as soon as it is known: a slow gateway must not look like a hanging program."""


class Findings:
    """Collects the findings of one walk and passes each on."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.failed = False

    def confirm(self, step: str, text: str) -> None:
        """Something works."""
        self._pass_on(Level.OK, step, text)

    def note(self, step: str, text: str) -> None:
        """Something is worth knowing."""
        self._pass_on(Level.NOTE, step, text)

    def fail(self, step: str, text: str) -> None:
        """Something keeps the scraper from running."""
        self.failed = True
        self._pass_on(Level.FAIL, step, text)

    def _pass_on(self, level: Level, step: str, text: str) -> None:
        """A finding quotes what a gateway or a receiver says, which must not look like a finding of its own."""
        self._say(Finding(level, make_inert(step), make_inert(text)))
