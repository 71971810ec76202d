"""Everything is stopped or killed at once and comes back: what was known is stored, what was missed is said."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.ledger import COMPUTED, KNOWN_OF_COMPUTED, parse_stream_event, read_ledger
from tests.end_to_end.processes import wait_until
from tests.end_to_end.stored import Contents, ReadingIdentity, merge, read_store, read_waiting
from tests.end_to_end.system import EndToEndSystem, run_household

SERIES = 9
"""Three meters, three phases each."""
FIELDS = 8


@pytest.mark.slow
async def test_an_orderly_stop_of_everything_keeps_what_was_held_back_and_the_next_start_closes_the_gap(
    tmp_path: Path,
) -> None:
    """SIGTERM to all three at once, whatever ends first."""
    async with run_household(tmp_path) as system:
        await system.start_pair()
        await stream_for_a_while(system)
        for process in (system.scraper, system.receiver, system.simulator):
            process.terminate()
        assert [await process.wait_for_end() for process in (system.scraper, system.receiver, system.simulator)] == [
            0,
            0,
            0,
        ]

        known = read_everything(system)
        ((gap, opened),) = ((key, fields) for key, fields in known.items() if is_gap(key))
        assert opened["reason"] in {"the scraper was stopped", "the meter stream ended"}, "whichever ended first"
        last = {
            key.tags: fields for key, fields in known.items() if key.kind == "meter" and key.timestamp == gap.timestamp
        }
        counts = {tags: len(KNOWN_OF_COMPUTED) if ("meter", COMPUTED) in tags else FIELDS for tags in last}
        assert {tags: len(fields) for tags, fields in last.items()} == counts, "the rest of every series is stored"
        assert len(last) == SERIES
        assert gap.timestamp == max(key.timestamp for key in known if key.kind == "meter")
        assert is_sent(system, known, gap.timestamp)

        await system.simulator.start()
        await system.simulator.wait_for_line('"https_port"')
        await system.start_pair()
        ((key, closed),) = (await wait_for_stored(system, "the end of the gap", has_ended)).items()
        assert key == gap
        assert closed["reason"] == opened["reason"]
        assert_quiet_between(read_store(system.store), key.timestamp, closed["end"])
        starts = [key for key in read_store(system.store) if ("type", "start") in key.tags]
        assert len(starts) == 2


@pytest.mark.slow
async def test_after_a_kill_of_everything_the_next_start_records_the_gap(tmp_path: Path) -> None:
    """SIGKILL to all three at once: the gap reaches from the last committed sample to the first new one."""
    async with run_household(tmp_path) as system:
        await system.start_pair()
        await stream_for_a_while(system)
        for process in (system.simulator, system.receiver, system.scraper):
            process.kill()
        await asyncio.gather(
            *(process.wait_for_end() for process in (system.simulator, system.receiver, system.scraper))
        )
        known = read_everything(system)
        assert not [key for key in known if is_gap(key)]
        last_sample = max(key.timestamp for key in known if key.kind == "meter")

        await system.simulator.start()
        await system.simulator.wait_for_line('"https_port"')
        await system.start_pair()
        ((gap, fields),) = (await wait_for_stored(system, "the gap", has_ended)).items()
        assert fields["reason"] == "the scraper was killed"
        assert gap.timestamp == last_sample
        assert_quiet_between(read_store(system.store), gap.timestamp, fields["end"])
        stored = read_store(system.store)
        assert known.keys() <= stored.keys(), "what was committed before the kill is delivered after it"


async def stream_for_a_while(system: EndToEndSystem) -> None:
    """Every series is stored, and later samples have come, most of which lie within their dead-bands."""
    await wait_for_stored(system, "samples", lambda key, _: key.kind == "meter")
    await wait_until(lambda: sum(entry.kind == "stream" for entry in read_ledger(system.ledger)) > 5, "a few events")


async def wait_for_stored(
    system: EndToEndSystem, what: str, wanted: Callable[[ReadingIdentity, dict[str, Any]], bool]
) -> Contents:
    """Wait until readings of a sort are stored; all of them."""

    def look() -> Contents:
        return {key: fields for key, fields in read_stored(system).items() if wanted(key, fields)}

    found: Contents = await wait_until(look, what)
    return found


def read_stored(system: EndToEndSystem) -> Contents:
    """The store's contents, as soon as there is one."""
    return read_store(system.store) if system.store.exists() else {}


def read_everything(system: EndToEndSystem) -> Contents:
    """What was ever committed, wherever it is while all is down: in the store, or still in the outbox."""
    contents = read_stored(system)
    for key, fields in merge(system.serial, read_waiting(system.outbox))[0].items():
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


def is_sent(system: EndToEndSystem, contents: Contents, stamp: int) -> bool:
    """Whether all fields of all series at a stamp are those of one event that the gateway sent."""
    stored = {(dict(key.tags)["meter"], dict(key.tags)["phase"]): fields
              for key, fields in contents.items() if key.kind == "meter" and key.timestamp == stamp}  # fmt: skip
    return any(
        entry.kind == "stream" and parse_stream_event(entry.values) == stored for entry in read_ledger(system.ledger)
    )
