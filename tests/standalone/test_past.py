"""The demo says that its past is there only when the page has all of it."""

from types import SimpleNamespace

from standalone.past import PastWatch


class AnswersOfReceiver:
    """Answers as the receiver's API and status port would."""

    def __init__(self):
        self.known, self.waiting = False, 500.0

    async def is_past_known(self, hours):
        assert hours == 168
        return self.known

    async def read_metrics(self):
        return {"receiver_rollup_dirty_quarters": self.waiting}


async def test_what_is_loaded_is_not_all_there_before_it_is_rolled_up_and_known():
    """Stored, computed and known, in turn; and it stays complete while live data waits for its minute."""
    loader, receiver = SimpleNamespace(output='{"done": 0.5, "readings": 7}'), AnswersOfReceiver()
    watch = PastWatch(loader, receiver, receiver, 168)
    assert 0.4 < await watch.read_share() < 0.5
    loader.output = '{"done": 1.0, "readings": 14}'
    assert await watch.read_share() < 1
    receiver.waiting = 3.0
    assert await watch.read_share() < 1
    receiver.known = True
    assert await watch.read_share() == 1
    receiver.waiting = 30.0
    assert await watch.read_share() == 1
