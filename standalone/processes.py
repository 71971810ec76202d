"""Child processes that never outlive their supervisor, this process.

Each child has a process group of its own, so a Ctrl-C in the terminal reaches only us and we stop them in order:
terminate, wait, kill. If we are killed ourselves, the guard (`standalone.guard`) sees its pipe close and ends them.
What a child says on standard error goes to its log file; its last lines stay in memory for error messages and the view.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared.files import PRIVATE_FILE
from standalone.errors import ChildDiedError, NotReadyError, StandaloneError

_LAST_LINES = 12
_LONGEST_LINE = 1024 * 1024
_GRACE_S = 15.0
_PIPE_S = 2.0


class Child:
    """One running child process.

    Attributes:
        name: For people.
        may_finish: Whether it may end by itself with status 0.
        lines: The last lines of its standard error, oldest first.
        output: The last line of its standard output.
    """

    def __init__(
        self, name: str, process: asyncio.subprocess.Process, log_file: Path, recent_lines: deque[tuple[str, str]],
        *, may_finish: bool,
    ) -> None:  # fmt: skip
        self.name = name
        self.may_finish = may_finish
        self.lines: deque[str] = deque(maxlen=_LAST_LINES)
        self.output = ""
        self._process = process
        self._recent_lines = recent_lines
        self._announcement: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read(log_file), name=f"output of {name}")

    @property
    def pid(self) -> int:
        """Its process id, which is also that of its group."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def read_announcement(self, seconds: float) -> str:
        """The first line of its standard output. Raises NotReadyError after `seconds`, ChildDiedError if it ended."""
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wait((self._announcement, self._reader), return_when=asyncio.FIRST_COMPLETED)
                if not self._announcement.done():
                    raise await self.wait_for_end()
                return self._announcement.result()
        except TimeoutError:
            raise NotReadyError(f"the {self.name} did not start within {seconds:.0f} s") from None

    async def wait_for_end(self) -> ChildDiedError:
        """Wait until it ends by itself; returns what to say about it."""
        status = await self._process.wait()
        await asyncio.wait([self._reader], timeout=_PIPE_S)  # a grandchild may hold the pipe open
        return ChildDiedError(self.name, status, tuple(self.lines))

    async def stop(self, grace_s: float = _GRACE_S) -> int:
        """End it and whatever it started; returns its exit status (negative: the signal that ended it)."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_s):
                await self._process.wait()
        except TimeoutError:
            self.lines.append(f"did not stop within {grace_s:.0f} s and was killed")
        self.kill()  # the group: itself if need be, and anything that it left behind
        status = await self._process.wait()
        await asyncio.wait([self._reader], timeout=_PIPE_S)
        self._reader.cancel()
        return status

    def kill(self) -> None:
        """End it and whatever it started at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of an ended group
            os.killpg(self.pid, number)

    async def _read(self, log_file: Path) -> None:
        """Read both outputs until the child closes them."""
        output, errors = self._process.stdout, self._process.stderr
        if output is None or errors is None:
            raise StandaloneError(f"the {self.name} was started without pipes")
        private = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        with os.fdopen(private, "ab", buffering=0) as log:

            async def read_errors() -> None:
                while line := await _read_line(errors):
                    log.write(line)
                    if text := line.decode(errors="replace").rstrip():
                        self.lines.append(text)
                        self._recent_lines.append((self.name, text))

            async def read_output() -> None:
                """Keep the last line in memory only: it may hold a token."""
                while line := await _read_line(output):
                    self._keep_output(line.decode(errors="replace").rstrip())

            await asyncio.gather(read_errors(), read_output())

    def _keep_output(self, text: str) -> None:
        self.output = text
        if not self._announcement.done():
            self._announcement.set_result(text)


async def _read_line(stream: asyncio.StreamReader) -> bytes:
    """The next line; one that is absurdly long is left out."""
    try:
        return await stream.readline()
    except ValueError:
        return b"[a line too long to keep]\n"


class ProcessGroup:
    """All children, in the order of their start; they are stopped in the opposite order.

    Args:
        logs: Directory for one log file per child.
        directory: Where the children work (a `.env` there is theirs).
        environment: All that they find in their environment.

    Attributes:
        environment: As given.
        said: The last lines of all of them: name and line, oldest first.
    """

    def __init__(self, logs: Path, directory: Path, environment: Mapping[str, str]) -> None:
        self._logs = logs
        self._directory = directory
        self.environment = environment
        self._guard: asyncio.subprocess.Process | None = None
        self._children: list[Child] = []
        self.recent_lines: deque[tuple[str, str]] = deque(maxlen=_LAST_LINES)

    async def start(
        self, name: str, module: str, *arguments: str, environment: Mapping[str, str], may_finish: bool = False
    ) -> Child:
        """Start `python -m module arguments` with these additions to its environment."""
        command = (sys.executable, "-m", module, *arguments)
        return await self.start_program(name, *command, environment=environment, may_finish=may_finish)

    async def start_program(
        self, name: str, *command: str, environment: Mapping[str, str], may_finish: bool = False
    ) -> Child:
        """Start any program in the same way as `start`."""
        guard = self._guard or await self._start_guard()
        process = await self._execute(command, environment)
        _write_to_guard(guard, f"+{process.pid}")
        child = Child(name, process, self._logs / f"{name}.log", self.recent_lines, may_finish=may_finish)
        self._children.append(child)
        return child

    async def run(self, name: str, module: str, *arguments: str, environment: Mapping[str, str]) -> str:
        """Run a short command to its end; returns what it printed. Raises ChildDiedError unless it succeeds."""
        process = await self._execute((sys.executable, "-m", module, *arguments), environment)
        try:
            output, errors = await process.communicate()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise
        if process.returncode:
            raise ChildDiedError(name, process.returncode, errors.decode(errors="replace").splitlines()[-_LAST_LINES:])
        return output.decode()

    async def wait_for_unexpected_end(self) -> ChildDiedError:
        """Wait until a child ends that should not."""
        waits = {asyncio.create_task(child.wait_for_end()): child for child in self._children}
        try:
            while True:
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for wait in done:
                    death = wait.result()
                    if not (waits.pop(wait).may_finish and death.status == 0):
                        return death
        finally:
            for wait in waits:
                wait.cancel()

    async def stop(self) -> None:
        """Stop every child, the last started first, then the guard. Safe to call twice."""
        for child in reversed(self._children):
            await child.stop()
            if self._guard is not None:
                _write_to_guard(self._guard, f"-{child.pid}")
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            await self._guard.wait()
        self._children, self._guard = [], None

    def kill(self) -> None:
        """End every child at once; `stop` still has to be awaited."""
        for child in self._children:
            child.kill()

    async def _execute(self, command: Sequence[str], environment: Mapping[str, str]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**self.environment, **environment}, cwd=self._directory, start_new_session=True, limit=_LONGEST_LINE,
        )  # fmt: skip

    async def _start_guard(self) -> asyncio.subprocess.Process:
        self._guard = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "standalone.guard", stdin=asyncio.subprocess.PIPE, start_new_session=True
        )
        return self._guard


def _write_to_guard(guard: asyncio.subprocess.Process, line: str) -> None:
    """One line to the guard; if it was killed, the children simply have none."""
    if guard.stdin is not None and guard.returncode is None:
        guard.stdin.write(line.encode() + b"\n")
