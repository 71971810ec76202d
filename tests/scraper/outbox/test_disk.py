"""A disk that is full, read-only or broken is waited for, and what could not be committed is on record."""

import contextlib
import os
import resource
import sqlite3

import pytest

from scraper.errors import OutboxUnavailableError
from scraper.outbox import schema
from shared import durable_sqlite
from tests.scraper.outbox.processes import run_in_child
from tests.scraper.outbox.support import NOW, decode, list_losses, list_numbers, list_rows, make_readings, open_outbox


@pytest.fixture
def path(tmp_path):
    return tmp_path / "outbox.sqlite"


@pytest.fixture
def outbox(path):
    box = open_outbox(path)
    yield box
    box.close()


def limit_pages(outbox, pages):
    outbox._database.read(lambda c: c.execute(f"PRAGMA max_page_count = {pages}").fetchone())


def make_broken_work(code: int, message: str = "disk I/O error"):
    """Work that fails as SQLite fails on a bad disk."""

    def work(_: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError(message)
        error.sqlite_errorcode = code
        raise error

    return work


def test_a_full_disk_is_named_and_everything_resumes_when_there_is_room(outbox):
    outbox.append(make_readings(0, 10))
    limit_pages(outbox, 12)
    with pytest.raises(OutboxUnavailableError, match=r"disk with .* is full: free some space"):
        outbox.append(make_readings(10, 5000))
    assert list_numbers(outbox) == list(range(10)), "all or nothing"
    outbox.note_uncommitted(make_readings(10, 5000))
    outbox.note_uncommitted(make_readings(10, 5000))
    assert outbox.read_stats().lost_rows == 0, "they may still come"
    with pytest.raises(OutboxUnavailableError):
        outbox.append(make_readings(10, 5000))
    limit_pages(outbox, 10**6)
    outbox.append(make_readings(5010))
    (loss,) = list_losses(outbox)
    assert (loss.timestamp, loss.fields["end"]) == (NOW + 10, NOW + 5009)
    assert loss.fields["rows"] == 5000
    assert loss.fields["reason"] == "readings could not be written to disk"
    assert outbox.read_stats().lost_rows == 5000
    outbox.append(make_readings(5011))
    assert len(list_losses(outbox)) == 1, "once"


def test_rows_can_be_settled_while_the_disk_is_full(outbox):
    """Else a full disk would never empty itself."""
    outbox.append(make_readings(0, 1000))
    limit_pages(outbox, 1)
    outbox.settle([row.seq for row in outbox.read_oldest(500, 10**6)], {})
    assert list_numbers(outbox) == list(range(500, 1000))


def test_a_file_system_that_takes_no_more_bytes(path):
    """A real limit of the kernel, in a process of its own: no crash, nothing half written, and on it goes."""

    def work(say):
        box = open_outbox(path)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
        done = 0
        with contextlib.suppress(OutboxUnavailableError):
            while done < 100_000:
                box.append(make_readings(done, 100))
                done += 100
        say(done)
        for _ in range(3):
            with contextlib.suppress(OutboxUnavailableError):
                box.append(make_readings(done, 5000))
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        box.note_uncommitted(make_readings(done, 7))
        box.append(make_readings(200_000))
        say(len(list_numbers(box)))

    (done, rows), status = run_in_child(work)
    assert status == 0
    assert 0 < done < 100_000
    assert rows == done + 1
    box = open_outbox(path)
    assert list_numbers(box) == [*range(done), 200_000]
    assert [event.fields["rows"] for event in list_losses(box)] == [7.0]
    box.close()


def test_after_an_io_error_the_file_is_opened_again_and_read_through(outbox, monkeypatch):
    """What a failed fsync wrote is unknown: success is never assumed."""
    outbox.append(make_readings(0, 3))
    checked = []
    verify = schema.verify

    def note(connection):
        checked.append(connection)
        verify(connection)

    monkeypatch.setattr(schema, "verify", note)
    with pytest.raises(OutboxUnavailableError, match="check the disk"):
        outbox._database.write(make_broken_work(sqlite3.SQLITE_IOERR_FSYNC))
    assert checked == []
    outbox.append(make_readings(3))
    assert len(checked) == 1
    assert list_numbers(outbox) == [0, 1, 2, 3]


def test_a_read_only_remount_is_loud_and_ends_by_itself(outbox):
    outbox._database.read(lambda c: c.execute("PRAGMA query_only = ON"))
    with pytest.raises(OutboxUnavailableError, match=r"cannot write in .*ENVOY_STATE_DIR"):
        outbox.append(make_readings(0))
    outbox.append(make_readings(1))
    assert list_numbers(outbox) == [1]


def test_a_file_that_is_held_by_another_command_is_waited_for(path, monkeypatch):
    monkeypatch.setattr(durable_sqlite, "BUSY_SECONDS", 0.05)
    box = open_outbox(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OutboxUnavailableError, match="another envoy-scraper command"):
        box.append(make_readings(0))
    other.execute("ROLLBACK")
    other.close()
    box.append(make_readings(1))
    assert list_numbers(box) == [1]
    box.close()


def test_a_disk_that_stays_broken_raises_every_time_and_never_something_else(outbox, path):
    outbox._database.read(lambda c: c.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    outbox.append(make_readings(0))
    with pytest.raises(OutboxUnavailableError):
        outbox._database.write(make_broken_work(sqlite3.SQLITE_IOERR_WRITE))
    os.rename(path.parent, path.parent.with_name("gone"))  # noqa: PTH104 (a mount that vanished)
    path.parent.write_text("not a directory")
    for _ in range(3):
        with pytest.raises(OutboxUnavailableError):
            outbox.append(make_readings(1))
    path.parent.unlink()
    os.rename(path.parent.with_name("gone"), path.parent)  # noqa: PTH104 (it is back)
    outbox.append(make_readings(2))
    assert list_numbers(outbox) == [0, 2]


def test_an_error_in_the_middle_of_a_transaction_takes_all_of_it_back(outbox):
    def run_half(connection):
        connection.execute("DELETE FROM rows")
        raise RuntimeError

    outbox.append(make_readings(0, 3))
    with pytest.raises(RuntimeError):
        outbox._database.write(run_half)
    assert decode(list_rows(outbox)) == make_readings(0, 3)


def test_a_file_system_without_a_write_ahead_log_is_refused(path, monkeypatch):
    class Odd(durable_sqlite.FileConnection):
        def execute(self, sql, *args):
            return super().execute("SELECT 'delete'" if "journal_mode" in sql else sql, *args)

    monkeypatch.setattr(durable_sqlite, "FileConnection", Odd)
    with pytest.raises(OutboxUnavailableError, match="move ENVOY_STATE_DIR to a local disk"):
        open_outbox(path)
