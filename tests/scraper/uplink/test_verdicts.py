"""Rows leave the outbox by a verdict and by nothing else."""

import asyncio

import pytest

from scraper.errors import OutboxUnavailableError
from scraper.uplink.uplink import SUSPICIOUS
from tests.fake_http import CannedReply, raw
from tests.scraper.uplink.uplink_bench import problem, verdict

HTML = (("Content-Type", "text/html"),)
JSON = (("Content-Type", "application/json"),)


async def test_a_verdict_deletes_what_it_accepts_and_keeps_what_it_rejects_with_its_code(desk):
    await desk.add(5)
    desk.reply = lambda batch: verdict(batch, {2: "too-old", 4: "quota"})
    async with desk.running():
        await desk.clock.asked()
    assert (await desk.waiting(), await desk.dead()) == (0, 2)
    assert {letter.seq: letter.code for letter in desk.outbox.outbox.dead_letters()} == {2: "too-old", 4: "quota"}
    assert (desk.uplink.state.delivered, desk.uplink.state.refused) == (3, 2)


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
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
        raw(),
    ],
)
async def test_a_foreign_answer_deletes_nothing_and_is_tried_again(desk, foreign):
    await desk.add(3)
    desk.reply = lambda _: foreign
    async with desk.running():
        _, wake = await desk.clock.begun()
        assert await desk.waiting() == 3
        assert await desk.dead() == 0
        assert desk.uplink.state.problem
        desk.reply = verdict
        wake.set_result(None)
        await desk.clock.begun()
    assert await desk.waiting() == 0
    assert desk.uplink.state.problem is None


async def test_one_bad_row_is_found_and_all_others_are_delivered(desk):
    await desk.add(200)
    bad = 77
    desk.reply = lambda batch: problem("unprocessable", 422) if bad in batch.seqs else verdict(batch)
    async with desk.running():
        await desk.clock.asked()
    (letter,) = desk.outbox.outbox.dead_letters()
    assert (letter.seq, letter.code) == (bad, "unprocessable")
    assert (await desk.waiting(), desk.uplink.state.delivered) == (0, 199)
    assert len(desk.batches) < 25, "it is looked for by halves"


async def test_more_bad_rows_than_would_look_suspicious_pass_when_good_ones_lie_between(desk):
    await desk.add(200)
    bad = set(range(10, 200, 10))
    desk.reply = lambda batch: problem("malformed", 400) if bad & set(batch.seqs) else verdict(batch)
    async with desk.running():
        await desk.clock.asked()
    assert (await desk.waiting(), await desk.dead()) == (0, len(bad))


async def test_bad_rows_side_by_side_do_not_block_newer_ones(desk):
    bad = set(range(1, 13))
    await desk.add(40)
    desk.reply = lambda batch: problem("malformed", 400) if bad & set(batch.seqs) else verdict(batch)
    async with desk.running():
        for _ in range(4):
            await desk.clock.asked()
            await desk.add(1)
            if await desk.dead() == len(bad):
                break
    assert await desk.dead() == len(bad)


async def test_a_batch_that_is_too_large_is_halved(desk):
    await desk.add(100)
    desk.reply = lambda batch: problem("too-large", 413) if len(batch.seqs) > 30 else verdict(batch)
    async with desk.running():
        await desk.clock.asked()
    assert (await desk.waiting(), await desk.dead()) == (0, 0)


async def test_a_receiver_that_refuses_everything_gets_five_rows_and_no_more(desk):
    await desk.add(100)
    desk.reply = lambda _: problem("unprocessable", 422)
    async with desk.running():
        for _ in range(3):
            assert await desk.clock.asked() >= 300
    assert await desk.dead() == SUSPICIOUS == 5
    assert await desk.waiting() == 95
    assert desk.uplink.state.person_needed


async def test_an_unknown_wire_version_keeps_everything_and_is_tried_hourly(desk):
    await desk.add(3)
    desk.reply = lambda _: problem("unsupported-version", 422)
    async with desk.running():
        assert 3600 <= await desk.clock.asked() <= 3960
    assert (await desk.waiting(), await desk.dead()) == (3, 0)
    assert "upgrade" in (desk.uplink.state.problem or "")


async def test_a_row_committed_during_a_post_is_not_deleted_by_its_verdict(desk):
    """Also not when the verdict's count would fit."""
    await desk.add(2)
    loop = asyncio.get_running_loop()

    def commit_meanwhile(batch):
        desk.reply = verdict
        return raw_after(loop.create_task(desk.add(1)), verdict(batch))

    desk.reply = commit_meanwhile
    async with desk.running():
        await desk.clock.begun()
    assert [batch.seqs for batch in desk.batches] == [[1, 2], [3]]
    assert await desk.waiting() == 0


def raw_after(task, answer):
    async def write(writer):
        await task
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer.body)}\r\n\r\n"
        writer.write(head.encode() + answer.body)
        await writer.drain()

    return write


async def test_a_disk_that_is_full_when_a_verdict_is_obeyed_only_repeats_the_post(desk, monkeypatch):
    await desk.add(3)
    whole = desk.outbox.settle
    calls = 0

    async def full_once(*args: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OutboxUnavailableError("the disk is full: free some space")
        await whole(*args)

    monkeypatch.setattr(desk.outbox, "settle", full_once)
    async with desk.running() as task:
        _, wake = await desk.clock.begun()
        assert desk.uplink.state.problem == "the disk is full: free some space"
        wake.set_result(None)
        await desk.clock.begun()
        assert not task.done()
    assert await desk.waiting() == 0
    assert [batch.seqs for batch in desk.batches] == [[1, 2, 3], [1, 2, 3]]


async def test_a_stop_during_a_post_loses_nothing_and_the_last_post_delivers(desk):
    await desk.add(3)
    posted, never = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        posted.set()
        await never.wait()

    desk.reply = lambda _: raw(then=hang)
    async with desk.running():
        await posted.wait()
    assert await desk.waiting() == 3
    desk.reply = verdict
    await desk.uplink.drain_once()
    assert await desk.waiting() == 0
    never.set()
