"""The keys file: what counts, what is refused, and that people can edit it."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from receiver.auth import keys_file
from receiver.auth.reloading import RELOAD_S, ReloadingFile
from receiver.errors import ReceiverSettingError
from tests.clocks import StoppedClock
from tests.receiver.service import GATEWAY, OTHER, make_public_key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "keys"


def make_line() -> str:
    return str(make_public_key(Ed25519PrivateKey.generate()))


def list_counting(path: Path) -> dict[str, frozenset[str]]:
    keys = keys_file.parse_verification_keys(path.read_bytes() if path.exists() else None)
    return {key_id: key.gateways for key_id, key in keys.items()}


def test_an_added_key_counts_for_its_gateways(path: Path):
    entry = keys_file.add(path, make_line(), [OTHER])
    assert list_counting(path) == {entry.key.key_id: frozenset({GATEWAY, OTHER})}
    assert path.stat().st_mode & 0o777 == 0o600


def test_adding_again_adds_gateways_and_no_line(path: Path):
    line = make_line()
    keys_file.add(path, line, [])
    keys_file.add(path, line, [OTHER])
    assert [entry.gateways for entry in keys_file.load(path)] == [(GATEWAY, OTHER)]


def test_a_revoked_key_keeps_its_line_and_cannot_come_back(path: Path):
    line = make_line()
    key_id = keys_file.add(path, line, []).key.key_id
    keys_file.revoke(path, key_id)
    assert list_counting(path) == {}
    assert [entry.revoked for entry in keys_file.load(path)] == [True]
    with pytest.raises(ValueError, match="was revoked: make a new one"):
        keys_file.add(path, line, [])


def test_revoked_once_is_revoked_on_every_line(path: Path):
    line = make_line()
    path.parent.mkdir()
    path.write_text(f"{line}\nrevoked {line}\n{line}\n")
    assert list_counting(path) == {}


def test_a_bad_line_costs_its_own_key_only(path: Path):
    good = make_line()
    path.parent.mkdir()
    path.write_text(f"# my keys\n\n{good[:-40]}\n{good}\nrubbish\n", encoding="utf-8")
    assert len(list_counting(path)) == 1
    with pytest.raises(ReceiverSettingError, match="line 3"):
        keys_file.load(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ssh-ed25519 AAAA me@home", "not a key line"),
        ("envoy-relay-key ed25519 AAAA 1", "copy the whole line again"),
        ("", "not a key line"),
    ],
)
def test_what_is_no_key_line_is_explained(path: Path, line: str, message: str):
    with pytest.raises(ValueError, match=message):
        keys_file.add(path, line, [])


def test_a_serial_that_is_none_is_explained(path: Path):
    with pytest.raises(ValueError, match="--serial takes the serial number"):
        keys_file.add(path, make_line(), ["a b"])


def test_an_unknown_id_cannot_be_revoked(path: Path):
    with pytest.raises(ValueError, match="keys list"):
        keys_file.revoke(path, "0123456789abcdef")


def test_no_file_lets_nobody_in(path: Path):
    assert keys_file.parse_verification_keys(None) == {}


def test_a_running_receiver_sees_a_change_in_time(path: Path):
    """Also the removal of the whole file, which lets nobody in; and it does not look on every request."""
    clock = StoppedClock()
    file = ReloadingFile(path, keys_file.parse_verification_keys, clock)
    keys_file.add(path, make_line(), [])
    assert file.get() == {}
    clock.advance(RELOAD_S)
    assert len(file.get()) == 1
    assert file.version == 1
    path.unlink()
    clock.advance(RELOAD_S)
    assert file.get() == {}
    assert RELOAD_S <= 30
