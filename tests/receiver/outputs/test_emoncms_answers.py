"""What EmonCMS answers, which is 200 to nearly everything, and what its set-up lacks: told in a sentence, nothing lost."""

import pytest

from receiver.outputs.base import OutputError, Slice
from receiver.outputs.emoncms.connection import EmonCmsConnection
from receiver.outputs.emoncms.target import EmonCmsTarget
from receiver.settings import EmonCmsSettings
from receiver.sites.model import Site
from receiver.stores.sqlite.store import SqliteStore
from tests.clocks import StoppedClock
from tests.fake_http import CannedReply
from tests.receiver.outputs.emoncms_fake import READ_KEY, WRITE_KEY
from tests.receiver.outputs.test_emoncms import BEGIN_MS, list_slots, make_settings, run_bench, run_live
from tests.receiver.service import GATEWAY


@pytest.mark.parametrize(
    ("reply", "reason", "words"),
    [
        (CannedReply(200), "login", "may read but not write"),
        (CannedReply(401, b"Invalid API key"), "login", "RECEIVER_EMONCMS_API_KEY"),
        (CannedReply(406), "refused", "RECEIVER_EMONCMS_URL"),
        (CannedReply(200, b'{"success": false, "message": "Reached the maximal"}'), "refused", "Reached the maximal"),
        (CannedReply(200, b"<html>hello</html>"), "refused", "hello"),
    ],
)
async def test_an_answer_is_judged_by_its_body_and_nothing_counts_as_taken(tmp_path, reply, reason, words):
    async with run_bench(tmp_path) as (bench, fake, server):
        server.handler = lambda _: reply
        await run_live(bench, 60)
        (state,) = bench.driver.list_states(bench.clock.now_ms())
        assert words in state.problem
        assert len(server.requests) == 1  # a problem of set-up is tried again after minutes
        with pytest.raises(OutputError) as caught:
            await bench.driver._target.deliver(Slice(GATEWAY, BEGIN_MS, BEGIN_MS + 30_000, None, is_late=False))
        assert (caught.value.reason, caught.value.retry_after_s) == (reason, 300.0)
        server.handler = fake.answer
        bench.clock.advance(400)
        await bench.catch_up()
        assert list_slots(fake)[0] == BEGIN_MS // 1000


async def test_a_server_that_fails_is_asked_again_soon(tmp_path):
    async with run_bench(tmp_path) as (bench, fake, server):
        server.handler = lambda _: CannedReply(500, b"out of memory")
        await run_live(bench, 60)
        assert "fails (500)" in bench.driver.list_states(bench.clock.now_ms())[0].problem
        server.handler = fake.answer
        bench.clock.advance(60)
        await bench.catch_up()
        assert list_slots(fake)[0] == BEGIN_MS // 1000


async def test_a_name_that_vanishes_at_the_public_server_is_refused_without_asking_it(tmp_path):
    site = Site.model_validate({"outputs": {"emoncms": {"panels": "Envoy-S-inverters"}}})
    settings = EmonCmsSettings(url="https://emoncms.org", api_key=WRITE_KEY)
    store = SqliteStore(tmp_path / "readings.sqlite")  # never opened
    target = EmonCmsTarget("https://emoncms.org", settings, store, lambda _: site, StoppedClock(BEGIN_MS))
    try:
        with pytest.raises(OutputError, match="the node Envoy-S-inverters without a word"):
            await target.check([GATEWAY])
        with pytest.raises(OutputError, match="shorter name"):
            await target.deliver(Slice(GATEWAY, BEGIN_MS, BEGIN_MS + 1000, None, is_late=False))
    finally:
        await target.close()


async def test_check_writes_nothing_and_tells_a_read_key_and_disabled_inputs(tmp_path):
    async with run_bench(tmp_path) as (_, fake, server):
        assert "may write" in await check(server, WRITE_KEY)
        with pytest.raises(OutputError, match="may read but not write"):
            await check(server, READ_KEY)
        with pytest.raises(OutputError, match="API_KEY"):
            await check(server, "0" * 32)
        fake.disabled = True
        with pytest.raises(OutputError, match="switched off"):
            await check(server, WRITE_KEY)
        assert not fake.posts


async def check(server, key):
    settings = make_settings(server, key)
    connection = EmonCmsConnection(settings.url, settings)
    try:
        return await connection.check("Envoy-S")
    finally:
        await connection.close()
