"""`/info` alone is out of order: what the gateway says of itself may wait."""

import asyncio
from typing import cast

import pytest

from scraper.collect.clock_look import AGAIN_S, ClockLook
from scraper.errors import BadReplyError
from scraper.gateway import probe
from scraper.gateway.session import IDENTIFY_AGAIN_S, IDENTIFY_S, GatewaySession
from scraper.gateway.transport import Deadlines
from tests.fake_http import CannedReply


async def never_answer(_: asyncio.StreamWriter) -> None:
    """As a backend that hangs."""
    await asyncio.sleep(30)


@pytest.mark.parametrize("trouble", [CannedReply(502, b""), CannedReply(503, b""), never_answer])
async def test_info_alone_out_of_order_is_no_outage(fake, token, connected, clock, trouble, monkeypatch):
    """The four-hourly look at the firmware waits until `/info` answers again; what answers is read meanwhile."""
    monkeypatch.setattr(probe, "CLOCK_S", 0.3)
    deadlines = Deadlines(total=1.0)
    async with fake, connected(fake, token=lambda: token, deadlines=deadlines) as gateway:
        assert await gateway.read_inverters()
        fake.special["/info"] = lambda _: trouble
        with pytest.raises(BadReplyError):
            await gateway.look_at_clock()
        clock.advance(IDENTIFY_S)
        before = fake.list_paths().count("/info")
        for _ in range(3):
            assert await gateway.read_inverters()
        assert fake.list_paths().count("/info") == before + 2, "one look, by https and http"
        del fake.special["/info"]
        clock.advance(IDENTIFY_AGAIN_S)
        fake.firmware = "D8.3.5433"
        assert await gateway.read_inverters()
        assert gateway.identity is not None
        assert gateway.identity.firmware == "D8.3.5433"


async def test_a_clock_that_was_waited_for_in_vain_is_left_in_peace_for_a_while(clock):
    """Meters and inverters wait as long as the clock is waited for."""

    class HangingGateway:
        asked = 0
        waits_s = 10.0

        async def look_at_clock(self):
            self.asked += 1
            clock.advance(self.waits_s)
            raise BadReplyError("the gateway does not tell its time now")

    gateway = HangingGateway()
    look = ClockLook(cast("GatewaySession", gateway), clock)
    for _ in range(5):
        assert await look.look() is None
        clock.advance(60)
    assert gateway.asked == 1
    clock.advance(AGAIN_S)
    gateway.waits_s = 0.1
    for _ in range(2):
        assert await look.look() is None
    assert gateway.asked == 3, "one that fails at once is asked again each time"
