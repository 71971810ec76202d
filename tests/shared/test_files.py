"""Secret files are private and whole."""

import stat

import pytest

from shared.files import UnsafeFileError, read_private, write_private


def test_a_secret_file_is_private_in_a_private_directory(tmp_path):
    path = tmp_path / "state" / "token"
    write_private(path, b"one")
    write_private(path, b"two")
    assert read_private(path) == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_others_can_read_is_refused_with_the_remedy(tmp_path):
    path = tmp_path / "token"
    write_private(path, b"canary-secret")
    path.chmod(0o644)
    with pytest.raises(UnsafeFileError, match="chmod 600") as caught:
        read_private(path)
    assert "canary-secret" not in str(caught.value)
