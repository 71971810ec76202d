"""All outputs together: started, supervised, told of what was stored, and stopped."""

import asyncio
from collections.abc import Collection, Sequence

import structlog

from receiver.ingest.journal import DirtyQuarter
from receiver.outputs.base import Output, OutputState
from receiver.outputs.driver import DurableOutput
from receiver.outputs.progress_file import ProgressError, ProgressFile
from shared.clock import Clock
from shared.readings import Reading

_AGAIN_S = 60.0
_STOP_S = 5.0
"""A task that was told to end, and has not after this long (seconds), is told again."""
_log = structlog.get_logger()


class Outputs:
    """The outputs of a receiver.

    Args:
        outputs: What is configured.
        file: The memory of the durable ones.
        clock: When a task that failed begins again.
    """

    def __init__(self, outputs: Sequence[Output], file: ProgressFile, clock: Clock) -> None:
        self._outputs = outputs
        self._durable = [one for one in outputs if isinstance(one, DurableOutput)]
        self._file = file
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []

    def note(self, gateway: str, readings: Sequence[Reading]) -> None:
        """Tell every output what was stored; quick."""
        for output in self._outputs:
            output.note(gateway, readings)

    def mark_unsettled(self, quarters: Collection[DirtyQuarter]) -> None:
        """After a crash: these quarter hours may hold readings that no output has heard of."""
        for gateway, quarter in quarters:
            for output in self._durable:
                output.mark_quarters(gateway, [quarter])

    async def find_unkept(self, forgotten: Collection[DirtyQuarter]) -> Collection[DirtyQuarter]:
        """Make sure that nothing of quarter hours is forgotten, and return those of which that is not sure."""
        try:
            for output in self._durable:
                await output.keep_before(forgotten)
        except ProgressError as error:
            _log.error("outputs cannot keep what is late; the roll-ups remember it meanwhile", reason=str(error))
            return forgotten
        return ()

    def start(self) -> None:
        """Begin to work, each output in a task of its own."""
        self._tasks = [asyncio.create_task(self._keep_running(one), name=f"output-{one.name}") for one in self._outputs]

    async def stop(self) -> bool:
        """End the tasks, and keep how far they are; return whether all of them could."""
        running = set(self._tasks)
        while running:  # before Python 3.12, wait_for loses a cancellation that comes at the same moment as its answer
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=_STOP_S)
        is_kept = True
        for output in self._outputs:
            try:
                await output.close()
            except Exception as error:  # noqa: BLE001 (the next one must be closed, too)
                _log.error(
                    "an output could not be kept; it repeats what it sent", output=output.name, reason=str(error)
                )
                is_kept = False
        await self._file.close()
        return is_kept

    def list_states(self) -> list[OutputState]:
        """How far every output is with every gateway."""
        now = self._clock.now_ms()
        return [state for output in self._outputs for state in output.list_states(now)]

    async def _keep_running(self, output: Output) -> None:
        while True:
            try:
                await output.run()
            except Exception:  # noqa: BLE001 (the other outputs and the service go on)
                _log.exception("an output failed and begins again", output=output.name, again_in_s=_AGAIN_S)
            await self._clock.sleep(_AGAIN_S)
