"""Kills, cuts and lies: the store holds exactly what the scraper committed, and that is what the gateway sent.

Two witnesses who know nothing of each other:

1. The network. Rows leave the outbox only by a verdict, so every row that was ever committed passes the proxy in at
   least one whole request, whatever happens to that request then. The outbox numbers its rows 1, 2, 3, ... within
   the committing transaction, and its own counter says how many there ever were. So, with the queue drained: the proxy
   has seen every number (none was lost before it was sent), the same number always with the same content, and the
   merge of these rows by identity is, field by field, the whole content of the store: none lost, none twice (an
   identity stands there once), none altered, none invented.
2. The gateway. The simulator's own ledger says what left it, and `ledger.py` reads that independently of the
   scraper's parsers. In lossless mode, within each life of the scraper, the store must give back every event from the
   first to the last one that it has of that life's stream, for each meter and phase, field by field (a field that is
   absent repeats the one before). Each stored value, in turn, must be one that the ledger sent at about that time, and
   every inverter report that a finished poll saw is there.
"""

import asyncio
import random
import time
from pathlib import Path

import pytest

from tests.end_to_end.comparison import (
    compare_stream,
    find_foreign_meter_values,
    find_foreign_reports,
    find_missing_reports,
)
from tests.end_to_end.ledger import read_ledger
from tests.end_to_end.processes import Process, wait_until
from tests.end_to_end.proxy import Mishap, decode
from tests.end_to_end.stored import find_differences, merge, read_outbox, read_store
from tests.end_to_end.system import EndToEndSystem, run_household

KILLS = 20
"""SIGKILLs of each of the two, at least."""
SPEED = 2
"""Simulated seconds per second: two events of the stream a second, more inverter reports."""
MISHAPS = [mishap for mishap in Mishap if mishap is not Mishap.NONE]


@pytest.mark.slow
@pytest.mark.timeout(420)
async def test_the_store_holds_exactly_the_committed_readings(tmp_path: Path) -> None:
    """Twenty kills of each half at random moments, and every way to lose a request or an answer in between."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 (shown when the test fails)
    async with run_household(tmp_path, f"--speed={SPEED}", scraper={"ENVOY_DEAD_BAND": "0"}) as system:
        await torment(system, random.Random(seed))
        await settle(system)
    lives, happened = system.scraper.lives, system.proxy.happened
    assert len(lives) > KILLS
    assert len(system.receiver.lives) > KILLS
    assert set(MISHAPS) <= happened.keys()
    assert system.proxy.problems == []

    queue = read_outbox(system.outbox)
    assert (queue.waiting, queue.dead_letters, queue.lost) == (0, 0, 0)
    assert sorted(system.proxy.posted) == [(queue.id, seq) for seq in range(1, queue.committed + 1)]
    rows = [decode(system.proxy.posted[queue.id, seq]) for seq in range(1, queue.committed + 1)]
    expected, conflicts = merge(system.serial, rows)
    assert conflicts == []
    stored = read_store(system.store)
    assert find_differences(expected, stored) == []

    sent = read_ledger(system.ledger)
    assert not find_foreign_meter_values(stored, sent)
    assert not find_foreign_reports(stored, sent)
    assert not find_missing_reports(stored, sent, lives)
    complete = [compare_stream(stored, sent, life) for life in lives]
    assert sum(1 for events in complete if events) > KILLS // 2, complete
    assert sum(complete) > 3 * KILLS, complete


async def torment(system: EndToEndSystem, rng: random.Random) -> None:
    """Run both until each was killed often enough and every mishap has happened, whatever becomes of them."""
    deck: list[Mishap] = []

    def choose_mishap() -> Mishap:
        """One request in three meets one; each kind comes once before any comes twice."""
        if rng.random() < 2 / 3:
            return Mishap.NONE
        if not deck:
            deck.extend(MISHAPS)
            rng.shuffle(deck)
        return deck.pop()

    system.proxy.plan = choose_mishap
    system.proxy.kill = {Mishap.KILL_RECEIVER: system.receiver.kill, Mishap.KILL_SCRAPER: system.scraper.kill}
    enough = asyncio.Event()
    both = asyncio.gather(
        kill_again_and_again(system.receiver, rng, enough, ready='"receiving"'),
        kill_again_and_again(system.scraper, rng, enough, ready="the meter stream delivers"),
    )
    await wait_until(
        lambda: (
            both.done()
            or (
                min(len(system.scraper.lives), len(system.receiver.lives)) >= KILLS
                and set(MISHAPS) <= system.proxy.happened.keys()
            )
        ),
        "enough kills",
        patience_s=240,
    )
    enough.set()
    await both
    system.proxy.plan = lambda: Mishap.NONE


async def kill_again_and_again(process: Process, rng: random.Random, enough: asyncio.Event, *, ready: str) -> None:
    """Start it and kill it, half of the times before it is up; the proxy may kill it too."""
    while not enough.is_set():
        await process.start()
        if rng.random() < 0.25:
            await process.wait_for_end(within_s=rng.uniform(0, 1.5))
        else:
            await process.wait_for_line_or_end(ready)
            await process.wait_for_end(within_s=rng.uniform(0, 8))
        process.kill()
        await process.wait_for_end()


async def settle(system: EndToEndSystem) -> None:
    """Peace: let everything through, then stop in order."""
    await system.start_pair()
    await wait_until(lambda: read_outbox(system.outbox).waiting < 100, "the backlog is delivered")
    before = time.time_ns() // 1_000_000
    await wait_until(
        lambda: any(key.timestamp > before for key in read_store(system.store)), "something new comes through in peace"
    )
    assert await system.scraper.stop() == 0
    assert await system.receiver.stop() == 0
    assert await system.simulator.stop() == 0
