"""Files that are deleted or replaced under the running scraper: it notices at the next call, and nothing is lost."""

import os
import shutil
import signal

import pytest

from scraper.errors import OutboxInUseError, OutboxUnavailableError
from shared.durable_sqlite import name_shm, name_wal
from tests.scraper.outbox.damaged_outbox import list_damaged_files
from tests.scraper.outbox.processes import is_killed, run_in_child
from tests.scraper.outbox.support import list_losses, list_numbers, list_rows, make_readings, open_outbox


def name_lock(path):
    return path.with_name(path.name + ".lock")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "outbox.sqlite"


@pytest.mark.parametrize(
    "deleted",
    [
        lambda path: [path],
        lambda path: [name_wal(path)],
        lambda path: [name_shm(path)],
        lambda path: [name_lock(path)],
        lambda path: [path, name_wal(path)],
        lambda path: list(path.parent.iterdir()),
    ],
    ids=["the file", "its log", "the index of the log", "the lock", "file and log", "all of them"],
)
def test_what_is_deleted_under_the_running_scraper_comes_back(path, deleted):
    def work(say):
        box = open_outbox(path)
        box.append(make_readings(0, 50), memory=b"7")
        for file in deleted(path):
            file.unlink()
        box.append(make_readings(50))
        assert list_numbers(box) == list(range(51))
        say(1)
        box.settle([list_rows(box)[0].seq], {list_rows(box)[1].seq: "too-old"})
        say(2)
        box.append(make_readings(51))
        say(3)
        os.kill(os.getpid(), signal.SIGKILL)  # what was written into deleted files is gone now

    said, status = run_in_child(work)
    assert is_killed(status)
    assert said == [1, 2, 3]
    box = open_outbox(path)
    assert list_numbers(box) == list(range(2, 52))
    assert (list_losses(box), box.read_memory(), len(box.read_dead_letters())) == ([], b"7", 1)
    box.close()


def test_a_directory_that_is_deleted_comes_back_with_all_that_waited(path):
    box = open_outbox(path)
    box.append(make_readings(0, 5))
    shutil.rmtree(path.parent)
    box.append(make_readings(5))
    box.close()
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    box = open_outbox(path)
    assert list_numbers(box) == list(range(6))
    box.close()


def test_a_file_that_is_put_there_instead_is_moved_aside(path, tmp_path):
    """A restored copy, say, while the scraper runs: what waits is not given up for it."""
    other = open_outbox(tmp_path / "outbox.sqlite")
    other.append(make_readings(1_000))
    other.close()
    box = open_outbox(path)
    box.append(make_readings(0, 5))
    before = box.id
    (tmp_path / "outbox.sqlite").replace(path)
    assert list_numbers(box) == list(range(5))
    assert box.id != before, "the deleted file may live on elsewhere"
    assert len(list_damaged_files(path)) == 1
    box.close()


def test_a_place_that_takes_no_file_is_waited_for(path, tmp_path):
    box = open_outbox(path)
    box.append(make_readings(0, 5))
    path.parent.rename(tmp_path / "gone")
    path.parent.write_text("not a directory")
    for _ in range(2):
        with pytest.raises(OutboxUnavailableError, match="cannot write in"):
            box.append(make_readings(5))
    path.parent.unlink()
    box.append(make_readings(5))
    assert list_numbers(box) == list(range(6))
    box.close()


def test_two_scrapers_never_share_a_directory_because_the_lock_was_deleted(path):
    box = open_outbox(path)
    box.append(make_readings(0))
    shutil.rmtree(path.parent)
    second = open_outbox(path)
    with pytest.raises(OutboxInUseError, match="stop it"):
        box.append(make_readings(1))
    second.append(make_readings(2))
    second.close()
    box.close()
    second = open_outbox(path)
    assert list_numbers(second) == [2]
    second.close()
