"""Lists that decide who comes in: what cannot be read lets nobody in, is said, and heals; no change is lost."""

import json
import multiprocessing
import os
from pathlib import Path

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from receiver.auth import keys_file, links, readers
from receiver.auth.reloading import RELOAD_S
from receiver.auth.witness import name_witness
from receiver.errors import ReceiverSettingError, RefusedError
from receiver.service.build import build_gate
from shared.keys import PublicKey
from tests.receiver.service import READ_SECRET, Service, make_batch, make_ingest_claims, make_meter, sign

KEY = b"k" * 32
LINE = str(PublicKey(bytes(range(32)), "122300001234"))


def hide(path: Path, how: str) -> None:
    """Make a list unreadable in a way that stops root, too."""
    path.rename(path.with_suffix(".kept"))
    if how == "directory":
        path.mkdir()
    elif how == "dangling link":
        path.symlink_to(path.with_name("nowhere"))
    elif how == "pipe":
        os.mkfifo(path, 0o600)


def restore(path: Path) -> None:
    """Undo `hide`."""
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    path.with_suffix(".kept").rename(path)


@pytest.mark.parametrize("how", ["directory", "dangling link", "gone", "pipe"])
async def test_a_list_of_readers_that_cannot_be_read_lets_nobody_in(service: Service, how: str):
    """It was taken for an empty one, in which nobody is revoked; and it never healed."""
    folder, now_s = service.settings.state_dir, service.clock.now_ms() // 1000
    (_, good), (entry, bad) = (
        readers.create(folder, READ_SECRET, gateways=["*"], days=1, now_s=now_s) for _ in range(2)
    )
    readers.revoke(folder, READ_SECRET, entry.jti)
    service.clock.advance(RELOAD_S)
    path = folder / readers.LIST_FILE

    async def read_statuses() -> list[int]:
        service.clock.advance(RELOAD_S)
        return [(await service.get("/api/v1/gateways", token=token)).status_code for token in (good, bad)]

    assert await read_statuses() == [200, 401]
    with structlog.testing.capture_logs() as lines:
        hide(path, how)
        assert await read_statuses() == [401, 401]
        assert await read_statuses() == [401, 401]
    # What was hidden is still away: neither a restart nor a command may take the list for an empty one.
    restarted = build_gate(service.settings, service.clock)
    for token in (good, bad):
        with pytest.raises(RefusedError, match="revoked"):
            restarted.verify(token)
    with pytest.raises(ReceiverSettingError):
        readers.create(folder, READ_SECRET, gateways=["*"], days=1, now_s=now_s)
    assert await read_statuses() == [401, 401]
    assert len([line for line in lines if "cannot be read" in line["event"]]) == 1
    restore(path)
    assert await read_statuses() == [200, 401]


async def test_a_keys_file_that_cannot_be_read_lets_no_key_in_and_heals(service: Service):
    private = Ed25519PrivateKey.generate()
    kid = service.add_key(private)

    async def read_status() -> int:
        service.clock.advance(RELOAD_S)
        token = sign(make_ingest_claims(service.clock.ms), private, kid=kid, alg="EdDSA")
        return (await service.post(make_batch(make_meter()), token=token)).status_code

    assert await read_status() == 200
    hide(service.settings.keys_file, "directory")
    assert await read_status() == 401
    restore(service.settings.keys_file)
    assert await read_status() == 200


def begin(folder: Path, name: str) -> None:
    """What a command does to a list."""
    if name == links.LIST_FILE:
        links.create(folder, name="x", gateways=["*"], days=1, now_s=1)
    else:
        keys_file.add(folder / name, LINE, [])


@pytest.mark.parametrize("name", ["keys", links.LIST_FILE, name_witness(Path("keys")).name])
async def test_a_named_pipe_in_the_place_of_a_list_stops_nothing(service: Service, name: str):
    """Opening it waited for somebody who writes, and the whole receiver with it, the next start included."""
    folder = service.settings.state_dir
    os.mkfifo(folder / name, 0o600)
    service.clock.advance(RELOAD_S)
    assert (await service.post(make_batch(make_meter()))).status_code == 200
    build_gate(service.settings, service.clock)
    with pytest.raises(ReceiverSettingError):
        begin(folder, links.LIST_FILE if name == links.LIST_FILE else "keys")


def change(folder: Path, number: int) -> None:
    """What one command does."""
    if number % 2:
        readers.revoke(folder, KEY, f"id{number}")
    else:
        readers.create(folder, KEY, gateways=["*"], days=1, now_s=number)


def test_commands_beside_each_other_lose_nothing(tmp_path: Path):
    """Of six revocations beside two creations three were lost, though each command said that it was done."""
    for number in range(1, 24, 2):
        entries = [*readers.load(tmp_path, KEY), readers.ReaderToken(f"id{number}", ["*"], 0, 1)]
        readers._save(tmp_path, KEY, entries)
    context = multiprocessing.get_context("fork")
    commands = [context.Process(target=change, args=(tmp_path, number)) for number in range(24)]
    for command in commands:
        command.start()
    for command in commands:
        command.join(30)
    assert [command.exitcode for command in commands] == [0] * 24
    entries = readers.load(tmp_path, KEY)
    assert len(entries) == 24
    assert sum(entry.revoked for entry in entries) == 12


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away: run the tests as root to see this one")
def test_a_command_of_root_leaves_the_files_to_the_service(tmp_path: Path):
    """The service could not read its list after `token revoke` by root, and let everybody in."""
    service_user = 10_001
    os.chown(tmp_path, service_user, service_user)
    entry, _ = readers.create(tmp_path, KEY, gateways=["*"], days=1, now_s=1)
    keys_file.add(tmp_path / "keys", LINE, [])
    (tmp_path / "keys").chmod(0o640)
    readers.revoke(tmp_path, KEY, entry.jti)
    keys_file.add(tmp_path / "keys", LINE, ["122300005678"])
    for path in tmp_path.iterdir():
        assert (path.stat().st_uid, path.stat().st_gid) == (service_user, service_user), path
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / readers.LIST_FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x0c", "\x0b", "\x1c", "\x85", "\r"])
def test_a_comment_ends_with_its_line_only(separator: str):
    """Other separators began a line, and so a key, in the middle of a comment."""
    assert keys_file.parse(f"# old keys{separator}{LINE}\n") == ([], [])


@pytest.mark.parametrize("first", ["00", "01", "ec", "ed", "ee"])
@pytest.mark.parametrize("sign_bit", [0x00, 0x80])
def test_a_key_that_anybody_can_sign_for_is_refused(first: str, sign_bit: int):
    middle, last = ("00" * 30, 0x00) if first in {"00", "01"} else ("ff" * 30, 0x7F)
    raw = bytes.fromhex(first + middle) + bytes([last | sign_bit])
    with pytest.raises(ValueError, match="weak"):
        keys_file.parse_line(str(PublicKey(raw, "1")))


def test_the_list_of_readers_stays_readable_for_people(tmp_path: Path):
    readers.create(tmp_path, KEY, gateways=["1"], days=1, now_s=1)
    assert [entry["gateways"] for entry in json.loads((tmp_path / readers.LIST_FILE).read_text())] == [["1"]]
