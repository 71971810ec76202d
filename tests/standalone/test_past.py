"""The demo says that its past is there only when the page has all of it."""

from types import SimpleNamespace
from typing import Any

from standalone.past import PastWatch


class AnswersOfReceiver:
    """Answers as the receiver's API and status port would."""

    def __init__(self) -> None:
        self.known, self.waiting = False, 500.0

    async def is_past_known(self, hours: int) -> bool:
        assert hours == 168
        return self.known

    async def read_metrics(self) -> dict[str, float]:
        return {"receiver_rollup_dirty_quarters": self.waiting}


async def test_what_is_loaded_is_not_all_there_before_it_is_rolled_up_and_known() -> None:
    """Stored, computed and known, in turn; and it stays complete while live data waits for its minute."""
    loader: Any = SimpleNamespace(output='{"done": 0.5, "readings": 7}')
    receiver: Any = AnswersOfReceiver()
    watch = PastWatch(loader, receiver, receiver, 168)

    async def read_percent() -> int:
        return round(100 * (await watch.read_share() or 0))

    assert await read_percent() == 50
    loader.output = '{"done": 1.0, "readings": 14}'
    assert await read_percent() == 99
    receiver.waiting = 3.0
    assert await read_percent() == 99
    receiver.known = True
    assert await read_percent() == 100
    receiver.waiting = 30.0
    assert await read_percent() == 100
