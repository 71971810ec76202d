"""Everything is stopped or killed at once and comes back: what was known is stored, what was missed is said."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.ledger import read_ledger, stream_event
from tests.end_to_end.processes import until
from tests.end_to_end.stored import Contents, ReadingIdentity, merge, read_store, read_waiting
from tests.end_to_end.system import EndToEndSystem, household

SERIES = 9
"""Three meters, three phases each."""
FIELDS = 7


@pytest.mark.slow
async def test_an_orderly_stop_of_everything_keeps_what_was_held_back_and_the_next_start_closes_the_gap(
    tmp_path: Path,
) -> None:
    """SIGTERM to all three at once, whatever ends first."""
    async with household(tmp_path) as home:
        await home.start_pair()
        await stream_for_a_while(home)
        for process in (home.scraper, home.receiver, home.simulator):
            process.terminate()
        assert [await process.ended() for process in (home.scraper, home.receiver, home.simulator)] == [0, 0, 0]

        known = everything(home)
        ((gap, opened),) = ((key, fields) for key, fields in known.items() if is_gap(key))
        assert opened == {"reason": "the scraper was stopped"}
        last = [fields for key, fields in known.items() if key.kind == "meter" and key.timestamp == gap.timestamp]
        assert [len(fields) for fields in last] == [FIELDS] * SERIES, "the held-back rest of every series is stored"
        assert gap.timestamp == max(key.timestamp for key in known if key.kind == "meter")
        assert was_sent(home, known, gap.timestamp)

        await home.simulator.start()
        await home.simulator.line('"https_port"')
        await home.start_pair()
        ((key, closed),) = (await in_store(home, "the end of the gap", has_ended)).items()
        assert key == gap
        assert closed["reason"] == "the scraper was stopped"
        assert_quiet_between(read_store(home.store), key.timestamp, closed["end"])
        starts = [key for key in read_store(home.store) if ("type", "start") in key.tags]
        assert len(starts) == 2


@pytest.mark.slow
async def test_after_a_kill_of_everything_the_next_start_records_the_gap(tmp_path: Path) -> None:
    """SIGKILL to all three at once: the gap reaches from the last committed sample to the first new one."""
    async with household(tmp_path) as home:
        await home.start_pair()
        await stream_for_a_while(home)
        for process in (home.simulator, home.receiver, home.scraper):
            process.kill()
        await asyncio.gather(*(process.ended() for process in (home.simulator, home.receiver, home.scraper)))
        known = everything(home)
        assert not [key for key in known if is_gap(key)]
        last_sample = max(key.timestamp for key in known if key.kind == "meter")

        await home.simulator.start()
        await home.simulator.line('"https_port"')
        await home.start_pair()
        ((gap, fields),) = (await in_store(home, "the gap", has_ended)).items()
        assert fields["reason"] == "the scraper was killed"
        assert gap.timestamp == last_sample
        assert_quiet_between(read_store(home.store), gap.timestamp, fields["end"])
        stored = read_store(home.store)
        assert known.keys() <= stored.keys(), "what was committed before the kill is delivered after it"


async def stream_for_a_while(home: EndToEndSystem) -> None:
    """Every series is stored, and later samples have come, most of which lie within their dead-bands."""
    await in_store(home, "samples", lambda key, _: key.kind == "meter")
    await until(lambda: sum(entry.kind == "stream" for entry in read_ledger(home.ledger)) > 5, "a few events")


async def in_store(
    home: EndToEndSystem, what: str, wanted: Callable[[ReadingIdentity, dict[str, Any]], bool]
) -> Contents:
    """Wait until readings of a sort are stored; all of them."""

    def look() -> Contents:
        return {key: fields for key, fields in stored_now(home).items() if wanted(key, fields)}

    found: Contents = await until(look, what)
    return found


def stored_now(home: EndToEndSystem) -> Contents:
    """The store's contents, as soon as there is one."""
    return read_store(home.store) if home.store.exists() else {}


def everything(home: EndToEndSystem) -> Contents:
    """What was ever committed, wherever it is while all is down: in the store, or still in the outbox."""
    contents = stored_now(home)
    for key, fields in merge(home.serial, read_waiting(home.outbox))[0].items():
        contents[key] = {**contents.get(key, {}), **fields}
    return contents


def is_gap(key: ReadingIdentity) -> bool:
    """Whether it is a gap event."""
    return key.tags == (("type", "gap"),)


def has_ended(key: ReadingIdentity, fields: dict[str, Any]) -> bool:
    """Whether it is a gap that is over."""
    return is_gap(key) and "end" in fields


def assert_quiet_between(contents: Contents, start_ms: int, end_ms: float) -> None:
    """A gap is a time without samples, between two samples."""
    stamps = {key.timestamp for key in contents if key.kind == "meter"}
    assert {start_ms, int(end_ms)} <= stamps
    assert not [stamp for stamp in stamps if start_ms < stamp < end_ms]


def was_sent(home: EndToEndSystem, contents: Contents, stamp: int) -> bool:
    """Whether all fields of all series at a stamp are those of one event that the gateway sent."""
    stored = {(dict(key.tags)["meter"], dict(key.tags)["phase"]): fields
              for key, fields in contents.items() if key.kind == "meter" and key.timestamp == stamp}  # fmt: skip
    return any(entry.kind == "stream" and stream_event(entry.values) == stored for entry in read_ledger(home.ledger))
