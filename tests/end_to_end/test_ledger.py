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
from collections import Counter
from pathlib import Path

import pytest

from tests.end_to_end.household import Household, household
from tests.end_to_end.ledger import Fields, MeterPhase, Sent, meter_values, read_ledger, reports, stream_event
from tests.end_to_end.processes import Process, until
from tests.end_to_end.proxy import Mishap, decoded
from tests.end_to_end.stored import Contents, differences, merge, read_outbox, read_store

KILLS = 20
"""SIGKILLs of each of the two, at least."""
SPEED = 2
"""Simulated seconds per second: two events of the stream a second, more inverter reports."""
ARRIVAL_MS = 15_000
"""A stamp is the arrival at the scraper: this far from the sending at most, on a machine that is very busy."""
FAULTS = [mishap for mishap in Mishap if mishap is not Mishap.NONE]


@pytest.mark.slow
@pytest.mark.timeout(420)
async def test_the_store_holds_exactly_the_committed_readings(tmp_path: Path) -> None:
    """Twenty kills of each half at random moments, and every way to lose a request or an answer in between."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 (shown when the test fails)
    async with household(tmp_path, f"--speed={SPEED}", scraper={"ENVOY_DEAD_BAND": "0"}) as home:
        await torment(home, random.Random(seed))
        await settle(home)
    lives, happened = home.scraper.lives, home.proxy.happened
    assert len(lives) > KILLS
    assert len(home.receiver.lives) > KILLS
    assert set(FAULTS) <= happened.keys()
    assert home.proxy.problems == []

    queue = read_outbox(home.outbox)
    assert (queue.waiting, queue.dead_letters, queue.lost) == (0, 0, 0)
    assert sorted(home.proxy.posted) == [(queue.id, seq) for seq in range(1, queue.committed + 1)]
    rows = [decoded(home.proxy.posted[queue.id, seq]) for seq in range(1, queue.committed + 1)]
    expected, conflicts = merge(home.serial, rows)
    assert conflicts == []
    stored = read_store(home.store)
    assert differences(expected, stored) == []

    sent = read_ledger(home.ledger)
    assert not foreign_meter_values(stored, sent)
    assert not foreign_reports(stored, sent)
    assert not missing_reports(stored, sent, lives)
    complete = [compare_stream(stored, sent, life) for life in lives]
    assert sum(1 for events in complete if events) > KILLS // 2, complete
    assert sum(complete) > 3 * KILLS, complete


async def torment(home: Household, rng: random.Random) -> None:
    """Run both until each was killed often enough and every mishap has happened, whatever becomes of them."""
    deck: list[Mishap] = []

    def next_mishap() -> Mishap:
        """One request in three meets one; each kind comes once before any comes twice."""
        if rng.random() < 2 / 3:
            return Mishap.NONE
        if not deck:
            deck.extend(FAULTS)
            rng.shuffle(deck)
        return deck.pop()

    home.proxy.plan = next_mishap
    home.proxy.kill = {Mishap.KILL_RECEIVER: home.receiver.kill, Mishap.KILL_SCRAPER: home.scraper.kill}
    enough = asyncio.Event()
    both = asyncio.gather(
        kill_again_and_again(home.receiver, rng, enough, ready='"receiving"'),
        kill_again_and_again(home.scraper, rng, enough, ready="the meter stream delivers"),
    )
    await until(
        lambda: (
            both.done()
            or (
                min(len(home.scraper.lives), len(home.receiver.lives)) >= KILLS
                and set(FAULTS) <= home.proxy.happened.keys()
            )
        ),
        "enough kills",
        patience_s=240,
    )
    enough.set()
    await both
    home.proxy.plan = lambda: Mishap.NONE


async def kill_again_and_again(process: Process, rng: random.Random, enough: asyncio.Event, *, ready: str) -> None:
    """Start it and kill it, half of the times before it is up; the proxy may kill it too."""
    while not enough.is_set():
        await process.start()
        if rng.random() < 0.25:
            await process.ended(within_s=rng.uniform(0, 1.5))
        else:
            await process.heard_or_ended(ready)
            await process.ended(within_s=rng.uniform(0, 8))
        process.kill()
        await process.ended()


async def settle(home: Household) -> None:
    """Peace: let everything through, then stop in order."""
    await home.start_pair()
    await until(lambda: read_outbox(home.outbox).waiting < 100, "the backlog is delivered")
    before = time.time_ns() // 1_000_000
    await until(
        lambda: any(key.timestamp > before for key in read_store(home.store)), "something new comes through in peace"
    )
    assert await home.scraper.stop() == 0
    assert await home.receiver.stop() == 0
    assert await home.simulator.stop() == 0


def foreign_meter_values(stored: Contents, sent: list[Sent]) -> list[str]:
    """Stored values of meters that the gateway did not send at about that time, to that meter and phase."""
    said: dict[tuple[str, MeterPhase, str, float], list[int]] = {}
    for entry in sent:
        for kind, phase, fields in _said(entry):
            for name, value in fields.items():
                said.setdefault((kind, phase, name, value), []).append(entry.sent_ms)
    return [
        f"{key} {name} = {value}"
        for key, fields in stored.items()
        if key.kind in ("meter", "meter_energy")
        for name, value in fields.items()
        if not any(
            abs(moment - key.timestamp) < ARRIVAL_MS
            for moment in said.get((key.kind, _phase(key.tags), name, value), ())
        )
    ]


def _said(entry: Sent) -> list[tuple[str, MeterPhase, Fields]]:
    if entry.kind == "stream":
        return [("meter", phase, fields) for phase, fields in stream_event(entry.values).items()]
    if entry.kind == "readings":
        both = meter_values(entry.values).items()
        return [("meter", phase, values) for phase, (values, _) in both] + [
            ("meter_energy", phase, counters) for phase, (_, counters) in both
        ]
    return []


def _phase(tags: tuple[tuple[str, str], ...]) -> MeterPhase:
    named = dict(tags)
    return named["meter"], named["phase"]


def foreign_reports(stored: Contents, sent: list[Sent]) -> list[str]:
    """Stored inverter readings with a date or a value that the inverter never reported."""
    said: Counter[tuple[str, int, str, float]] = Counter()
    for entry in sent:
        if entry.kind in ("inverters", "device_data"):
            for serial, date, fields in reports(entry):
                said.update((serial, date, name, value) for name, value in fields.items())
    return [
        f"{key} {name} = {value}"
        for key, fields in stored.items()
        if key.kind == "inverter"
        for name, value in fields.items()
        if (key.tags[0][1], key.timestamp, name, value) not in said
    ]


def missing_reports(stored: Contents, sent: list[Sent], lives: list[tuple[int, int]]) -> list[str]:
    """Reports of polls that were finished (the next job had begun in the same life) and that are not stored."""
    kept = {(key.tags[0][1], key.timestamp): fields for key, fields in stored.items() if key.kind == "inverter"}
    lines = []
    finished = 0
    for begin, end in lives:
        within = [entry for entry in sent if begin <= entry.sent_ms <= end]
        last = max((index for index, entry in enumerate(within) if entry.kind == "readings"), default=0)
        for entry in within[:last]:
            if entry.kind == "inverters":
                finished += 1
                for serial, date, fields in reports(entry):
                    found = kept.get((serial, date), {})
                    if not fields.items() <= found.items():
                        lines.append(f"{serial} {date}: {fields}, stored {found}")
    assert finished > KILLS // 4, finished
    return lines


def compare_stream(stored: Contents, sent: list[Sent], life: tuple[int, int]) -> int:
    """Check one life of the scraper against the stream; how many events were there, each meter, phase and field.

    The events of a second are the same on every connection, so the device's second names an event. Seconds without a
    break in the ledger are one connection; its last events may have been on the way when the scraper died.
    """
    begin, end = life
    events = {entry.second: stream_event(entry.values) for entry in sent
              if entry.kind == "stream" and begin <= entry.sent_ms <= end}  # fmt: skip
    points: dict[MeterPhase, list[tuple[int, Fields]]] = {}
    for key in sorted(stored):
        if key.kind == "meter" and begin <= key.timestamp <= end:
            points.setdefault(_phase(key.tags), []).append((key.timestamp, stored[key]))
    complete: set[int] = set()
    for phase, series in points.items():
        complete |= compare_series(phase, series, {second: event[phase] for second, event in events.items()})
    return len(complete)


def compare_series(phase: MeterPhase, points: list[tuple[int, Fields]], events: dict[int, Fields]) -> set[int]:
    """Check one series; the seconds that are there. The active power's noise makes the events distinct."""
    known: Fields = {}
    states: list[Fields] = []
    for _, fields in points:
        known = {**known, **fields}
        states.append(known)
    seconds = {tuple(sorted(fields.items())): second for second, fields in events.items()}
    matched = [seconds.get(tuple(sorted(state.items()))) for state in states]
    found = [second for second in matched if second is not None]
    assert found == sorted(found), f"{phase}: events out of order: {found}"
    for first, last in _unbroken(sorted(events)):
        there = {second for second in found if first <= second <= last}
        if there:
            wanted = set(range(min(there), max(there) + 1))
            assert there == wanted, f"{phase}: events of seconds {sorted(wanted - there)} are not stored"
    return set(found)


def _unbroken(seconds: list[int]) -> list[tuple[int, int]]:
    """Runs of consecutive seconds: first and last of each."""
    runs: list[tuple[int, int]] = []
    for second in seconds:
        if runs and second == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], second)
        else:
            runs.append((second, second))
    return runs
