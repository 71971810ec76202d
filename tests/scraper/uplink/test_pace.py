"""When the uplink posts, how much, and how long it waits."""

import asyncio
import email.utils

import jwt
import pytest

from scraper.errors import ScraperSettingError
from scraper.uplink.signer import HouseholdSecret, Signer
from scraper.uplink.uplink import MIN_ROWS
from shared import wire
from tests.clocks import NOW_MS
from tests.fake_http import CannedReply
from tests.scraper.uplink.uplink_bench import SECRET, make_problem, make_verdict


async def test_the_newest_readings_go_before_the_backlog(bench):
    await bench.add(2000)
    arrivals: list[int] = []

    def count(batch):
        arrivals.append(max(batch.seqs))
        return make_verdict(batch)

    bench.reply = count
    async with bench.run_uplink():
        await bench.clock.await_sleep()
    assert arrivals == [2000, 500, 1500, 1000]


async def test_what_is_read_while_a_backlog_drains_arrives_within_two_posts(bench):
    await bench.add(3000)
    loop = asyncio.get_running_loop()
    adding: list[asyncio.Task[None]] = []

    def commit_meanwhile(batch):
        if len(bench.batches) == 2:
            adding.append(loop.create_task(bench.add(1)))
        return make_verdict(batch)

    bench.reply = commit_meanwhile
    async with bench.run_uplink():
        await bench.clock.await_sleep()
    assert 3001 in {seq for batch in bench.batches[2:5] for seq in batch.seqs}
    assert await bench.count_waiting() == 0


async def test_no_answer_halves_the_batches_and_success_doubles_them(bench):
    await bench.add(2000)
    port = bench.server.port
    await bench.server.stop()
    async with bench.run_uplink():
        for _ in range(6):
            await bench.clock.end_next_sleep()
        _, wake = await bench.clock.await_sleep()
        assert "no connection to the receiver" in (bench.uplink.state.problem or "")
        await bench.server.start()
        assert bench.server.port == port
        wake.set_result(None)
        await bench.clock.await_sleep()
    sizes = [len(batch.seqs) for batch in bench.batches]
    assert sizes[:6] == [MIN_ROWS, 32, 64, 128, 256, wire.MAX_ROWS]


async def test_a_watcher_makes_every_commit_a_post_and_nobody_makes_it_one_in_ten_seconds(bench):
    bench.reply = lambda batch: make_verdict(batch, watched=len(bench.batches) < 3)
    await bench.add(1)
    async with bench.run_uplink():
        await bench.clock.await_sleep()
        assert bench.uplink.state.watched
        await bench.add(1)  # posted at once: the sleep above is still going on
        await bench.clock.await_sleep()
        await bench.add(1)
        seconds, _ = await bench.clock.await_sleep()
        assert seconds == 10
        assert len(bench.batches) == 3
        assert not bench.uplink.state.watched
        await bench.add(1)
        await asyncio.sleep(0)
        assert len(bench.batches) == 3


async def test_retry_after_is_obeyed_and_spread(bench):
    await bench.add(1)
    bench.reply = lambda _: make_problem("store-unavailable", 503, ("Retry-After", "90"))
    async with bench.run_uplink():
        waits = [await bench.clock.end_next_sleep() for _ in range(4)]
    assert all(90 <= wait <= 99 for wait in waits), waits
    assert len(set(waits)) > 1


@pytest.mark.parametrize("status", [429, 502, 503])
async def test_a_foreign_retry_after_is_obeyed_too(bench, status):
    await bench.add(1)
    bench.reply = lambda _: CannedReply(status, b"busy", (("Retry-After", "60"),))
    async with bench.run_uplink():
        assert await bench.clock.end_next_sleep() >= 60


async def test_waits_grow_to_five_minutes_and_never_end(bench):
    await bench.add(1)
    bench.reply = lambda _: CannedReply(500)
    async with bench.run_uplink():
        waits = [await bench.clock.end_next_sleep() for _ in range(40)]
    assert max(waits[:3]) <= 4
    assert 150 < max(waits) <= 300
    assert await bench.count_waiting() == 1


async def test_a_401_mints_again_once_on_the_receivers_clock(bench):
    """A host whose clock is off by a day still delivers."""
    await bench.add(1)
    receiver_s = NOW_MS // 1000 + 86_400
    date = ("Date", email.utils.formatdate(receiver_s, usegmt=True))

    def judge(batch):
        claims = jwt.decode(batch.token, options={"verify_signature": False})
        fresh = claims["iat"] <= receiver_s <= claims["exp"]
        return make_verdict(batch) if fresh else make_problem("unauthorised", 401, date)

    bench.reply = judge
    async with bench.run_uplink():
        await bench.clock.await_sleep()
        await bench.add(1)
    await bench.uplink.drain_once()
    assert await bench.count_waiting() == 0
    assert len(bench.batches) == 3, "the offset is kept"


async def test_a_signature_that_stays_refused_needs_a_person_and_asks_every_ten_seconds_without_rows(bench):
    """Somebody gives `keys add` about now; what waits is not sent again and again for that."""
    await bench.add(1)
    bench.reply = lambda _: make_problem("unauthorised", 401)
    async with bench.run_uplink():
        waits = [await bench.clock.end_next_sleep() for _ in range(3)]
    assert all(10 <= wait <= 11 for wait in waits), waits
    assert [len(batch.seqs) for batch in bench.batches][:6] == [1, 1, 0, 0, 0, 0]
    assert bench.uplink.state.person_needed
    assert "ENVOY_RECEIVER_SECRET must equal RECEIVER_SECRET" in (bench.uplink.state.problem or "")


async def test_a_forbidden_gateway_needs_a_person_who_is_told_what_to_do(bench):
    await bench.add(1)
    bench.reply = lambda _: make_problem("forbidden", 403)
    async with bench.run_uplink():
        assert 10 <= await bench.clock.end_next_sleep() <= 11
    assert bench.uplink.state.person_needed
    assert "RECEIVER_GATEWAYS" in (bench.uplink.state.problem or "")


def test_a_refused_token_makes_the_signer_read_a_key_that_was_replaced():
    replaced = "another-secret-7c1e94b05ad8f36229be014d7a"
    signer = Signer(HouseholdSecret(SECRET), "1", reload=lambda: HouseholdSecret(replaced))
    signer.get_token(1_000)
    signer.renew(now_s=1_000, receiver_now_s=None)
    jwt.decode(signer.get_token(1_000), replaced, ["HS256"], audience="envoy-receiver", options={"verify_exp": False})


def test_a_key_file_that_is_gone_while_it_is_replaced_leaves_the_old_key():
    def fail() -> HouseholdSecret:
        raise ScraperSettingError("ENVOY_RECEIVER_SECRET_FILE: it cannot be read")

    signer = Signer(HouseholdSecret(SECRET), "1", reload=fail)
    signer.renew(now_s=1_000, receiver_now_s=None)
    jwt.decode(signer.get_token(1_000), SECRET, ["HS256"], audience="envoy-receiver", options={"verify_exp": False})
