"""The meter stream: events whole however they are cut, stalls and drips noticed, rights respected."""

import asyncio
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.errors import BadReplyError, EndpointUnavailableError, GatewayUnreachableError
from scraper.gateway.stream import PATH, Burst, LineSplitter, Watchdog, read_bursts
from tests.clocks import InstantClock
from tests.fake_http import make_raw, wait_without_end
from tests.scraper.gateway.fake_gateway import FakeGateway
from tests.scraper.gateway.fake_tokens import make_token

EVENT = 'data: {"production": {"ph-a": {"p": 54.745, "note": "Wärme €"}}}\r\n\r\n'.encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
QUICK = Watchdog(first_s=0.5, quiet_s=0.1, interval_s=0.05)


@given(st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line and not line.endswith(b"\r"))), st.data())
def test_lines_are_the_same_wherever_the_chunks_are_cut(lines, data):
    """Also inside a character, and between CR and LF."""
    ends = data.draw(st.lists(st.sampled_from([b"\n", b"\r\n"]), min_size=len(lines), max_size=len(lines)))
    text = b"".join(line + end for line, end in zip(lines, ends, strict=True))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    splitter = LineSplitter()
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert [line for piece in pieces for line in splitter.feed(piece)] == lines


def test_an_endless_line_is_given_up():
    """In one chunk, or byte by byte."""
    with pytest.raises(BadReplyError, match="event of more than 100 bytes"):
        LineSplitter(100).feed(b"x" * 101)
    splitter = LineSplitter(100)
    splitter.feed(b"x" * 100)
    with pytest.raises(BadReplyError):
        splitter.feed(b"x")


async def collect_bursts(*chunks: bytes, hang: bool = False, watchdog: Watchdog = QUICK) -> list[Burst]:
    async def send_chunks():
        for chunk in chunks:
            yield chunk
        if hang:
            await wait_without_end()

    async with aclosing(read_bursts(send_chunks(), InstantClock(), watchdog)) as bursts:
        return [burst async for burst in bursts]


async def test_events_that_come_together_are_one_burst():
    """A flushed buffer, cut by the network anywhere; comments and other fields are left out."""
    text = b": hello\nevent: x\n" + EVENT * 22
    chunks = [text[start : start + 100] for start in range(0, len(text), 100)]
    bursts = await collect_bursts(*chunks)
    assert [line for burst in bursts for line in burst.lines] == [EVENT.strip()] * 22
    assert all(burst.arrival_ms == InstantClock().now_ms() for burst in bursts)


async def test_events_that_were_held_back_are_one_burst():
    """Each comes whole and by itself, a few milliseconds after the other; they were measured a second apart."""

    async def send_events():
        yield EVENT
        clock.advance(4)
        for _ in range(4):
            yield EVENT
            await asyncio.sleep(0.004)

    clock = InstantClock()
    async with aclosing(read_bursts(send_events(), clock, Watchdog())) as bursts:
        assert [len(burst.lines) async for burst in bursts] == [1, 4]


async def test_an_incomplete_last_event_is_not_handed_over():
    """The connection ended inside it."""
    bursts = await collect_bursts(EVENT, EVENT[:30])
    assert [burst.lines for burst in bursts] == [[EVENT.strip()]]


async def test_a_stall_without_close_is_noticed():
    """Before the first event, and after it within three intervals."""
    with pytest.raises(GatewayUnreachableError, match=r"no event for 0.5 s"):
        await collect_bursts(hang=True)
    with pytest.raises(GatewayUnreachableError, match=r"no event for 0.15 s"):
        await collect_bursts(EVENT, hang=True)


@pytest.mark.parametrize("filler", [b"x", b":\n", b"\n"])
async def test_a_drip_counts_as_a_stall(filler):
    """Bytes, comments or blank lines keep coming, events do not."""

    async def drip():
        while True:
            yield filler
            await asyncio.sleep(0.001)

    async with aclosing(read_bursts(drip(), InstantClock(), QUICK)) as bursts:
        with pytest.raises(GatewayUnreachableError, match="no event"):
            await anext(bursts)


def test_patience_follows_the_spacing_of_bursts():
    """A firmware that sends 22 events every 22 seconds is not cut off, nor is anything waited for without end."""
    watchdog = Watchdog()
    assert watchdog.compute_patience(None) == 60
    assert watchdog.compute_patience(Burst(0, [b""])) > 30, "events may be held back for a while"
    assert watchdog.compute_patience(Burst(0, [b""] * 15)) == 45
    assert watchdog.compute_patience(Burst(0, [b""] * 1000)) == 60


# Through the whole client


def make_installer_gateway() -> tuple[FakeGateway, str]:
    fake, token = FakeGateway(), make_token(role="installer")
    fake.tokens.add(token)
    return fake, token


async def test_the_stream_is_read_over_tls(connected):
    """As one burst per arrival; the end of the stream ends the reading; requests go on beside it."""
    fake, token = make_installer_gateway()
    half = len(EVENT) // 2
    fake.special[PATH] = lambda _: make_raw(HEAD, EVENT[:half], EVENT[half:], EVENT)
    async with fake, connected(fake, token=lambda: token) as gateway:
        async with aclosing(gateway.stream_bursts()) as bursts:
            lines = [line async for burst in bursts for line in burst.lines]
        assert lines == [EVENT.strip()] * 2
        stream = next(request for request in fake.requests if request.path == PATH)
        assert stream.headers["authorization"] == f"Bearer {token}"
        assert stream.headers["cookie"].startswith("sessionId=")


async def test_requests_go_on_beside_the_stream(connected):
    """One request in flight plus one stream."""
    fake, token = make_installer_gateway()
    fake.special[PATH] = lambda _: make_raw(HEAD, EVENT, then=wait_without_end)
    async with fake, connected(fake, token=lambda: token) as gateway, aclosing(gateway.stream_bursts()) as bursts:
        assert await anext(bursts)
        assert await gateway.read_inverters()


async def test_a_stalled_stream_can_be_opened_again(connected):
    """The caller decides when; the gateway is looked at first."""
    fake, token = make_installer_gateway()
    fake.special[PATH] = lambda _: make_raw(HEAD, EVENT, then=wait_without_end)
    async with fake, connected(fake, token=lambda: token, watchdog=QUICK) as gateway:
        for _ in range(2):
            async with aclosing(gateway.stream_bursts()) as bursts:
                assert (await anext(bursts)).lines == [EVENT.strip()]
                with pytest.raises(GatewayUnreachableError, match="no event"):
                    await anext(bursts)
        assert fake.list_paths().count(PATH) == 2
        assert fake.list_paths().count("/auth/check_jwt") == 1


@pytest.mark.parametrize("status", [401, 404])
async def test_without_the_right_it_is_asked_once(connected, status):
    """An owner token, or no meters: final, and the login stays as it is."""
    fake, token = make_installer_gateway()
    fake.refused.update({PATH} if status == 401 else set())
    async with fake, connected(fake, token=lambda: token) as gateway:
        for _ in range(3):
            with pytest.raises(EndpointUnavailableError) as refused:
                await anext(gateway.stream_bursts())
            assert refused.value.status == status
        assert fake.list_paths().count(PATH) == 1
        assert fake.list_paths().count("/auth/check_jwt") == 1
        assert await gateway.read_inverters()


async def test_a_lapsed_session_is_renewed_for_the_stream(connected):
    """A 401 where it used to work."""
    fake, token = make_installer_gateway()
    fake.answers[PATH] = EVENT
    async with fake, connected(fake, token=lambda: token) as gateway:
        for _ in range(2):
            async with aclosing(gateway.stream_bursts()) as bursts:
                assert [burst.lines async for burst in bursts] == [[EVENT.strip()]]
            fake.sessions.clear()
        assert fake.list_paths().count("/auth/check_jwt") == 2


async def test_closing_the_stream_closes_the_connection(connected):
    """Nothing is left open when the reader stops in the middle."""
    fake, token = make_installer_gateway()
    closed = asyncio.Event()

    async def stream(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + EVENT)
        try:
            while True:
                writer.write(EVENT)
                await writer.drain()
                await asyncio.sleep(0.01)
        finally:
            closed.set()

    fake.special[PATH] = lambda _: stream
    async with fake, connected(fake, token=lambda: token) as gateway:
        async with aclosing(gateway.stream_bursts()) as bursts:
            await anext(bursts)
        async with asyncio.timeout(10):
            await closed.wait()
