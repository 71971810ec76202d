"""The shares of readers and gateways, and the rows of all questions together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from receiver.errors import RefusedError
from receiver.queries.shares import RowBudget, Shares
from shared.problems import Problem


class OpenQuestions:
    """Questions that hold their shares until they are let go."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._may_end: dict[str, asyncio.Event] = {}
        self.under_way: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, name: str, reader: str, gateway: str | None = None) -> None:
        self._may_end[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._hold(name, reader, gateway))
        await settle()

    async def _hold(self, name: str, reader: str, gateway: str | None) -> None:
        async with self._shares.get_share(reader, gateway):
            self.under_way.append(name)
            try:
                await self._may_end[name].wait()
            finally:
                self.under_way.remove(name)

    async def end(self, name: str) -> None:
        self._may_end[name].set()
        await settle()

    async def leave(self, name: str) -> None:
        self.tasks[name].cancel()
        await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def ask_questions(shares: Shares) -> AsyncIterator[OpenQuestions]:
    questions = OpenQuestions(shares)
    yield questions
    for task in questions.tasks.values():
        task.cancel()
    await asyncio.gather(*questions.tasks.values(), return_exceptions=True)
    assert (dict(shares.readers), dict(shares.gateways), shares.waiting) == ({}, {}, {}), "all is given back"


async def test_a_reader_waits_behind_its_own_questions_and_nobody_elses():
    async with ask_questions(Shares(of_reader=2)) as questions:
        for name in ("a1", "a2", "a3", "a4"):
            await questions.ask(name, "a")
        await questions.ask("b1", "b")
        assert questions.under_way == ["a1", "a2", "b1"]
        await questions.end("a2")
        assert questions.under_way == ["a1", "b1", "a3"]


async def test_a_gateway_has_a_share_whoever_asks_and_who_has_least_under_way_goes_first():
    async with ask_questions(Shares(of_reader=2, of_gateway=2)) as questions:
        await questions.ask("a1", "a", "home")
        await questions.ask("a2", "a", "home")
        await questions.ask("a3", "a", "home")
        await questions.ask("b1", "b", "home")
        await questions.ask("c1", "c", "elsewhere")
        assert questions.under_way == ["a1", "a2", "c1"]
        await questions.end("a1")
        assert questions.under_way == ["a2", "c1", "b1"]


async def test_who_leaves_while_waiting_or_under_way_makes_room():
    async with ask_questions(Shares(of_reader=1)) as questions:
        for name in ("a1", "a2", "a3"):
            await questions.ask(name, "a")
        await questions.leave("a2")
        await questions.leave("a1")
        assert questions.under_way == ["a3"]


async def test_who_leaves_in_the_moment_of_being_let_in_takes_no_room():
    shares = Shares(of_reader=1)
    async with ask_questions(shares) as questions:
        await questions.ask("a1", "a")
        await questions.ask("a2", "a")
        questions._may_end["a1"].set()
        while shares.waiting:  # noqa: ASYNC110 (the very step of the loop in which it is let in)
            await asyncio.sleep(0)
        questions.tasks["a2"].cancel()
        await questions.ask("a3", "a")
        assert questions.under_way == ["a3"]


async def test_too_many_questions_of_one_reader_are_refused_with_the_time_to_come_again():
    shares = Shares(of_reader=1, waiting_of_reader=2)
    async with ask_questions(shares) as questions:
        for name in ("a1", "a2", "a3"):
            await questions.ask(name, "a")
        with pytest.raises(RefusedError) as refused:
            async with shares.get_share("a", None):
                pass
        assert (refused.value.problem, refused.value.retry_after) == (Problem.STORE_UNAVAILABLE, 5)
        await questions.ask("b1", "b")
        assert questions.under_way == ["a1", "b1"]


async def test_what_waits_too_long_is_refused():
    shares = Shares(of_reader=1, longest_wait_s=0.01)
    async with ask_questions(shares) as questions:
        await questions.ask("a1", "a")
        with pytest.raises(RefusedError, match="store-unavailable"):
            async with shares.get_share("a", None):
                pass


async def test_rows_of_all_questions_are_bounded():
    """A small question fits beside a large one; one that wants more than there is gets what there is, alone."""
    budget = RowBudget(most=100, longest_wait_s=0.01)
    async with budget.open_for_question() as first, budget.open_for_question() as second:
        assert await first.hold(70) == 70
        with pytest.raises(RefusedError, match="store-unavailable"):
            await second.hold(31)
        assert await second.hold(30) == 30
        assert budget.held == 100
        first.release()
        second.release()
        assert await first.hold(1_000) == 100
    assert budget.held == 0
