"""Real child processes that die at a chosen step."""

import os
import signal
import sqlite3
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from scraper.outbox import schema


def run_in_child(
    work: Callable[[Callable[[int], None]], None], *, kill_after: int | None = None
) -> tuple[list[int], int]:
    """Fork and run `work(say)`; what it said (small numbers, in order) and its wait status.

    `kill_after`: SIGKILL it when it said this many numbers, wherever it is then.
    """
    reader, writer = os.pipe()

    def say(number: int) -> None:
        os.write(writer, f"{number}\n".encode())

    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            work(say)
        except BaseException:  # noqa: BLE001 (the child must never return into the test run)
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        numbers = []
        for line in said:
            numbers.append(int(line))
            if len(numbers) == kill_after:
                os.kill(child, signal.SIGKILL)
    return numbers, os.waitpid(child, 0)[1]


def die_at_statement(patched: pytest.MonkeyPatch, nth: int) -> None:
    """SIGKILL this process just before the `nth` SQL statement that it will run (inner ones of SQLite included)."""
    count = 0

    def trace(_: str) -> None:
        nonlocal count
        count += 1
        if count == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    connect = schema.connect

    def open_traced(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.set_trace_callback(trace)
        return connection

    patched.setattr(schema, "connect", open_traced)


def is_killed(status: int) -> bool:
    """Whether the child died of SIGKILL."""
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
