"""One reader's questions and the others, over real sockets: shares, room in memory, and askers that leave."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx

from receiver.api import answers
from receiver.queries.shares import RowBudget, Shares
from receiver.queries.slices import run_slice
from receiver.service.app import create_app
from receiver.service.build import Receiver
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver import service as hosted
from tests.receiver.service import GATEWAY, READ_SECRET, Service, make_meter, make_read_claims, sign

GATEWAYS = f"/api/v1/gateways/{GATEWAY}"
SERIES = f"{GATEWAYS}/series?kind=meter&field=power&start=-1h"


def make_token(reader: str) -> str:
    return sign(make_read_claims(jti=reader), READ_SECRET, kid="read")


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not what():  # noqa: ASYNC110 (the server gets there by itself)
            await asyncio.sleep(0.01)


class HeldStore:
    """Lets a store's `points` go on only when it is told to, and notes what is asked of it."""

    def __init__(self, receiver: Receiver) -> None:
        self._points = receiver.store.read_points
        self.may_go = asyncio.Event()
        self.begun = 0
        self.left = 0
        receiver.store.read_points = self.read_points  # type: ignore[method-assign]

    async def read_points(self, *args, **kwargs):
        self.begun += 1
        try:
            await self.may_go.wait()
        except asyncio.CancelledError:
            self.left += 1
            raise
        return await self._points(*args, **kwargs)


@contextlib.asynccontextmanager
async def ask_at_once(
    service: Service, path: str, reader: str, times: int
) -> AsyncIterator[list[asyncio.Task[httpx.Response]]]:
    """The same question so many times at once, each on a connection of its own."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}", timeout=30) as client:
        headers = {"authorization": f"Bearer {make_token(reader)}"}
        tasks = [asyncio.create_task(client.get(path, headers=headers)) for _ in range(times)]
        yield tasks
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_reader_with_many_questions_waits_and_another_one_does_not(service: Service):
    await service.send(make_meter(NOW_MS - 2000), make_meter(NOW_MS - 1000))
    store = HeldStore(service.receiver)
    async with ask_at_once(service, SERIES, "greedy", 20) as greedy:
        await until(lambda: len(service.receiver.shares.waiting) == 18 and store.begun == 2)
        assert (await service.get(f"{GATEWAYS}/power", token=make_token("modest"))).status_code == 200
        store.may_go.set()
        assert {answer.status_code for answer in await asyncio.gather(*greedy)} == {200}
    await until(lambda: not service.receiver.shares.readers)
    assert service.receiver.rows.held == 0


async def test_work_stops_when_its_asker_has_gone(service: Service):
    """Whether it is under way or still waits; and what it held is free."""
    await service.send(make_meter(NOW_MS - 2000), make_meter(NOW_MS - 1000))
    store = HeldStore(service.receiver)
    async with ask_at_once(service, SERIES, "greedy", 10):
        await until(lambda: store.begun == 2 and len(service.receiver.shares.waiting) == 8)
        assert service.receiver.rows.held > 0
    await until(lambda: not service.receiver.shares.readers and not service.receiver.shares.waiting)
    assert (store.begun, store.left, service.receiver.rows.held) == (2, 2, 0)
    store.may_go.set()
    assert (await service.get(SERIES, token=make_token("greedy"))).status_code == 200


async def test_what_an_asker_left_behind_on_a_thread_is_waited_for():
    """A share is free only when nothing of its question runs any more."""
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), []
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(may_end.wait(), loop).result(20)
        ended.append(True)

    task = asyncio.create_task(run_slice(work))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0.05)
    assert not task.done()
    may_end.set()
    await asyncio.wait({task})
    assert (task.cancelled(), ended) == (True, [True])


async def check_refused(service: Service, ask: Callable[[], Awaitable[httpx.Response]]) -> None:
    answer = await ask()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["code"] == "store-unavailable"
    assert "wait, then ask again" in answer.json()["detail"]


async def test_beyond_the_share_and_beyond_the_memory_readers_hear_when_to_come_again(tmp_path):
    async with hosted.start(tmp_path) as service:
        await service.send(make_meter(NOW_MS - 2000), make_meter(NOW_MS - 1000))
        shares, rows = service.receiver.shares, service.receiver.rows
        shares._waiting_of_reader, shares._of_reader = 1, 1
        rows._most, rows._longest_wait_s = 60_000, 0.05
        store = HeldStore(service.receiver)
        async with ask_at_once(service, SERIES, "greedy", 2):
            await until(lambda: store.begun == 1 and len(shares.waiting) == 1)
            await check_refused(service, lambda: service.get(SERIES, token=make_token("greedy")))
            await check_refused(service, lambda: service.get(SERIES, token=make_token("modest")))
            assert (await service.get(f"{GATEWAYS}/meters", token=make_token("modest"))).status_code == 200


async def test_a_reader_that_takes_nothing_of_its_answer_holds_no_rows_and_is_given_up(service: Service, monkeypatch):
    """Its own share is taken until then, and nobody else's."""
    monkeypatch.setattr(answers, "SEND_S", 0.2)
    await service.send(make_meter(NOW_MS - 2000), make_meter(NOW_MS - 1000))
    scope = {
        "type": "http", "method": "GET", "path": f"{GATEWAYS}/series", "raw_path": b"", "root_path": "",
        "query_string": b"kind=meter&field=power&start=-13h&every=1s&fill=null", "http_version": "1.1",
        "scheme": "http", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
        "headers": [(b"authorization", f"Bearer {make_token('slow')}".encode())],
    }  # fmt: skip
    never, seen = asyncio.Event(), []

    async def receive():
        await never.wait()

    async def send(message):
        if message["type"] == "http.response.body":
            seen.append((len(message["body"]), service.receiver.rows.held, dict(service.receiver.shares.readers)))
            await never.wait()

    async with asyncio.timeout(20):
        await create_app(service.receiver)(scope, receive, send)
    assert seen == [(65536, 0, {"slow": 1})]
    assert not service.receiver.shares.readers


async def test_what_is_posted_is_finished_though_its_sender_has_gone(service: Service):
    reading = Reading("meter", {"meter": "production", "phase": "a"}, NOW_MS, {"power": 1.0})
    body = hosted.make_batch(reading)
    write = service.receiver.store.write
    begun, may_go = asyncio.Event(), asyncio.Event()

    async def wait_and_write(rows):
        begun.set()
        await may_go.wait()
        return await write(rows)

    service.receiver.store.write = wait_and_write  # type: ignore[method-assign]
    post = asyncio.create_task(service.post(body))
    await begun.wait()
    post.cancel()
    await asyncio.gather(post, return_exceptions=True)
    may_go.set()
    async with asyncio.timeout(10):
        while not await service.receiver.store.read_latest(GATEWAY, "meter"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_the_bounds_leave_room_for_others():
    assert Shares()._of_gateway > 2 * Shares()._of_reader
    assert RowBudget()._most < 500_000
