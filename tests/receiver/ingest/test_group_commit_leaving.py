"""Group commit when callers go away, when it is closed, and who hears of what was stored."""

import asyncio

import pytest
from structlog.testing import capture_logs

from receiver.errors import BusyError
from receiver.ingest.group_commit import GroupCommit
from receiver.stores.base import StoreUnavailableError
from tests.receiver.ingest.slow_store import make_rows, start


async def test_a_caller_that_goes_away_while_waiting_is_not_written_and_harms_nobody(slow):
    """A closed connection: its rows come again by another request."""
    commit = GroupCommit(slow)
    running, gone, other = await start(commit, make_rows("a"), make_rows("b"), make_rows("c"))
    # All three are waiting and the writer has not begun, so `b` is out before its group is gathered.
    gone.cancel()
    slow.let_go.set()
    assert [await running, await other] == [{}, {}]
    assert gone.cancelled()
    assert slow.groups == [["a", "c"]]


async def test_a_caller_that_goes_away_while_its_rows_are_written_harms_nobody(slow):
    """The write goes on for the others, and the next group follows."""
    commit = GroupCommit(slow)
    gone, other = await start(commit, make_rows("a"), make_rows("b"))
    await slow.begun.wait()
    gone.cancel()
    (later,) = await start(commit, make_rows("c"))
    slow.let_go.set()
    assert [await other, await later] == [{}, {}]
    assert gone.cancelled()
    assert slow.groups == [["a", "b"], ["c"]]


async def test_if_every_caller_went_away_nothing_is_written(slow):
    """And the next caller finds the writer well."""
    commit = GroupCommit(slow)
    tasks = await start(commit, make_rows("a"))
    tasks[0].cancel()
    slow.let_go.set()
    await asyncio.wait(tasks)
    assert await commit.write(make_rows("b")) == {}
    assert slow.groups == [["b"]]


async def test_closing_answers_all_that_wait_and_takes_no_more(slow):
    """Orderly stop: what was taken is finished."""
    commit = GroupCommit(slow, max_rows=1)
    tasks = await start(commit, make_rows("a"), make_rows("b"), make_rows("c"))
    closing = asyncio.create_task(commit.close())
    await slow.begun.wait()
    with pytest.raises(BusyError, match="stopping"):
        await commit.write(make_rows("d"))
    assert not closing.done()
    slow.let_go.set()
    await closing
    assert [task.result() for task in tasks] == [{}, {}, {}]
    await commit.close()


async def test_giving_up_on_closing_does_not_stop_the_write(slow):
    """A shutdown deadline cancels the wait, not the commit."""
    commit = GroupCommit(slow)
    tasks = await start(commit, make_rows("a"))
    closing = asyncio.create_task(commit.close())
    await slow.begun.wait()
    closing.cancel()
    await asyncio.wait([closing])
    slow.let_go.set()
    assert await asyncio.gather(*tasks) == [{}]


async def test_nobody_hangs_when_the_writer_is_cancelled(slow):
    """The event loop ends: those in the write and those behind it hear that they may come again."""
    commit = GroupCommit(slow, max_rows=1)
    tasks = await start(commit, make_rows("a"), make_rows("b"), make_rows("c"))
    await slow.begun.wait()
    for worker in commit._workers:
        worker.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [BusyError] * 3


async def test_closing_waits_for_both_writes(slow):
    """Orderly stop with two of them under way."""
    commit = GroupCommit(slow, max_rows=1)
    tasks = await start(commit, make_rows("a"), make_rows("b"), make_rows("c"))
    await asyncio.sleep(0)
    assert slow.groups == [["a"], ["b"]]
    closing = asyncio.create_task(commit.close())
    slow.let_go.set()
    await closing
    assert [task.result() for task in tasks] == [{}, {}, {}]


async def test_listeners_hear_of_stored_readings_only_and_after_the_write(slow):
    """Live views show what is durable: by gateway, without what was refused."""
    heard = []
    commit = GroupCommit(slow, on_stored=lambda gateway, readings: heard.append((gateway, list(readings))))
    tasks = await start(
        commit,
        make_rows("a", 2),
        [*make_rows("b"), *make_rows("b", power=-1.0)],
        make_rows("a"),
        make_rows("c", power=-1.0),
    )
    await slow.begun.wait()
    assert heard == []
    slow.let_go.set()
    await asyncio.gather(*tasks)
    (reading,) = (row.reading for row in make_rows("b"))
    assert heard == [("a", [row.reading for row in [*make_rows("a", 2), *make_rows("a")]]), ("b", [reading])]


async def test_listeners_hear_nothing_of_a_failed_write(slow):
    """It may not have happened."""
    heard = []
    slow.failures = [StoreUnavailableError("down")]
    slow.let_go.set()
    commit = GroupCommit(slow, on_stored=lambda gateway, _readings: heard.append(gateway))
    with pytest.raises(StoreUnavailableError):
        await commit.write(make_rows("a"))
    assert heard == []


async def test_a_failing_listener_harms_no_answer(slow):
    """The rows are stored, whatever a live view makes of them."""

    def fail(_gateway, _readings):
        raise RuntimeError("no viewers today")

    slow.let_go.set()
    commit = GroupCommit(slow, on_stored=fail)
    with capture_logs() as logs:
        assert await commit.write(make_rows("a")) == {}
        assert await commit.write(make_rows("b")) == {}
    assert [log["gateway"] for log in logs] == ["a", "b"]
