"""The meter stream: its framing, its values, and everything that can be wrong with it."""

import asyncio
import contextlib
import json

import httpx
import pytest

from simulator.clock import SimClock
from simulator.server import Simulator
from tests.simulator.reading import make_clock, open_reader

STREAM = "/stream/meter"
FAST = 50.0


@contextlib.asynccontextmanager
async def open_stream(profile="firmware-8", speed=FAST, **options):
    """A simulator whose seconds are short, and an open stream of an installer."""
    async with (
        Simulator(profile, clock=SimClock(speed), late_morning=True, **options) as sim,
        open_reader(sim, "installer") as client,
        client.stream("GET", STREAM) as response,
    ):
        assert response.status_code == 200
        yield sim, response


async def read_events(response, count):
    """The next so many events, parsed as the framing demands: one `data:` line and an empty one."""
    found = []
    async for line in response.aiter_lines():
        if line:
            assert line.startswith("data: ")
            found.append(json.loads(line.removeprefix("data: ")))
            if len(found) == count:
                return found
    return found


@pytest.mark.parametrize("profile", ["firmware-5", "firmware-7", "firmware-8"])
async def test_each_event_is_one_line_of_json(profile):
    """Three sections of three phases with seven values each, for every firmware."""
    async with open_stream(profile) as (_, response):
        assert response.headers["content-type"] == "text/event-stream"
        for event in await read_events(response, 3):
            assert list(event) == ["production", "net-consumption", "total-consumption"]
            for section in event.values():
                assert list(section) == ["ph-a", "ph-b", "ph-c"]
                assert all(list(phase) == ["p", "q", "s", "v", "i", "pf", "f"] for phase in section.values())


@pytest.mark.parametrize(("house", "live"), [("three-phase", 3), ("split-phase", 2), ("single-phase", 1)])
async def test_unused_phases_are_all_zero(house, live):
    async with open_stream(house=house) as (_, response):
        (event,) = await read_events(response, 1)
    for section in event.values():
        phases = list(section.values())
        assert all(phase["v"] > 50 for phase in phases[:live])
        assert all(set(phase.values()) == {0.0} for phase in phases[live:])


async def test_total_is_production_plus_net():
    async with open_stream() as (_, response):
        for event in await read_events(response, 5):
            for phase in ("ph-a", "ph-b", "ph-c"):
                production, net, total = (section[phase]["p"] for section in event.values())
                assert total == pytest.approx(production + net, abs=0.002)


async def test_events_are_those_of_the_house_and_the_ledger_has_each_one_once():
    """What a reader received is what the ledger says was sent, and what the house did in that second."""
    async with open_stream() as (sim, response):
        received = await read_events(response, 20)
        sent = sim.ledger.list_kind("stream")
        assert [entry.values for entry in sent[: len(received)]] == received[: len(sent)]
        assert len(sent) >= len(received) - 1, "the last one may still be on its way into the ledger"
        seconds = [int(entry.time) for entry in sent]
        assert seconds == sorted(seconds)
        state = sim.device.read_state(seconds[0] + sim.device.house_offset_s)
        assert received[0]["production"]["ph-a"]["v"] == pytest.approx(state.meters["production"][0].voltage_v, abs=1)


async def test_one_event_for_each_second_of_the_clock():
    """With the clock in hand: nothing before the second is over, one event when it is."""
    time = make_clock()
    async with (
        Simulator("firmware-8", clock=time) as sim,
        open_reader(sim, "installer") as client,
        client.stream("GET", STREAM) as response,
    ):
        lines = response.aiter_lines()
        for second in (1, 2, 3):
            assert len(sim.ledger.list_kind("stream")) == second - 1
            time.advance(1)
            line = await anext(lines)
            assert json.loads(line.removeprefix("data: "))["production"]
            assert await anext(lines) == ""
            # The ledger hears of an event after its bytes have left: let that task go on.
            while len(sim.ledger.list_kind("stream")) < second:  # noqa: ASYNC110 (the ledger has no event to wait for)
                await asyncio.sleep(0)


@pytest.mark.parametrize("size", [1, 3, 7, 100])
async def test_split_events_arrive_whole_in_many_pieces(size):
    async with open_stream() as (sim, response):
        sim.faults.switch_on("stream-split", size=size)
        pieces = []
        async for piece in response.aiter_raw():
            pieces.append(piece)
            if b"".join(pieces).endswith(b"}}}\n\n"):
                break
    assert max(map(len, pieces)) <= max(size, len(pieces[0]))
    assert len(pieces) > 5


async def test_a_burst_brings_many_events_at_once():
    """Nothing for as long as 16 KiB take, then all of them; each has its own time in the ledger."""
    async with open_stream() as (sim, response):
        sim.faults.switch_on("stream-burst", size=5000)
        async for piece in response.aiter_raw():
            if piece.count(b"data: ") > 1:
                break
        assert piece.count(b"\n\n") == piece.count(b"data: ") > 4
        assert piece.endswith(b"\n\n")


async def test_a_drip_brings_a_byte_at_a_time():
    async with open_stream() as (sim, response):
        sim.faults.switch_on("stream-drip", seconds=0)
        sizes = []
        async for piece in response.aiter_raw():
            sizes.append(len(piece))
            if len(sizes) > 50:
                break
    assert sizes.count(1) > 10


async def _read_to_the_end(response, pieces=None):
    """Read on, keeping what comes, until the stream ends."""
    async for piece in response.aiter_raw():
        if pieces is not None:
            pieces.append(piece)


async def test_a_stall_holds_the_connection_and_says_nothing():
    async with open_stream() as (sim, response):
        sim.faults.switch_on("stream-stall")
        sent = len(sim.ledger.list_kind("stream"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_read_to_the_end(response), 0.5)
        assert len(sim.ledger.list_kind("stream")) <= sent + 1


async def test_a_cut_ends_inside_an_event():
    async with open_stream() as (sim, response):
        sim.faults.switch_on("stream-cut")
        pieces: list[bytes] = []
        with pytest.raises(httpx.RemoteProtocolError):
            await _read_to_the_end(response, pieces)
    assert not b"".join(pieces).endswith(b"\n\n")


async def test_garbage_comes_between_good_events():
    async with open_stream() as (sim, response):
        sim.faults.switch_on("stream-garbage", every=2)
        lines = []
        async for line in response.aiter_lines():
            lines.append(line)
            if line == "data: {this is no JSON":
                break
        assert len(lines) > 2


async def test_missing_sections_and_phases():
    async with open_stream(house="single-phase") as (sim, response):
        sim.faults.switch_on("stream-sections")
        last = (await read_events(response, 3))[-1]
        assert list(last) == ["production"]
        assert list(last["production"]) == ["ph-a"]


async def test_comments_names_and_crlf_are_legal_and_come():
    async with open_stream() as (sim, response):
        sim.faults.switch_on("stream-comments")
        received = b""
        async for piece in response.aiter_raw():
            received += piece
            if received.count(b": a comment\r\nevent: meter\r\nid: ") > 1:
                break
    assert b"}}}\r\n\r\n" in received


async def test_the_stream_alone_can_be_refused():
    async with Simulator("firmware-8", clock=make_clock()) as sim, open_reader(sim, "installer") as client:
        sim.faults.switch_on("stream-unauthorised")
        assert (await client.get(STREAM)).status_code == 401
        assert (await client.get("/ivp/meters")).status_code == 200


async def test_two_streams_run_beside_each_other():
    async with (
        open_stream() as (sim, first),
        open_reader(sim, "installer") as client,
        client.stream("GET", STREAM) as second,
    ):
        assert len(await read_events(first, 2)) == len(await read_events(second, 2)) == 2


async def test_silence_reaches_the_stream_too():
    async with Simulator("firmware-8", clock=make_clock()) as sim, open_reader(sim, "installer") as client:
        sim.faults.switch_on("silent", path=STREAM)
        with pytest.raises(httpx.ReadTimeout):
            await client.get(STREAM, timeout=0.3)
