"""A log that was cut short, or a file that is gone: what is lost is on record, and no number is used twice."""

import pytest

from scraper.outbox.schema import PAGE_BYTES
from shared.durable_sqlite import name_wal
from tests.scraper.outbox.damaged_outbox import COUNT, EXPECTED
from tests.scraper.outbox.support import kill, list_losses, list_numbers, list_rows, make_readings, open_outbox

FRAME_BYTES = PAGE_BYTES + 24
HEAD_BYTES = 32


def restart(killed):
    """Start on what is left and check what must hold whatever was cut; what waits, and the loss events."""
    box = open_outbox(killed.path)
    left, lost = list_numbers(box), list_losses(box)
    assert set(left) <= set(range(COUNT + 100))
    missing = set(EXPECTED) - set(left)
    assert bool(missing) == bool(lost), "a loss is on record exactly where something is lost"
    if lost and "rows" in lost[0].fields:
        assert lost[0].fields["rows"] == len(missing)
    box.append(make_readings(9_999))
    assert list_numbers(box)[-1] == 9_999
    box.close()
    again = open_outbox(killed.path)
    assert len(list_losses(again)) == len(lost), "once"
    again.close()
    return left, lost


def cut_log(killed, size):
    log = name_wal(killed.path)
    log.write_bytes(log.read_bytes()[:size])


@pytest.mark.parametrize("inside", [0, 1, 24, FRAME_BYTES // 2, FRAME_BYTES - 1])
def test_a_log_that_was_cut_at_or_in_any_frame_is_noticed(original, tmp_path, inside):
    frames = (name_wal(original.path).stat().st_size - HEAD_BYTES) // FRAME_BYTES
    outcomes = set()
    for frame in range(0, frames, 3):
        killed = original.copy(tmp_path / f"{frame}")
        cut_log(killed, HEAD_BYTES + frame * FRAME_BYTES + inside)
        outcomes.add(bool(restart(killed)[1]))
    assert outcomes == {True, False}, "commits that only took delivered rows out are no loss"


@pytest.mark.parametrize("size", [0, 1, HEAD_BYTES - 1, HEAD_BYTES])
def test_a_log_without_a_frame_is_noticed(killed, size):
    cut_log(killed, size)
    _, (loss,) = restart(killed)
    assert loss.fields["reason"] in (
        "the write-ahead log of the outbox was cut short",
        "the outbox file was damaged",  # half a head: SQLite would drop it in silence
    )


def test_the_loss_is_counted_where_nothing_was_settled_since(tmp_path):
    """As while the receiver is away."""
    path = tmp_path / "outbox.sqlite"
    box = open_outbox(path)
    box.append(make_readings(0, 20))
    kept = name_wal(path).stat().st_size
    box.append(make_readings(20, 7))
    before, highest = box.id, max(row.seq for row in list_rows(box))
    kill(box, path)
    name_wal(path).write_bytes(name_wal(path).read_bytes()[:kept])
    box = open_outbox(path)
    (loss,) = list_losses(box)
    assert loss.fields["rows"] == 7
    assert box.id != before
    box.append(make_readings(99))
    assert max(row.seq for row in list_rows(box)) > highest, "no number is used twice"
    assert box.read_stats().lost_rows == 7
    box.close()


def test_a_cut_of_what_was_delivered_already_is_no_loss_and_still_a_new_id(tmp_path):
    path = tmp_path / "outbox.sqlite"
    box = open_outbox(path)
    box.append(make_readings(0, 20))
    box.settle([row.seq for row in list_rows(box)], {})
    before = box.id
    kill(box, path)
    name_wal(path).write_bytes(b"")
    box = open_outbox(path)
    assert list_numbers(box) == []
    assert list_losses(box) == []
    assert box.id != before
    box.close()


def test_a_last_commit_that_a_power_cut_tore_is_no_damage(tmp_path):
    """It was never acknowledged: nothing is lost, and the outbox keeps its id."""
    path = tmp_path / "outbox.sqlite"
    lock = tmp_path / "outbox.sqlite.lock"
    box = open_outbox(path)
    box.append(make_readings(0, 5))
    before, kept, witness = box.id, name_wal(path).stat().st_size, lock.read_bytes()
    box.append(make_readings(5, 60))
    kill(box, path)
    data = bytearray(name_wal(path).read_bytes())
    data[kept + 100 : kept + FRAME_BYTES] = bytes(FRAME_BYTES - 100)  # the first of its frames never reached the disk
    name_wal(path).write_bytes(data)
    lock.write_bytes(witness)
    box = open_outbox(path)
    assert list_numbers(box) == list(range(5))
    assert list_losses(box) == []
    assert box.id == before
    box.close()


@pytest.mark.parametrize("log_goes_too", [False, True])
def test_a_file_that_vanished_is_noticed_with_and_without_its_log(killed, log_goes_too):
    killed.path.unlink()
    if log_goes_too:
        name_wal(killed.path).unlink()
    left, (loss,) = restart(killed)
    assert bool(left) is not log_goes_too, "what is in the log goes on"
    assert loss.fields["rows"] == len(EXPECTED) - len(left), "the witness says how many there were"


def test_a_file_that_was_taken_away_while_nothing_waited_is_no_loss(tmp_path):
    path = tmp_path / "outbox.sqlite"
    box = open_outbox(path)
    box.append(make_readings(0))
    box.settle([row.seq for row in list_rows(box)], {})
    box.close()
    path.unlink()
    box = open_outbox(path)
    assert list_rows(box) == []
    box.close()


def test_a_witness_of_another_file_proves_nothing(killed, tmp_path):
    other = open_outbox(tmp_path / "other" / "outbox.sqlite")
    other.append(make_readings(0))
    other.close()
    for file in (killed.path, name_wal(killed.path)):
        file.unlink()
    (tmp_path / "other" / "outbox.sqlite").rename(killed.path)
    box = open_outbox(killed.path)
    assert list_numbers(box) == [0]
    assert list_losses(box) == []
    box.close()


def test_a_damaged_witness_proves_nothing(tmp_path):
    path, lock = tmp_path / "outbox.sqlite", tmp_path / "outbox.sqlite.lock"
    box = open_outbox(path)
    box.append(make_readings(0, 3))
    before = box.id
    box.close()
    data = lock.read_bytes()
    for at in range(32, len(data)):
        lock.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        box = open_outbox(path)
        assert (list_numbers(box), list_losses(box), box.id) == ([0, 1, 2], [], before)
        box.close()
