"""What a full disk cost: each reading counts once, and none that is committed after all."""

import errno
import os
import resource

import pytest

from scraper.errors import OutboxUnavailableError
from scraper.outbox import Outbox
from scraper.outbox.uncommitted_readings import SILENT_MS
from shared.readings import Reading
from tests.clocks import StoppedClock
from tests.scraper.outbox.processes import run_in_child
from tests.scraper.outbox.support import NOW, list_losses, list_numbers, make_readings, open_outbox


@pytest.fixture
def clock():
    return StoppedClock(NOW)


@pytest.fixture
def outbox(tmp_path, clock):
    box = Outbox.open(tmp_path / "outbox.sqlite", now_ms=clock.now_ms)
    yield box
    box.close()


def make_report(inverter: str, at: int) -> Reading:
    return Reading("inverter", {"inverter": inverter}, NOW + at, {"power": 1.0})


def read_losses(outbox: Outbox) -> list[tuple[int, int, int]]:
    """The first and the last time of each loss, and its count."""
    return [
        (loss.timestamp - NOW, int(loss.fields["end"]) - NOW, int(loss.fields["rows"])) for loss in list_losses(outbox)
    ]


def test_what_is_tried_again_and_again_counts_once(outbox):
    for n in range(10):
        outbox.note_uncommitted([make_report("1", 0), *make_readings(n)])
    assert outbox.read_stats().lost_rows == 9, (
        "nine samples have gone by; the report and the last sample may still come"
    )
    outbox.append(make_readings(9))
    assert read_losses(outbox) == [(0, 8, 9)]
    outbox.append([make_report("1", 0)])
    outbox.append([make_report("1", 300), *make_readings(10)])
    assert read_losses(outbox) == [(0, 8, 9)]
    assert outbox.read_stats().lost_rows == 9


def test_a_held_back_sample_that_comes_with_the_next_one_is_not_lost(outbox):
    outbox.note_uncommitted(make_readings(5, 2))
    outbox.note_uncommitted([*make_readings(5), *make_readings(7)])
    outbox.append([*make_readings(5), *make_readings(8)])
    assert read_losses(outbox) == [(6, 7, 2)]


def test_series_do_not_wait_for_each_other(outbox):
    outbox.note_uncommitted([make_report("1", 0), make_report("2", 0)])
    outbox.append([make_report("1", 300)])
    assert read_losses(outbox) == [(0, 0, 1)]
    outbox.append([make_report("2", 300)])
    assert [count for _, _, count in read_losses(outbox)] == [1, 1]


def test_a_series_that_fell_silent_is_given_up(outbox, clock):
    outbox.note_uncommitted([make_report("1", 0)])
    outbox.append(make_readings(0))
    assert read_losses(outbox) == []
    clock.ms += SILENT_MS
    outbox.append(make_readings(1))
    outbox.append(make_readings(2))
    assert read_losses(outbox) == [(0, 0, 1)]


def test_an_orderly_stop_records_what_will_not_come(tmp_path):
    path = tmp_path / "outbox.sqlite"
    box = open_outbox(path)
    box.note_uncommitted(make_readings(0, 3))
    box.close()
    box = open_outbox(path)
    assert read_losses(box) == [(0, 2, 3.0)]
    box.close()


def test_a_disk_that_is_full_before_the_first_byte_of_the_lock_is_waited_for(tmp_path):
    """In a process of its own, with a real limit of the kernel."""
    path = tmp_path / "outbox.sqlite"

    def work(say):
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        for _ in range(3):
            with pytest.raises(OutboxUnavailableError):
                open_outbox(path)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        box = open_outbox(path)
        box.append(make_readings(0))
        say(len(list_numbers(box)))

    assert run_in_child(work) == ([1], 0)


def test_the_process_id_and_the_witness_are_a_courtesy(tmp_path, monkeypatch):
    """There is room for rows, and none for a byte of the lock file."""

    def write_nothing(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", write_nothing)
    path = tmp_path / "outbox.sqlite"
    box = open_outbox(path)
    box.append(make_readings(0))
    box.close()
    box = open_outbox(path)
    assert list_numbers(box) == [0]
    box.close()


def test_a_lock_that_the_file_system_does_not_give_is_waited_for(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(OutboxUnavailableError, match="ENVOY_STATE_DIR"):
        open_outbox(tmp_path / "outbox.sqlite")
