"""Runs `python -m standalone` for real and looks after what it leaves behind."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")

PROJECT = Path(__file__).parents[2]
DEADLINE_S = 120.0


class Command:
    """One running command, its standard output in a file."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path, errors: Path) -> None:
        self.process = process
        self._output = output
        self._errors = errors

    @property
    def text(self) -> str:
        return self._output.read_text()

    @property
    def errors(self) -> str:
        return self._errors.read_text()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Until its output holds the pattern; fails if it ends or takes too long."""
        return wait_until(lambda: re.search(pattern, self.text), lambda: self._explain(pattern), self._is_alive)

    def _is_alive(self) -> bool:
        return self.process.poll() is None

    def _explain(self, what: str) -> str:
        return f"no {what!r} (status {self.process.poll()}) in:\n{self.text}\n{self.errors}"

    def end(self, signal_number: int) -> int:
        """Signal it and wait for its exit status."""
        self.process.send_signal(signal_number)
        return self.process.wait(DEADLINE_S)


def wait_until(look: Callable[[], _T | None], explain: Callable[[], str], alive: Callable[[], bool]) -> _T:
    """Look until there is something."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        running = alive()
        found = look()
        if found:
            return found
        if not running:
            break
        time.sleep(0.1)
    raise AssertionError(explain())


@contextmanager
def run_standalone(directory: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Command]:
    """`python -m standalone ARGUMENTS` in a directory; killed at the end if it still runs, its guard then cleans up."""
    output, errors = directory / "stdout.txt", directory / "stderr.txt"
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "standalone", *arguments],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=directory,
            env={**os.environ, "PYTHONPATH": str(PROJECT), **(environment or {})},
        )  # fmt: skip
    try:
        yield Command(process, output, errors)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def list_descendants(pid: int) -> dict[int, str]:
    """Every living process below `pid`, by id, with its command line."""
    table = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,ppid=,stat=,args="], check=True, capture_output=True, text=True
    ).stdout
    rows = [line.split(None, 3) for line in table.splitlines()]
    found: dict[int, str] = {}
    while True:
        more = {int(row[0]): row[3] for row in rows if int(row[1]) in {pid, *found} and not row[2].startswith("Z")}
        if more.keys() <= found.keys():
            return found
        found |= more


def list_living(pids: Mapping[int, str]) -> dict[int, str]:
    """Those of the processes that still run the same command."""
    table = subprocess.run(["ps", "-ww", "-eo", "pid=,stat=,args="], check=True, capture_output=True, text=True).stdout
    now = {int(pid): args for pid, stat, args in (line.split(None, 2) for line in table.splitlines()) if stat[0] != "Z"}
    return {pid: args for pid, args in pids.items() if now.get(pid) == args}
