"""A receiver does not start where others may write its state or its lists, or read a secret; it says the command."""

import subprocess
from pathlib import Path

import pytest

from receiver.auth import readers
from receiver.errors import ReceiverSettingError
from receiver.service.build import build
from shared.clock import SystemClock
from shared.files import write_private
from tests.receiver import service
from tests.receiver.cli.test_commands import call


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That of the commands; there is no `.env`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECEIVER_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def start(folder: Path) -> None:
    build(service.make_settings(folder), clock=SystemClock())


@pytest.mark.parametrize("name", [".", "keys", readers.LIST_FILE])
def test_a_start_with_what_others_can_write_is_refused_until_the_command_was_run(tmp_path: Path, name: str):
    state = tmp_path / "state"
    start(state)
    path = state if name == "." else state / name
    if name != ".":
        write_private(path, b"[]" if name == readers.LIST_FILE else b"")
    path.chmod(0o777 if name == "." else 0o666)
    with pytest.raises(ReceiverSettingError, match="can be written by other users") as refused:
        start(state)
    subprocess.run(str(refused.value).partition("run: ")[2], shell=True, check=True)  # noqa: S602 (what a person pastes)
    start(state)


def test_a_start_with_a_keys_file_that_others_can_replace_is_refused_until_the_command_was_run(tmp_path: Path):
    """Another user renamed it, wrote a line of his own, and was let in."""
    folder = tmp_path / "open"
    folder.mkdir()
    write_private(folder / "keys", b"")
    folder.chmod(0o777)
    settings = service.make_settings(tmp_path / "state", keys_file=folder / "keys")
    with pytest.raises(ReceiverSettingError, match=r"^RECEIVER_KEYS_FILE: .*replaced by other users") as refused:
        build(settings, clock=SystemClock())
    subprocess.run(str(refused.value).partition("run: ")[2], shell=True, check=True)  # noqa: S602 (what a person pastes)
    build(settings, clock=SystemClock())


def test_a_command_refuses_a_read_secret_that_everybody_can_read(state_dir: Path, monkeypatch: pytest.MonkeyPatch):
    path = state_dir.parent / "read-secret"
    write_private(path, b"canary-7c1e94b05ad8f36229be014d7a-secret")
    monkeypatch.setenv("RECEIVER_READ_SECRET_FILE", str(path))
    assert call("token", "list").exit_code == 0
    path.chmod(0o644)
    refused = call("token", "list")
    assert refused.exit_code == 1
    assert f"chmod g-w,o= {path}" in refused.output
    assert "canary" not in refused.output


def test_check_says_what_others_can_write(state_dir: Path):
    state_dir.mkdir(mode=0o700)
    state_dir.chmod(0o770)
    assert f"chmod go-w {state_dir}" in call("check").output
