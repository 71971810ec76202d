"""The stream is opened again and again, unless this login may not have it."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import pytest

from scraper.collect.streaming import StreamKeeper
from scraper.delta.pace import BURST
from scraper.errors import EndpointUnavailableError, GatewayUnreachableError, LoginRejectedError, ScraperSettingError
from scraper.gateway.stream import PATH, Burst
from tests.scraper.scripted import NOW_MS, ScriptedScraper, make_identity, make_line, run_scripted_scraper

if TYPE_CHECKING:
    from scraper.gateway.session import GatewaySession

STALLED = GatewayUnreachableError("the meter stream gave no event for 3 s; it is opened again")
ABSENT = EndpointUnavailableError(PATH, 401)


@pytest.fixture
async def scripted(tmp_path):
    async with run_scripted_scraper(tmp_path) as ready:
        yield ready


def make_burst(*powers: float) -> Burst:
    return Burst(NOW_MS, [make_line(power) for power in powers])


async def stream(scripted: ScriptedScraper, *scripts: Sequence[Burst | Exception]) -> None:
    """Stream what the scripts say, one per connection, until one more connection is wanted."""
    scripted.gateway.streams = list(scripts)
    streaming = StreamKeeper(
        cast("GatewaySession", scripted.gateway), scripted.samples, scripted.health, scripted.clock, random.Random(1)
    )
    with contextlib.suppress(IndexError):  # the script is over
        await asyncio.wait_for(streaming.run(), 20)


async def test_a_stalled_stream_stores_what_was_held_back_opens_a_gap_and_comes_back(scripted, logs):
    await stream(scripted, [make_burst(100), make_burst(101), STALLED], [make_burst(300)])
    opened, closed, _ = await scripted.list_events("gap")
    assert opened.fields["reason"] == "the meter stream ended"
    assert "end" in closed.fields
    assert [reading.fields["power"] for reading in await scripted.list_rows("meter")][:3] == [100, 101, 300]
    assert all(5 <= wait <= 30 for wait in scripted.clock.waits), scripted.clock.waits
    assert not scripted.health.stream_connected
    assert not [entry for entry in logs if entry["log_level"] in ("warning", "error")]


async def test_streams_that_never_deliver_are_opened_less_and_less_often(scripted):
    await stream(scripted, *[[STALLED] for _ in range(12)])
    assert max(scripted.clock.waits) <= 300
    assert sum(scripted.clock.waits[6:]) > 6 * 50
    assert await scripted.list_events("gap") == [], "polls have delivered meanwhile"


async def test_an_owner_is_told_once_and_asked_again_when_the_login_changes(scripted, logs):
    scripted.health.role = "owner"
    original = scripted.clock.sleep
    seconds = 0

    async def sleep(wait: float) -> None:
        nonlocal seconds
        seconds += 1
        if seconds in (50, 100):
            scripted.gateway.identity = make_identity(token_expires_s=seconds)
        await original(wait)

    scripted.clock.sleep = sleep
    await stream(scripted, [ABSENT], [ABSENT])
    assert scripted.gateway.asked == ["stream"] * 3
    (said,) = [entry for entry in logs if entry["event"] == "no meter stream"]
    assert "owner token may not read the meter stream" in said["reason"]
    assert scripted.health.stream_unavailable == said["reason"]
    assert await scripted.list_events("gap") == []


@pytest.mark.parametrize("error", [ScraperSettingError("ENVOY_TOKEN_FILE: cannot be read"), LoginRejectedError("no")])
async def test_a_secret_file_that_vanishes_does_not_end_the_service(scripted, error):
    await stream(scripted, [error], [make_burst(100)])
    assert await scripted.list_rows("meter")


async def test_a_stream_of_garbage_gives_way_to_polls(scripted, logs):
    garbage = Burst(NOW_MS, [b"data: garbage"])
    await stream(scripted, [garbage] * 40, [make_burst(100)])
    assert "sends nothing that can be read" in logs[0]["reason"]
    assert scripted.health.stream_events == 1


async def test_nothing_is_streamed_while_a_person_is_needed(scripted):
    scripted.health.person_needed = "another gateway answers"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await stream(scripted, [make_burst(100)])
    assert scripted.gateway.asked == []


async def test_of_a_flood_of_events_the_newest_are_taken(scripted):
    """A gateway that sends a hundred a second fills no outbox with what the receiver refuses."""
    await stream(scripted, [make_burst(*range(100, 300)), *(make_burst(1000 + number) for number in range(50))])
    assert scripted.health.stream_events == BURST
    assert [reading.fields["power"] for reading in await scripted.list_rows("meter")][-1] == 299
