"""One read for all who ask the same at once, and never one that began before the question."""

import asyncio

import pytest

from receiver.queries.together import SharedReads


class CountedReads:
    """Reads that end when they are told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.ends: list[asyncio.Event] = []

    async def read(self, key: str) -> str:
        self.begun += 1
        number = self.begun
        self.ends.append(asyncio.Event())
        await self.ends[-1].wait()
        if key == "bad":
            raise ValueError(key)
        return f"{key}{number}"


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_comes_during_a_read_shares_the_next_one():
    counted = CountedReads()
    reads = SharedReads(counted.read)
    first = [asyncio.create_task(reads.ask("a")) for _ in range(3)]
    await settle()
    later = [asyncio.create_task(reads.ask("a")) for _ in range(100)]
    other = asyncio.create_task(reads.ask("b"))
    await settle()
    assert counted.begun == 2, "one of a, one of b: the later ones of a wait"
    counted.ends[0].set()
    await settle()
    assert counted.begun == 3
    for end in counted.ends:
        end.set()
    assert [await task for task in first] == ["a1"] * 3
    assert [await task for task in later] == ["a3"] * 100
    assert await other == "b2"
    assert (reads._under_way, reads._next) == ({}, {})


async def test_who_leaves_takes_nothing_from_the_others():
    counted = CountedReads()
    reads = SharedReads(counted.read)
    leaving, staying = asyncio.create_task(reads.ask("a")), asyncio.create_task(reads.ask("a"))
    await settle()
    leaving.cancel()
    await settle()
    counted.ends[0].set()
    assert await staying == "a1"
    assert leaving.cancelled()


async def test_an_error_is_everybodys_and_the_next_read_is_a_new_one():
    counted = CountedReads()
    reads = SharedReads(counted.read)
    tasks = [asyncio.create_task(reads.ask("bad")) for _ in range(2)]
    await settle()
    counted.ends[0].set()
    for task in tasks:
        with pytest.raises(ValueError, match="bad"):
            await task
    again = asyncio.create_task(reads.ask("bad"))
    await settle()
    assert counted.begun == 2
    counted.ends[1].set()
    await asyncio.wait({again})
    assert isinstance(again.exception(), ValueError)
