"""A receiver that is killed while it judges and sends: nothing is told twice, and what may be repeated has one id."""

import asyncio
import contextlib
import random
import sys

import msgspec
import pytest

from tests.fake_http import CannedReply, FakeRequest, Raw, make_raw, run_server, wait_without_end
from tests.receiver.alarms.channels import wait_until

pytestmark = pytest.mark.slow


class Listener:
    """A channel that takes every message, and says so only while it `answers`."""

    def __init__(self) -> None:
        self.requests: list[FakeRequest] = []
        self.answers = True

    def handle(self, request: FakeRequest) -> CannedReply | Raw:
        self.requests.append(request)
        return CannedReply() if self.answers else make_raw(then=wait_without_end)

    def list_titles(self) -> list[str]:
        return [one.headers["x-title"] for one in self.requests]

    def list_ids(self) -> list[str]:
        return [msgspec.json.decode(one.body)["id"] for one in self.requests]


@contextlib.asynccontextmanager
async def run_listeners():
    ntfy, webhook = Listener(), Listener()
    async with run_server(ntfy.handle) as first, run_server(webhook.handle) as second:
        yield ntfy, webhook, (f"http://127.0.0.1:{first.port}/roof", f"http://127.0.0.1:{second.port}/a")


@contextlib.asynccontextmanager
async def run_killed(folder, addresses, *, changed: bool):
    """The receiver, killed at the end by SIGKILL."""
    arguments = [str(folder), str(float(changed)), *addresses]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.receiver.alarms.killed_receiver", *arguments, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"started\n"
        yield process
    finally:
        process.kill()
        await process.wait()


async def wait_for(listener: Listener, count: int) -> None:
    await wait_until(lambda: len(listener.requests) >= count)


async def test_what_was_cut_is_repeated_only_where_a_repetition_is_recognised(tmp_path):
    async with run_listeners() as (ntfy, webhook, addresses):
        ntfy.answers = webhook.answers = False
        async with run_killed(tmp_path / "state", addresses, changed=True):
            await wait_for(ntfy, 1)
            await wait_for(webhook, 1)
        ntfy.answers = webhook.answers = True
        async with run_killed(tmp_path / "state", addresses, changed=True):
            await wait_for(webhook, 2)
        async with run_killed(tmp_path / "state", addresses, changed=False):
            await wait_for(ntfy, 2)
            await wait_for(webhook, 3)
        assert ntfy.list_titles() == ["Certificate changed", "Certificate changed is over"]
        assert len(set(webhook.list_ids())) == 2
        assert webhook.list_ids()[0] == webhook.list_ids()[1]


async def test_ten_kills_at_any_moment_tell_nothing_twice(tmp_path):
    dice = random.Random(12)
    async with run_listeners() as (ntfy, webhook, addresses):
        for changed in (True, False):
            for _ in range(5):
                async with run_killed(tmp_path / "state", addresses, changed=changed):
                    await asyncio.sleep(dice.uniform(0.0, 0.1))
            async with run_killed(tmp_path / "state", addresses, changed=changed):
                await wait_for(webhook, len(set(webhook.list_ids())) or 1)
                await asyncio.sleep(0.5)
        titles = ntfy.list_titles()
        assert titles.count("Certificate changed") <= 1
        assert titles.count("Certificate changed is over") <= 1
        assert len(set(webhook.list_ids())) == 2
