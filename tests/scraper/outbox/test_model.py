"""Whatever happens in whatever order, the outbox equals a list."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.scraper.outbox.support import kill, list_numbers, list_rows, make_readings, open_outbox


class OutboxModel(RuleBasedStateMachine):
    """The queue and the dead letters as two lists of (seq, number of the reading)."""

    def __init__(self):
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "outbox.sqlite"
        self.outbox = open_outbox(self.path)
        self.id = self.outbox.id
        self.queue: list[tuple[int, int]] = []
        self.dead: list[tuple[int, int]] = []
        self.made = 0
        self.highest = 0

    @rule(count=st.integers(0, 30))
    def append(self, count):
        self.outbox.append(make_readings(self.made, count))
        self._adopt(list(range(self.made, self.made + count)))
        self.made += count

    @rule(count=st.integers(1, 20), data=st.data())
    def settle_some(self, count, data):
        newest = data.draw(st.booleans())
        rows = self.outbox.read_newest(count, 10**6) if newest else self.outbox.read_oldest(count, 10**6)
        expected = self.queue[-count:] if newest else self.queue[:count]
        assert [row.seq for row in rows] == [seq for seq, _ in expected]
        fates = {row.seq: data.draw(st.sampled_from(["accept", "reject", "keep"])) for row in rows}
        rejected = {seq: "too-old" for seq, fate in fates.items() if fate == "reject"}
        self.outbox.settle([seq for seq, fate in fates.items() if fate == "accept"], rejected)
        self.dead = sorted(self.dead + [entry for entry in self.queue if entry[0] in rejected])
        self.queue = [entry for entry in self.queue if fates.get(entry[0], "keep") == "keep"]

    @precondition(lambda self: self.dead)
    @rule(data=st.data())
    def replay(self, data):
        chosen = data.draw(st.one_of(st.none(), st.lists(st.sampled_from(self.dead), unique=True)))
        back = self.dead if chosen is None else chosen
        assert self.outbox.replay(None if chosen is None else [seq for seq, _ in chosen]) == len(back)
        self.dead = [entry for entry in self.dead if entry not in back]
        self._adopt([number for _, number in back])

    @rule()
    def reopen(self):
        self.outbox.close()
        self.outbox = open_outbox(self.path)

    @rule()
    def kill_process(self):
        kill(self.outbox, self.path)
        self.outbox = open_outbox(self.path)

    @invariant()
    def equals_the_model(self):
        stats = self.outbox.read_stats()
        assert (stats.rows, stats.dead_letters, stats.lost_rows) == (len(self.queue), len(self.dead), 0)
        assert [row.seq for row in list_rows(self.outbox)] == [seq for seq, _ in self.queue]
        assert list_numbers(self.outbox) == [number for _, number in self.queue]
        assert [letter.seq for letter in self.outbox.read_dead_letters(10**6)] == [seq for seq, _ in self.dead]
        assert self.outbox.id == self.id

    def teardown(self):
        self.outbox.close()
        self.directory.cleanup()

    def _adopt(self, numbers_: list[int]) -> None:
        """The outbox gave new numbers above all earlier ones."""
        new = [row.seq for row in list_rows(self.outbox)][len(self.queue) :]
        assert all(seq > self.highest for seq in new)
        self.highest = max([self.highest, *new])
        self.queue += zip(new, numbers_, strict=True)


TestOutboxModel = OutboxModel.TestCase
TestOutboxModel.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
