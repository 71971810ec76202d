"""Ends the children of a supervisor that can no longer do it itself (killed, crashed).

Reads `+PID` and `-PID` lines: process groups that began and that were seen to end. The end of the input means that
the supervisor is gone: whatever is still listed is terminated, and killed five seconds later.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

_GRACE_S = 5.0


def find_remaining(lines: Iterable[str]) -> set[int]:
    """The process groups that are left when the input ends."""
    groups: set[int] = set()
    for line in lines:
        number = int(line[1:])
        (groups.add if line.startswith("+") else groups.discard)(number)
    return groups


def _send(groups: set[int], number: signal.Signals) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def main() -> None:
    """Wait for the end of the input, then clean up."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # it ends with its supervisor, not before
    groups = find_remaining(sys.stdin)
    if groups:
        _send(groups, signal.SIGTERM)
        time.sleep(_GRACE_S)
        _send(groups, signal.SIGKILL)


if __name__ == "__main__":
    main()
