"""Rows leave the outbox by a verdict and by nothing else."""

import asyncio

import pytest

from scraper.errors import OutboxUnavailableError
from scraper.uplink.uplink import SUSPICIOUS
from tests.fake_http import CannedReply, make_raw
from tests.scraper.uplink.uplink_bench import make_problem, make_verdict

HTML = (("Content-Type", "text/html"),)
JSON = (("Content-Type", "application/json"),)


async def test_a_verdict_deletes_what_it_accepts_and_keeps_what_it_rejects_with_its_code(bench):
    await bench.add(5)
    bench.reply = lambda batch: make_verdict(batch, {2: "too-old", 4: "quota"})
    async with bench.run_uplink():
        await bench.clock.end_next_sleep()
    assert (await bench.count_waiting(), await bench.count_dead()) == (0, 2)
    assert {letter.seq: letter.code for letter in bench.outbox.outbox.read_dead_letters()} == {2: "too-old", 4: "quota"}
    assert (bench.uplink.state.delivered, bench.uplink.state.refused) == (3, 2)


@pytest.mark.parametrize(
    "foreign",
    [
        CannedReply(200, b"<html>Welcome to the hotel</html>", HTML),
        CannedReply(200, b'{"status":"ok","accepted":3}', JSON),
        CannedReply(200, b'{"batch":"00","accepted":3}', JSON),
        CannedReply(204),
        CannedReply(301, b"", (("Location", "https://attacker.invalid/"),)),
        CannedReply(401, b"login", HTML),
        CannedReply(404, b"nothing here", HTML),
        CannedReply(413, b"too large", HTML),
        CannedReply(422, b'{"detail":"no"}', JSON),
        CannedReply(502, b"bad gateway", HTML),
        CannedReply(200, b"\x1f\x8b" + bytes(50), (*JSON, ("Content-Encoding", "gzip"))),
        CannedReply(200, b" " * 300_000, JSON),
        make_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        make_raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
        make_raw(),
    ],
)
async def test_a_foreign_answer_deletes_nothing_and_is_tried_again(bench, foreign):
    await bench.add(3)
    bench.reply = lambda _: foreign
    async with bench.run_uplink():
        _, wake = await bench.clock.await_sleep()
        assert await bench.count_waiting() == 3
        assert await bench.count_dead() == 0
        assert bench.uplink.state.problem
        bench.reply = make_verdict
        wake.set_result(None)
        await bench.clock.await_sleep()
    assert await bench.count_waiting() == 0
    assert bench.uplink.state.problem is None


async def test_one_bad_row_is_found_and_all_others_are_delivered(bench):
    await bench.add(200)
    bad = 77
    bench.reply = lambda batch: make_problem("unprocessable", 422) if bad in batch.seqs else make_verdict(batch)
    async with bench.run_uplink():
        await bench.clock.end_next_sleep()
    (letter,) = bench.outbox.outbox.read_dead_letters()
    assert (letter.seq, letter.code) == (bad, "unprocessable")
    assert (await bench.count_waiting(), bench.uplink.state.delivered) == (0, 199)
    assert len(bench.batches) < 25, "it is looked for by halves"


async def test_more_bad_rows_than_would_look_suspicious_pass_when_good_ones_lie_between(bench):
    await bench.add(200)
    bad = set(range(10, 200, 10))
    bench.reply = lambda batch: make_problem("malformed", 400) if bad & set(batch.seqs) else make_verdict(batch)
    async with bench.run_uplink():
        await bench.clock.end_next_sleep()
    assert (await bench.count_waiting(), await bench.count_dead()) == (0, len(bad))


async def test_bad_rows_side_by_side_do_not_block_newer_ones(bench):
    bad = set(range(1, 13))
    await bench.add(40)
    bench.reply = lambda batch: make_problem("malformed", 400) if bad & set(batch.seqs) else make_verdict(batch)
    async with bench.run_uplink():
        for _ in range(4):
            await bench.clock.end_next_sleep()
            await bench.add(1)
            if await bench.count_dead() == len(bad):
                break
    assert await bench.count_dead() == len(bad)


async def test_a_batch_that_is_too_large_is_halved(bench):
    await bench.add(100)
    bench.reply = lambda batch: make_problem("too-large", 413) if len(batch.seqs) > 30 else make_verdict(batch)
    async with bench.run_uplink():
        await bench.clock.end_next_sleep()
    assert (await bench.count_waiting(), await bench.count_dead()) == (0, 0)


async def test_a_receiver_that_refuses_everything_gets_five_rows_and_no_more(bench):
    await bench.add(100)
    bench.reply = lambda _: make_problem("unprocessable", 422)
    async with bench.run_uplink():
        for _ in range(3):
            assert await bench.clock.end_next_sleep() >= 300
    assert await bench.count_dead() == SUSPICIOUS == 5
    assert await bench.count_waiting() == 95
    assert bench.uplink.state.person_needed


async def test_an_unknown_wire_version_keeps_everything_and_is_tried_hourly(bench):
    await bench.add(3)
    bench.reply = lambda _: make_problem("unsupported-version", 422)
    async with bench.run_uplink():
        assert 3600 <= await bench.clock.end_next_sleep() <= 3960
    assert (await bench.count_waiting(), await bench.count_dead()) == (3, 0)
    assert "upgrade" in (bench.uplink.state.problem or "")


async def test_a_row_committed_during_a_post_is_not_deleted_by_its_verdict(bench):
    """Also not when the verdict's count would fit."""
    await bench.add(2)
    loop = asyncio.get_running_loop()

    def commit_meanwhile(batch):
        bench.reply = make_verdict
        return make_raw_after(loop.create_task(bench.add(1)), make_verdict(batch))

    bench.reply = commit_meanwhile
    async with bench.run_uplink():
        await bench.clock.await_sleep()
    assert [batch.seqs for batch in bench.batches] == [[1, 2], [3]]
    assert await bench.count_waiting() == 0


def make_raw_after(task, answer):
    async def write(writer):
        await task
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer.body)}\r\n\r\n"
        writer.write(head.encode() + answer.body)
        await writer.drain()

    return write


async def test_a_disk_that_is_full_when_a_verdict_is_obeyed_only_repeats_the_post(bench, monkeypatch):
    await bench.add(3)
    whole = bench.outbox.settle
    calls = 0

    async def fail_once(*args: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OutboxUnavailableError("the disk is full: free some space")
        await whole(*args)

    monkeypatch.setattr(bench.outbox, "settle", fail_once)
    async with bench.run_uplink() as task:
        _, wake = await bench.clock.await_sleep()
        assert bench.uplink.state.problem == "the disk is full: free some space"
        wake.set_result(None)
        await bench.clock.await_sleep()
        assert not task.done()
    assert await bench.count_waiting() == 0
    assert [batch.seqs for batch in bench.batches] == [[1, 2, 3], [1, 2, 3]]


async def test_a_stop_during_a_post_loses_nothing_and_the_last_post_delivers(bench):
    await bench.add(3)
    posted, never = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        posted.set()
        await never.wait()

    bench.reply = lambda _: make_raw(then=hang)
    async with bench.run_uplink():
        await posted.wait()
    assert await bench.count_waiting() == 3
    bench.reply = make_verdict
    await bench.uplink.drain_once()
    assert await bench.count_waiting() == 0
    never.set()
