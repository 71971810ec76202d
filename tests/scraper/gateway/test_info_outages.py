"""`/info` alone is out of order: what the gateway says of itself may wait."""

import pytest

from scraper.errors import BadReplyError
from scraper.gateway.session import IDENTIFY_AGAIN_S, IDENTIFY_S
from tests.fake_http import CannedReply


@pytest.mark.parametrize("status", [502, 503])
async def test_info_alone_out_of_order_is_no_outage(fake, token, connected, clock, status):
    """The four-hourly look at the firmware waits until `/info` answers again; what answers is read meanwhile."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        assert await gateway.read_inverters()
        fake.special["/info"] = lambda _: CannedReply(status, b"")
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
