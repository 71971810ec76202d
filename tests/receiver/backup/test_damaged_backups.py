"""A backup with one flipped bit, or cut anywhere, is refused before anything is made of it: over both stores."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from receiver.backup.archive import unpack
from receiver.errors import BackupError
from tests.receiver.backup.conftest import Installation, make_influxdb_installation, make_sqlite_installation

TRIES = 200


@pytest.fixture(params=["sqlite", "influxdb"])
def backup(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Installation]:
    """A backup file, and the installation that it is of."""
    if request.param == "sqlite":
        source = make_sqlite_installation(tmp_path / "source", monkeypatch)
    else:
        server = request.getfixturevalue("shared_influxd")
        source = make_influxdb_installation(
            tmp_path / "source", monkeypatch, server, INFLUXDB_V2_BUCKET=f"damaged{random.randrange(10**9)}"
        )
        source.call("setup")
    source.fill(24 * 3)
    target = tmp_path / "backup.tar.gz"
    source.call("backup", str(target))
    return target, source


def flip(data: bytes, rng: random.Random) -> bytes:
    """The data with one bit turned over."""
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def cut(data: bytes, rng: random.Random) -> bytes:
    """The beginning of the data."""
    return data[: rng.randrange(len(data))]


@pytest.mark.parametrize("damage", [flip, cut])
def test_every_damaged_backup_is_refused(
    backup: tuple[Path, Installation], tmp_path: Path, damage: Callable[[bytes, random.Random], bytes]
):
    """117 of 200 flips were accepted, 96 of them with altered readings: nobody read gzip's checksum."""
    target, _ = backup
    data, rng = target.read_bytes(), random.Random(11)
    assert unpack(target, tmp_path / "whole").sha256
    for number in range(TRIES):
        broken = tmp_path / "broken.tar.gz"
        broken.write_bytes(damage(data, rng))
        with pytest.raises(BackupError):
            unpack(broken, tmp_path / f"broken{number}")


def test_a_flip_that_gzip_does_not_see_is_refused_too(backup: tuple[Path, Installation], tmp_path: Path):
    """Its checksum covers neither its head nor the bits between two blocks."""
    target, _ = backup
    data = target.read_bytes()
    for bit in [*range(120), *range(len(data) * 8 - 1200, len(data) * 8)]:
        broken = tmp_path / "broken.tar.gz"
        broken.write_bytes(data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :])
        with pytest.raises(BackupError):
            unpack(broken, tmp_path / f"broken{bit}")


def test_nothing_is_put_in_place_of_a_damaged_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = make_sqlite_installation(tmp_path / "source", monkeypatch)
    source.fill(24)
    target = tmp_path / "backup.tar.gz"
    source.call("backup", str(target))
    target.write_bytes(flip(target.read_bytes(), random.Random(3)))
    other = make_sqlite_installation(tmp_path / "other", monkeypatch)
    assert "take another copy" in other.call("restore", str(target), fails=True).output
    assert other.read_state() == {}
    assert not (tmp_path / "other" / "state" / "readings.sqlite").exists()


def test_a_backup_is_never_written_through_what_somebody_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A link in a directory that others may write led the backup, with its keys, into a file of theirs."""
    source = make_sqlite_installation(tmp_path / "source", monkeypatch)
    source.fill(24)
    shared, prey = tmp_path / "shared", tmp_path / "prey"
    shared.mkdir()
    prey.write_text("theirs")
    target = shared / "backup.tar.gz"
    for name in (".backup.tar.gz.unfinished", "backup.tar.gz"):
        (shared / name).symlink_to(prey)
    source.call("backup", str(target), fails=True)
    assert prey.read_text() == "theirs"
    target.unlink()
    source.call("backup", str(target))
    assert prey.read_text() == "theirs"
    assert target.stat().st_mode & 0o777 == 0o600
