"""All outputs together: the receiver stops, whatever an output is doing."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from receiver.outputs import outputs as supervision
from receiver.outputs.base import OutputState
from receiver.outputs.outputs import Outputs
from receiver.outputs.progress_file import FILE, ProgressFile
from shared.readings import Reading
from tests.clocks import StoppedClock


class AnsweredOutput:
    """Its target answers at the very moment at which it is told to end; then it goes on with its work."""

    name = "answered"

    def __init__(self) -> None:
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.asks = asyncio.Event()
        self.is_closed = False

    def note(self, gateway: str, readings: Sequence[Reading]) -> None: ...

    async def run(self) -> None:
        self.asks.set()
        await asyncio.wait_for(self.answer, 60)
        await asyncio.Event().wait()

    def list_states(self, now_ms: int) -> list[OutputState]:
        return []

    async def close(self) -> None:
        self.is_closed = True


async def test_an_output_that_misses_the_end_is_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(supervision, "_STOP_S", 0.05)
    output = AnsweredOutput()
    outputs = Outputs([output], ProgressFile(tmp_path / FILE), StoppedClock())
    outputs.start()
    await output.asks.wait()
    await asyncio.sleep(0)
    output.answer.set_result(None)
    async with asyncio.timeout(30):
        await outputs.stop()
    assert output.is_closed
