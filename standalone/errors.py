"""The errors of these commands. Every message is for the person at the terminal, and none holds a secret.

StandaloneError
  ChildDiedError    a process ended by itself
  NotReadyError     a process does not answer yet
"""

from collections.abc import Sequence

from shared.logs import redact


class StandaloneError(Exception):
    """Base of everything that ends the command with one message."""


class NotReadyError(StandaloneError):
    """A process does not answer, or answers with an error."""


class ChildDiedError(StandaloneError):
    """A process ended by itself. The message has its exit status and its last lines."""

    def __init__(self, name: str, status: int, lines: Sequence[str]) -> None:
        how = f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
        recent_lines = "".join(f"\n    {redact(line, 400)}" for line in lines)
        super().__init__(
            f"the {name} {how}" + (f"; its last lines:{recent_lines}" if recent_lines else " and said nothing")
        )
        self.name = name
        self.status = status
