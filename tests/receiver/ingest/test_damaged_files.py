"""A receiver whose files are damaged: what is disposable is begun again, and readiness says what is not."""

import asyncio
import sqlite3
from contextlib import closing

import httpx
import pytest

from receiver.cli.check import examine
from receiver.rollups.job import JOURNAL_FILE
from tests.clocks import NOW_MS
from tests.receiver.service import GATEWAY, OTHER, Service, make_batch, make_meter, make_settings, start


async def post(service: Service, count: int, serial: str = GATEWAY) -> httpx.Response:
    return await service.post(make_batch(*(make_meter(NOW_MS - 1000 * back) for back in range(count))), serial=serial)


async def test_a_damaged_journal_is_begun_again_and_refuses_nothing(tmp_path):
    """Its structure is sound, and a serial in it is no UTF-8."""
    state = tmp_path / "state"
    async with start(state) as service:
        assert (await post(service, 3)).status_code == 200
    journal = state / JOURNAL_FILE
    journal.write_bytes(journal.read_bytes().replace(GATEWAY.encode(), b"\xff" * len(GATEWAY)))
    async with start(state) as service:
        assert (await post(service, 4)).status_code == 200
        assert (await service.get("/readyz", token="")).status_code == 200
    assert journal.with_name(f"{JOURNAL_FILE}.damaged").exists()


async def test_a_journal_that_is_damaged_while_it_is_used_refuses_nothing(tmp_path):
    state = tmp_path / "state"
    async with start(state) as service:
        assert (await post(service, 3)).status_code == 200
        with closing(sqlite3.connect(state / JOURNAL_FILE)) as other:
            other.execute("DROP TABLE dirty")
        answer = await service.post(make_batch(make_meter(NOW_MS - 3 * 3_600_000)))
        assert answer.status_code == 200
        assert (await service.get("/readyz", token="")).status_code == 200


@pytest.mark.parametrize("put_in_place", [lambda _: None, lambda path: path.write_bytes(b"")])
async def test_a_journal_that_is_deleted_while_it_is_used_refuses_nothing(tmp_path, put_in_place):
    """Readiness said yes meanwhile; also where something else lies in its place."""
    journal = tmp_path / "state" / JOURNAL_FILE
    async with start(tmp_path / "state") as service:
        assert (await post(service, 3)).status_code == 200
        journal.unlink()
        put_in_place(journal)
        assert (await service.get("/readyz", token="")).status_code == 200
        assert (await service.post(make_batch(make_meter(NOW_MS - 3 * 3_600_000)))).status_code == 200
        assert (await post(service, 4)).status_code == 200
    with closing(sqlite3.connect(journal)) as connection:
        assert connection.execute("SELECT count(*) FROM dirty").fetchone()[0] > 1


async def test_readiness_never_says_yes_while_every_post_is_refused(tmp_path):
    """A journal that cannot be made: something is in its way that is no file."""
    state = tmp_path / "state"
    (state / JOURNAL_FILE).mkdir(parents=True, mode=0o700)
    state.chmod(0o700)
    async with start(state) as service:
        assert (await post(service, 1)).status_code == 503
        assert (await service.get("/readyz", token="")).status_code == 503
        assert JOURNAL_FILE in str(await service.receiver.find_problem())
        (state / JOURNAL_FILE).rmdir()
        assert (await service.get("/readyz", token="")).status_code == 200
        assert (await post(service, 1)).status_code == 200


async def test_damaged_series_end_nobodys_batches_and_readiness_and_the_doctor_say_it(tmp_path):
    state = tmp_path / "state"
    async with start(state) as service:
        for serial in (GATEWAY, OTHER):
            assert (await post(service, 3, serial)).status_code == 200
    with closing(sqlite3.connect(state / "readings.sqlite")) as connection:
        connection.execute(
            "UPDATE series SET tags = CAST(x'7b22ff' || substr(tags, 4) AS TEXT) WHERE gateway = ?", (GATEWAY,)
        )
        connection.commit()
    settings = make_settings(state)
    found = await asyncio.to_thread(lambda: list(examine(settings)))
    assert any(not fine and "is damaged" in sentence for fine, sentence in found)
    async with start(state) as service:
        for serial in (GATEWAY, OTHER):
            assert (await post(service, 4, serial)).status_code == 200
        assert (await service.get("/readyz", token="")).status_code == 503
        assert "is damaged" in str(await service.receiver.find_problem())
