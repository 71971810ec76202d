"""A command says when the running receiver cannot read what it wrote, and which command mends it."""

import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from receiver.auth import readers
from receiver.rollups.job import JOURNAL_FILE
from tests.receiver.cli.test_commands import call
from tests.receiver.service import make_public_key

SERVICE = 10_001
LINE = str(make_public_key(Ed25519PrivateKey.generate()))
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root may give files away: run the tests as root to see these"
)


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That of a receiver which runs as another user; there is no `.env`."""
    monkeypatch.chdir(tmp_path)
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    os.chown(state, SERVICE, SERVICE)
    monkeypatch.setenv("RECEIVER_STATE_DIR", str(state))
    return state


def test_what_the_receiver_can_read_needs_no_word(state_dir: Path):
    """Root leaves the files to the service."""
    made = call("token", "create", "--gateway", readers.EVERY_GATEWAY)
    assert made.exit_code == 0
    assert "cannot read" not in made.stderr
    assert call("keys", "add", LINE).stderr == ""
    for path in (state_dir / "keys", state_dir / readers.LIST_FILE):
        os.chown(path, 0, SERVICE)
        path.chmod(0o640)
    assert call("token", "revoke", made.stderr.split()[1].rstrip(",")).stderr == ""
    assert call("keys", "add", LINE, "--serial", "1").stderr == ""


def test_a_list_of_another_owner_is_said_with_the_command_that_mends_it(state_dir: Path):
    jti = call("token", "create", "--gateway", readers.EVERY_GATEWAY).stderr.split()[1].rstrip(",")
    key_id = call("keys", "add", LINE).stdout.split()[1]
    for name, arguments in ((readers.LIST_FILE, ("token", "revoke", jti)), ("keys", ("keys", "revoke", key_id))):
        path = state_dir / name
        os.chown(path, 0, 0)
        done = call(*arguments)
        assert done.exit_code == 0
        assert f"cannot read {path} (owner root, mode 600)" in done.stderr
        subprocess.run(done.stderr.partition("run: ")[2], shell=True, check=True)  # noqa: S602 (what a person pastes)
        assert call(*arguments).stderr == ""


def test_a_new_token_that_nobody_can_use_is_said(state_dir: Path):
    call("token", "create", "--gateway", readers.EVERY_GATEWAY)
    os.chown(state_dir / readers.LIST_FILE, 0, 0)
    made = call("token", "create", "--gateway", readers.EVERY_GATEWAY)
    assert "cannot read" in made.stderr
    assert len(made.stdout.split()) == 1, "standard output is the token alone"


def test_a_keys_file_in_a_directory_that_the_receiver_cannot_enter(state_dir: Path, monkeypatch: pytest.MonkeyPatch):
    folder = state_dir.parent / "etc"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("RECEIVER_KEYS_FILE", str(folder / "keys"))
    assert f"let this user enter {folder}" in call("keys", "add", LINE).stderr


def test_the_owner_of_the_journal_is_the_receiver(state_dir: Path):
    """The root of a volume may be another user's, as in Kubernetes."""
    os.chown(state_dir, 0, 0)
    state_dir.chmod(0o755)
    assert call("keys", "add", LINE).stderr == ""
    (state_dir / JOURNAL_FILE).touch()
    os.chown(state_dir / JOURNAL_FILE, SERVICE, SERVICE)
    assert f"the receiver's user {SERVICE} cannot read" in call("keys", "add", LINE).stderr
