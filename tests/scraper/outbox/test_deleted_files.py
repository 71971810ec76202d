"""Files that are deleted or replaced under the running scraper: it notices at the next call, and nothing is lost."""

import os
import shutil
import signal

import pytest

from scraper.errors import OutboxInUseError, OutboxUnavailableError
from shared.durable_sqlite import shm_of, wal_of
from tests.scraper.outbox.damaged import damaged_files
from tests.scraper.outbox.processes import run_in_child, was_killed
from tests.scraper.outbox.support import every, losses, numbers, open_outbox, readings


def name_lock(path):
    return path.with_name(path.name + ".lock")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "outbox.sqlite"


@pytest.mark.parametrize(
    "deleted",
    [
        lambda path: [path],
        lambda path: [wal_of(path)],
        lambda path: [shm_of(path)],
        lambda path: [name_lock(path)],
        lambda path: [path, wal_of(path)],
        lambda path: list(path.parent.iterdir()),
    ],
    ids=["the file", "its log", "the index of the log", "the lock", "file and log", "all of them"],
)
def test_what_is_deleted_under_the_running_scraper_comes_back(path, deleted):
    def work(say):
        box = open_outbox(path)
        box.append(readings(0, 50), memory=b"7")
        for file in deleted(path):
            file.unlink()
        box.append(readings(50))
        assert numbers(box) == list(range(51))
        say(1)
        box.settle([every(box)[0].seq], {every(box)[1].seq: "too-old"})
        say(2)
        box.append(readings(51))
        say(3)
        os.kill(os.getpid(), signal.SIGKILL)  # what was written into deleted files is gone now

    said, status = run_in_child(work)
    assert was_killed(status)
    assert said == [1, 2, 3]
    box = open_outbox(path)
    assert numbers(box) == list(range(2, 52))
    assert (losses(box), box.memory(), len(box.dead_letters())) == ([], b"7", 1)
    box.close()


def test_a_directory_that_is_deleted_comes_back_with_all_that_waited(path):
    box = open_outbox(path)
    box.append(readings(0, 5))
    shutil.rmtree(path.parent)
    box.append(readings(5))
    box.close()
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    box = open_outbox(path)
    assert numbers(box) == list(range(6))
    box.close()


def test_a_file_that_is_put_there_instead_is_moved_aside(path, tmp_path):
    """A restored copy, say, while the scraper runs: what waits is not given up for it."""
    other = open_outbox(tmp_path / "outbox.sqlite")
    other.append(readings(1_000))
    other.close()
    box = open_outbox(path)
    box.append(readings(0, 5))
    before = box.id
    (tmp_path / "outbox.sqlite").replace(path)
    assert numbers(box) == list(range(5))
    assert box.id != before, "the deleted file may live on elsewhere"
    assert len(damaged_files(path)) == 1
    box.close()


def test_a_place_that_takes_no_file_is_waited_for(path, tmp_path):
    box = open_outbox(path)
    box.append(readings(0, 5))
    path.parent.rename(tmp_path / "gone")
    path.parent.write_text("not a directory")
    for _ in range(2):
        with pytest.raises(OutboxUnavailableError, match="cannot write in"):
            box.append(readings(5))
    path.parent.unlink()
    box.append(readings(5))
    assert numbers(box) == list(range(6))
    box.close()


def test_two_scrapers_never_share_a_directory_because_the_lock_was_deleted(path):
    box = open_outbox(path)
    box.append(readings(0))
    shutil.rmtree(path.parent)
    second = open_outbox(path)
    with pytest.raises(OutboxInUseError, match="stop it"):
        box.append(readings(1))
    second.append(readings(2))
    second.close()
    box.close()
    second = open_outbox(path)
    assert numbers(second) == [2]
    second.close()
