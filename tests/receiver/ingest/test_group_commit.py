"""Group commit: shared writes, answers of one's own, nothing acknowledged early and nobody left hanging."""

import asyncio

import pytest
from structlog.testing import capture_logs

from receiver.errors import BusyError
from receiver.ingest.group_commit import GroupCommit
from receiver.stores.base import GatewayReading, StoreUnavailableError
from receiver.stores.sqlite import SqliteStore
from shared.problems import Rejection
from shared.readings import Reading
from tests.receiver.ingest.slow_store import NOON, make_rows, start


async def test_a_lone_caller_is_written_at_once(slow):
    """No artificial delay to gather a group."""
    slow.let_go.set()
    assert await GroupCommit(slow).write(make_rows("a", 3)) == {}
    assert slow.groups == [["a"] * 3]


async def test_nobody_is_answered_before_the_store_has_returned(slow):
    """The promise of every acknowledgement."""
    commit = GroupCommit(slow)
    (task,) = await start(commit, make_rows("a"))
    await slow.begun.wait()
    assert not task.done()
    slow.let_go.set()
    assert await task == {}


async def test_callers_that_wait_share_the_next_write(slow):
    """One fsync for all who came while the last one ran, in their order."""
    commit = GroupCommit(slow)
    tasks = await start(commit, make_rows("a"))
    await slow.begun.wait()
    tasks += await start(commit, make_rows("b", 2), make_rows("c"), make_rows("d"))
    slow.let_go.set()
    await asyncio.gather(*tasks)
    assert slow.groups == [["a"], ["b", "b", "c", "d"]]


async def test_a_group_stops_short_of_its_limit_and_never_splits_a_caller(slow):
    """About `max_rows` a write; a caller alone beyond it is still taken whole."""
    commit = GroupCommit(slow, max_rows=4)
    tasks = await start(
        commit, make_rows("a", 3), make_rows("b", 2), make_rows("c", 2), make_rows("d", 9), make_rows("e")
    )
    slow.let_go.set()
    await asyncio.gather(*tasks)
    assert slow.groups == [["a"] * 3, ["b", "b", "c", "c"], ["d"] * 9, ["e"]]


async def test_each_caller_gets_its_own_rejections_by_its_own_index(slow):
    """Indexes of the shared write mean nothing to a caller."""
    slow.let_go.set()
    commit = GroupCommit(slow)
    tasks = await start(
        commit,
        make_rows("a", 2),
        [*make_rows("b"), *make_rows("b", power=-1.0), *make_rows("b")],
        make_rows("c", power=-1.0),
    )
    assert await asyncio.gather(*tasks) == [{}, {1: Rejection.STORE_REFUSED}, {0: Rejection.STORE_REFUSED}]
    assert len(slow.writes) == 1


async def test_an_unavailable_store_fails_the_whole_group_and_the_next_group_is_tried(slow):
    """Nobody in the group may believe in success; each gets an error of its own."""
    slow.failures = [StoreUnavailableError("the disk is full")]
    slow.let_go.set()
    commit = GroupCommit(slow)
    first = await asyncio.gather(*await start(commit, make_rows("a"), make_rows("b")), return_exceptions=True)
    assert [type(error) for error in first] == [StoreUnavailableError, StoreUnavailableError]
    assert [str(error) for error in first] == ["the disk is full"] * 2
    assert first[0] is not first[1]
    assert slow.groups == [["a", "b"]]
    assert await commit.write(make_rows("c")) == {}


async def test_a_batch_that_breaks_the_write_harms_nobody_else(slow):
    """An unexpected error: each batch alone, and only the guilty one hears of it."""
    slow.poison = "b"
    slow.let_go.set()
    commit = GroupCommit(slow)
    with capture_logs() as logs:
        answers = await asyncio.gather(
            *await start(commit, make_rows("a"), make_rows("b"), make_rows("c")), return_exceptions=True
        )
    assert answers[0] == answers[2] == {}
    assert isinstance(answers[1], RuntimeError)
    assert slow.groups == [["a", "b", "c"], ["a"], ["b"], ["c"]]
    assert [log["batches"] for log in logs] == [3]


async def test_waiting_is_bounded(slow):
    """Beyond the bound a caller is sent away at once, and may come again when there is room."""
    commit = GroupCommit(slow, max_rows=11, max_waiting_rows=10)
    tasks = await start(commit, make_rows("a"))
    await slow.begun.wait()
    tasks += await start(commit, make_rows("b", 6), make_rows("c", 4))
    with pytest.raises(BusyError, match="send the batch again later"):
        await commit.write(make_rows("d"))
    slow.let_go.set()
    await asyncio.gather(*tasks)
    assert await commit.write(make_rows("d")) == {}


async def test_a_batch_larger_than_the_bound_is_taken_when_nothing_waits(slow):
    """Or it could never be stored at all."""
    slow.let_go.set()
    assert await GroupCommit(slow, max_waiting_rows=2).write(make_rows("a", 5)) == {}


async def test_a_second_write_is_made_ready_only_if_it_is_full(slow):
    """Two at once at most; what is less than a group waits for the first and grows."""
    commit = GroupCommit(slow, max_rows=4)
    tasks = await start(commit, make_rows("a"))
    tasks += await start(commit, make_rows("b", 3))
    assert slow.groups == [["a"]]
    tasks += await start(commit, make_rows("c", 1), make_rows("d", 4), make_rows("e", 4))
    await asyncio.sleep(0)
    assert slow.groups == [["a"], ["b", "b", "b", "c"]]
    slow.let_go.set()
    await asyncio.gather(*tasks)
    assert slow.groups == [["a"], ["b", "b", "b", "c"], ["d"] * 4, ["e"] * 4]
    assert await commit.write(make_rows("f")) == {}


async def test_an_empty_batch_needs_no_write(slow):
    """All rows were rejected before they came here."""
    assert await GroupCommit(slow).write([]) == {}
    assert slow.writes == []


async def test_a_thousand_callers_on_a_real_store_lose_nothing(tmp_path):
    """Everything acknowledged is in the file."""
    store = SqliteStore(tmp_path / "readings.db")
    await store.open()
    commit = GroupCommit(store)
    serials = [f"{serial:012d}" for serial in range(50)]
    batches = [
        [GatewayReading(serial, Reading("inverter", {"inverter": "1"}, NOON + n, {"power": float(n)}))]
        for serial in serials
        for n in range(20)
    ]
    assert await asyncio.gather(*map(commit.write, batches)) == [{}] * 1000
    await commit.close()
    assert await store.count() == 1000
    for serial in serials:
        (series,) = await store.read_points(serial, "inverter", start=0, stop=2 * NOON)
        assert [point.fields["power"] for point in series.points] == [float(n) for n in range(20)]
    await store.close()
