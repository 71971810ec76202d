"""A damaged file never stops the scraper, and what is sound in it survives."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper.errors import OutboxVersionError
from scraper.outbox.schema import PAGE_BYTES
from shared.durable_sqlite import name_wal
from tests.scraper.outbox.damaged_outbox import COUNT, EXPECTED, list_damaged_files
from tests.scraper.outbox.support import list_losses, list_numbers, list_rows, make_readings, open_outbox


def test_a_kill_alone_is_no_damage(killed):
    box = open_outbox(killed.path)
    assert list_numbers(box) == EXPECTED
    assert list_damaged_files(killed.path) == []
    box.close()


def flip(path: Path, offset: int, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[offset % len(data)] ^= 1 << bit
    path.write_bytes(data)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10**7), st.integers(0, 7)), min_size=1, max_size=4))
def test_bits_that_flip_anywhere_never_stop_it_and_cost_only_what_they_hit(original, tmp_path_factory, flips):
    killed = original.copy(tmp_path_factory.mktemp("flip") / "state")
    for in_log, offset, bit in flips:
        flip(name_wal(killed.path) if in_log else killed.path, offset, bit)
    box = open_outbox(killed.path)
    left = list_numbers(box)
    assert set(left) <= set(range(COUNT + 100))
    missing = set(EXPECTED) - set(left)
    # One flip hits one row; one in the head of a page of the log may bring back its older image, never lose a sound row.
    assert len(missing) <= len(flips)
    if missing:
        assert list_losses(box), "a loss is on record"
    box.append(make_readings(9_999))
    assert list_numbers(box)[-1] == 9_999
    box.close()
    shutil.rmtree(killed.directory)


@settings(max_examples=25, deadline=None)
@given(in_log=st.booleans(), share=st.floats(0, 0.999))
def test_a_truncated_file_never_stops_it(original, tmp_path_factory, in_log, share):
    killed = original.copy(tmp_path_factory.mktemp("cut") / "state")
    file = name_wal(killed.path) if in_log else killed.path
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    box = open_outbox(killed.path)
    assert set(list_numbers(box)) <= set(range(COUNT + 100))
    box.append(make_readings(9_999))
    assert list_numbers(box)[-1] == 9_999
    box.close()
    shutil.rmtree(killed.directory)


@pytest.mark.parametrize("garbage", [b"", b"\x00" * 100, b"not a database" * 400, b"\xff" * 8192])
def test_garbage_in_place_of_the_head_costs_no_row_that_is_left(killed, garbage):
    data = killed.path.read_bytes()
    killed.path.write_bytes(garbage[:100] + data[len(garbage[:100]) :])
    box = open_outbox(killed.path)
    assert list_numbers(box) == EXPECTED
    assert list_losses(box) == []
    assert len(list_damaged_files(killed.path)) == (1 if garbage else 0)
    box.close()


def test_a_file_that_is_all_garbage_is_kept_aside_and_the_loss_is_on_record(killed):
    name_wal(killed.path).unlink()
    killed.path.write_bytes(b"\xff" * 50_000)
    box = open_outbox(killed.path)
    (loss,) = list_losses(box)
    assert loss.fields["reason"] == "the outbox file was damaged"
    assert loss.fields["rows"] == len(EXPECTED), "the witness beside the file says how many"
    assert box.id != killed.id
    (aside,) = list_damaged_files(killed.path)
    assert aside.read_bytes() == b"\xff" * 50_000
    box.close()


def test_an_empty_file_is_damage_but_the_log_beside_it_is_read(killed):
    """SQLite would delete the log of an empty database."""
    killed.path.write_bytes(b"")
    box = open_outbox(killed.path)
    assert set(list_numbers(box)) >= set(range(COUNT // 2 + 50, COUNT + 100))
    assert list_losses(box)
    box.close()


def test_a_deleted_log_is_noticed(killed):
    """SQLite alone would go on without a word, with what was in the file when the log was last carried over."""
    name_wal(killed.path).unlink()
    box = open_outbox(killed.path)
    assert list_numbers(box) == list(range(COUNT // 2))
    (loss,) = list_losses(box)
    assert loss.fields["reason"] == "the write-ahead log of the outbox was deleted"
    assert box.id != killed.id
    box.close()
    box = open_outbox(killed.path)
    assert len(list_losses(box)) == 1, "once"
    box.close()


def test_a_log_that_an_orderly_stop_took_away_is_not_missed(tmp_path):
    path = tmp_path / "outbox.sqlite"
    for n in range(3):
        box = open_outbox(path)
        box.append(make_readings(n))
        box.close()
    box = open_outbox(path)
    assert list_numbers(box) == [0, 1, 2]
    assert list_losses(box) == []
    box.close()


def test_a_command_that_closes_the_file_of_a_killed_scraper_raises_no_false_alarm(killed):
    beside = open_outbox(killed.path, exclusive=False)
    beside.close()
    assert not name_wal(killed.path).exists()
    box = open_outbox(killed.path)
    assert list_numbers(box) == EXPECTED
    assert list_losses(box) == []
    box.close()


def test_a_row_with_a_wrong_checksum_is_lost_alone(killed):
    box = open_outbox(killed.path)
    before = box.id
    box.close()
    data = killed.path.read_bytes()
    at = data.index(b'{"power":7.0,')
    killed.path.write_bytes(data[: at + 9] + b"8" + data[at + 10 :])
    box = open_outbox(killed.path)
    assert list_damaged_files(killed.path) == []
    assert list_numbers(box) == [n for n in EXPECTED if n != 7]
    (loss,) = list_losses(box)
    assert loss.fields["rows"] == 1
    assert box.read_stats().rows == len(EXPECTED)
    assert box.id == before, "the file itself is sound"
    box.close()


def test_a_newer_schema_is_named_and_the_file_left_alone(killed):
    box = open_outbox(killed.path)
    box.close()
    with sqlite3.connect(killed.path) as connection:
        connection.execute("PRAGMA user_version = 9")
        connection.execute("UPDATE state SET version = 9")
    connection.close()
    with pytest.raises(OutboxVersionError, match=r"newer envoy-relay \(schema 9"):
        open_outbox(killed.path)
    assert list_damaged_files(killed.path) == []


def swap_cells(path: Path) -> None:
    """Swap two pointers of a page of rows: every row is there, and only a look at the whole structure finds it."""
    data = bytearray(path.read_bytes())
    pointers = data.index(b'"power"') // PAGE_BYTES * PAGE_BYTES + 8
    data[pointers : pointers + 4] = data[pointers + 2 : pointers + 4] + data[pointers : pointers + 2]
    path.write_bytes(data)


def test_rows_out_of_order_are_damage(killed):
    """Else they would be found by no number, and never settled."""
    open_outbox(killed.path).close()
    swap_cells(killed.path)
    box = open_outbox(killed.path)
    assert len(list_damaged_files(killed.path)) == 1
    assert (list_numbers(box), list_losses(box)) == (EXPECTED, [])
    box.close()


@pytest.mark.parametrize(
    "change",
    [
        "rows = rows + 1",
        "rows = rows - 1",
        "dead_letters = 1",
        "next_seq = 3",
        "next_seq = 9000000000000000000",
        "lost_rows = -1",
        "lost_rows = x'00'",
        "digest = digest + 1",
        "id = 'z' || substr(id, 2)",
        "id = x'00'",
    ],
)
def test_what_the_file_says_about_itself_is_checked_at_the_start(killed, change):
    box = open_outbox(killed.path)
    box._database.read(lambda c: c.execute(f"UPDATE state SET {change}"))  # noqa: S608
    box.close()
    box = open_outbox(killed.path)
    assert len(list_damaged_files(killed.path)) == 1
    assert (list_numbers(box), list_losses(box)) == (EXPECTED, [])
    stats = box.read_stats()
    assert (stats.rows, stats.dead_letters, stats.lost_rows) == (len(EXPECTED), 0, 0)
    box.append(make_readings(9_999))
    assert list_rows(box)[-1].seq < 2**40
    box.close()
