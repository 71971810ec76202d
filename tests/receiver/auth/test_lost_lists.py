"""A list that existed and is gone is no empty one: nobody is let in, it is said, and no command begins it again."""

import errno
import os
import re
from pathlib import Path

import httpx
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from receiver.auth import keys_file, readers
from receiver.auth.reloading import RELOAD_S
from receiver.auth.witness import name_witness
from receiver.cli.check import examine
from receiver.errors import ReceiverSettingError
from receiver.service.app import _start_status
from shared.files import write_private
from tests.receiver.service import (
    READ_SECRET,
    Service,
    make_batch,
    make_ingest_claims,
    make_meter,
    make_public_key,
    make_read_claims,
    make_settings,
    sign,
    start,
)

NEW_SECRET = b"canary-another-1f4c9a7be03d52868b2e6d5a"
WAYS = ["gone", "dangling link"]


def lose(path: Path, how: str) -> None:
    """What happens to a list while no receiver runs."""
    path.unlink()
    if how == "dangling link":
        path.symlink_to(path.with_name("nowhere"))


def make_two_tokens(folder: Path) -> tuple[str, str]:
    """A good one and a revoked one, both of them far from their ends."""
    (_, good), (entry, bad) = (
        readers.create(folder, READ_SECRET, gateways=["*"], days=3650, now_s=1_760_000_000) for _ in range(2)
    )
    readers.revoke(folder, READ_SECRET, entry.jti)
    return good, bad


async def read_statuses(service: Service, *tokens: str) -> list[int]:
    service.clock.advance(RELOAD_S)
    return [(await service.get("/api/v1/gateways", token=token)).status_code for token in tokens]


@pytest.mark.parametrize("how", WAYS)
async def test_a_list_of_readers_that_vanished_while_the_receiver_was_down_lets_nobody_in(tmp_path: Path, how: str):
    """At the next start nobody was revoked any more."""
    tokens = make_two_tokens(tmp_path)
    path = tmp_path / readers.LIST_FILE
    content = path.read_bytes()
    lose(path, how)
    with structlog.testing.capture_logs() as lines:
        async with start(tmp_path) as service:
            assert await read_statuses(service, *tokens) == [401, 401]
            assert "begin again with a new read key" in next(line["remedy"] for line in lines if "remedy" in line)
            path.unlink(missing_ok=True)
            path.write_bytes(content)
            assert await read_statuses(service, *tokens) == [200, 401]


@pytest.mark.parametrize("how", WAYS)
async def test_no_command_begins_a_lost_list_of_readers_again(tmp_path: Path, how: str):
    """The next `token create` wrote a list that knew of no revocation."""
    tokens = make_two_tokens(tmp_path)
    lose(tmp_path / readers.LIST_FILE, how)
    with pytest.raises(ReceiverSettingError, match=r"was there and is gone.*restore the list.*new read key"):
        readers.create(tmp_path, READ_SECRET, gateways=["*"], days=1, now_s=1)
    with pytest.raises(ReceiverSettingError, match="was there and is gone"):
        readers.revoke(tmp_path, READ_SECRET, "0000")
    assert not (tmp_path / readers.LIST_FILE).exists()
    async with start(tmp_path) as service:
        assert await read_statuses(service, *tokens) == [401, 401]


async def test_with_a_new_read_key_a_lost_list_may_begin_again(tmp_path: Path):
    """Old tokens are good no more, so nothing is forgotten."""
    tokens = make_two_tokens(tmp_path)
    lose(tmp_path / readers.LIST_FILE, "gone")
    async with start(tmp_path, read_secret=NEW_SECRET) as service:
        now_s = service.clock.now_ms() // 1000
        _, new = readers.create(tmp_path, NEW_SECRET, gateways=["*"], days=1, now_s=now_s)
        assert await read_statuses(service, *tokens, new) == [401, 401, 200]
    lose(tmp_path / readers.LIST_FILE, "gone")
    for secret in (READ_SECRET, NEW_SECRET):
        with pytest.raises(ReceiverSettingError, match="was there and is gone"):
            readers.load(tmp_path, secret)


@pytest.mark.parametrize("content", [b"[]", None])
async def test_a_list_that_was_begun_under_another_key_is_not_the_lost_one(tmp_path: Path, content: bytes | None):
    """By a command that had another key, or by hand: the tokens of the old key stay out, also after a restart."""
    tokens = make_two_tokens(tmp_path)
    path = tmp_path / readers.LIST_FILE
    kept = path.read_bytes()
    lose(path, "gone")
    async with start(tmp_path) as service:
        if content is None:
            readers.create(tmp_path, NEW_SECRET, gateways=["*"], days=1, now_s=1)
        else:
            write_private(path, content)
        assert await read_statuses(service, *tokens) == [401, 401]
    async with start(tmp_path) as service:
        assert await read_statuses(service, *tokens) == [401, 401]
        write_private(path, kept)
        assert await read_statuses(service, *tokens) == [200, 401]


async def test_a_list_of_an_earlier_version_gets_its_witness_from_the_receiver(tmp_path: Path):
    """Also one that was mounted, or restored from a backup."""
    tokens = make_two_tokens(tmp_path)
    path = tmp_path / readers.LIST_FILE
    path.write_text(re.sub(r',\s*"key": "\w+"', "", path.read_text()))
    assert "key" not in path.read_text()
    name_witness(path).unlink()
    async with start(tmp_path) as service:
        assert await read_statuses(service, *tokens) == [200, 401]
    path.unlink()
    async with start(tmp_path) as service:
        assert await read_statuses(service, *tokens) == [401, 401]


@pytest.mark.parametrize("content", [b"", b"\xff", b"rubbish\n", None])
def test_a_witness_that_is_damaged_or_of_a_key_that_was_replaced(tmp_path: Path, content: bytes | None):
    make_two_tokens(tmp_path)
    witness = name_witness(tmp_path / readers.LIST_FILE)
    if content is None:
        witness.unlink()
        witness.mkdir()
    elif content:
        witness.write_bytes(content)
    (tmp_path / readers.LIST_FILE).unlink()
    if content == b"":
        assert readers.load(tmp_path, NEW_SECRET) == []
    else:
        with pytest.raises(ReceiverSettingError, match="was there and is gone"):
            readers.load(tmp_path, NEW_SECRET)


async def test_a_lost_list_is_said_by_the_status_port_and_by_check_and_batches_still_come_in(tmp_path: Path):
    """Whoever reads waits; what is measured meanwhile is stored."""
    make_two_tokens(tmp_path)
    lose(tmp_path / readers.LIST_FILE, "gone")
    async with start(tmp_path) as service:
        assert (await service.post(make_batch(make_meter()))).status_code == 200
        assert (await service.get("/readyz", token="")).status_code == 200
        status = _start_status(service.settings, service.receiver)
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{status.port}") as client:
                answer = await client.get("/readyz")
        finally:
            status.stop()
        assert answer.status_code == 200
        assert answer.text.startswith("ready, but no reader is let in")
    assert any(not fine and "was there and is gone" in text for fine, text in examine(make_settings(tmp_path)))


@pytest.mark.parametrize("how", WAYS)
async def test_a_lost_keys_file_is_not_begun_again_and_is_said(tmp_path: Path, how: str):
    """A revoked key could be added again, because nothing knew of its revocation."""
    private = Ed25519PrivateKey.generate()
    line = str(make_public_key(private))
    path = tmp_path / "keys"
    keys_file.revoke(path, keys_file.add(path, line, []).key.key_id)
    lose(path, how)
    with pytest.raises(ReceiverSettingError, match=r"was there and is gone.*install -m 600 /dev/null"):
        keys_file.add(path, line, [])
    async with start(tmp_path) as service:
        token = sign(make_ingest_claims(service.clock.ms), private, kid=make_public_key(private).key_id, alg="EdDSA")
        assert (await service.post(make_batch(make_meter()), token=token)).status_code == 401
        assert "the keys file is unreadable or gone" in (await service.receiver.find_remark() or "")


@pytest.mark.parametrize("full", [True, False])
async def test_a_list_beside_which_nothing_can_be_written_is_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: bool
):
    """A list that is mounted for reading is taken as it is; a disk that takes no witness is said."""
    tokens = make_two_tokens(tmp_path)
    name_witness(tmp_path / readers.LIST_FILE).unlink()
    if full:
        monkeypatch.setattr("receiver.auth.witness.write_private", fail)
    else:
        monkeypatch.setattr("receiver.auth.witness.os.access", lambda *_: False)
    with structlog.testing.capture_logs() as lines:
        async with start(tmp_path) as service:
            assert await read_statuses(service, *tokens) == [200, 401]
    assert not name_witness(tmp_path / readers.LIST_FILE).exists()
    assert any("cannot be noted" in line["event"] for line in lines) == full


def fail(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_list_that_never_existed_is_empty(tmp_path: Path):
    """A command that failed at first leaves nothing that says otherwise."""
    with pytest.raises(ValueError, match="no token of that id"):
        readers.revoke(tmp_path, READ_SECRET, "0000")
    with pytest.raises(ValueError, match="no key of that id"):
        keys_file.revoke(tmp_path / "keys", "0000")
    assert readers.load(tmp_path, READ_SECRET) == []
    assert keys_file.load(tmp_path / "keys") == []


async def test_a_list_that_came_and_went_between_two_looks_is_lost(tmp_path: Path):
    """A receiver that began without one saw neither, and let the revoked token in."""
    with structlog.testing.capture_logs() as lines:
        async with start(tmp_path) as service:
            assert await read_statuses(service, "") == [401]
            tokens = make_two_tokens(tmp_path)
            lose(tmp_path / readers.LIST_FILE, "gone")
            for _ in range(3):
                assert await read_statuses(service, *tokens) == [401, 401]
            assert "no reader is let in" in (await service.receiver.find_remark() or "")
    assert len([line for line in lines if "the list of reader tokens is gone" in line["event"]]) == 1


async def test_a_keys_file_that_came_and_went_between_two_looks_is_lost(tmp_path: Path):
    async with start(tmp_path) as service:
        keys_file.add(tmp_path / "keys", str(make_public_key(Ed25519PrivateKey.generate())), [])
        lose(tmp_path / "keys", "gone")
        service.clock.advance(RELOAD_S)
        assert "the keys file is unreadable or gone" in (await service.receiver.find_remark() or "")


@pytest.mark.parametrize("content", [b"[]", None])
async def test_a_witness_that_could_not_be_read_closes_the_list_until_it_can(tmp_path: Path, content: bytes | None):
    """It stayed closed until the list changed or the receiver was restarted."""
    if content is not None:
        write_private(tmp_path / readers.LIST_FILE, content)
    witness = name_witness(tmp_path / readers.LIST_FILE)
    witness.mkdir()
    async with start(tmp_path) as service:
        good = sign(make_read_claims(service.clock.ms), READ_SECRET, kid="read")
        assert await read_statuses(service, good) == [401]
        witness.rmdir()
        assert await read_statuses(service, good) == [200]
