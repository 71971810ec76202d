"""What a salvage keeps: values, dead letters, numbers, the count of what was lost; and a kill in the middle of it."""

import pytest

from scraper.errors import OutboxUnavailableError
from scraper.outbox.salvage import recovery
from shared.durable_sqlite import name_wal
from tests.scraper.outbox.damaged_outbox import EXPECTED, list_damaged_files
from tests.scraper.outbox.support import list_losses, list_numbers, list_rows, make_readings, open_outbox


def test_values_and_dead_letters_survive_a_broken_head(killed):
    box = open_outbox(killed.path)
    seqs = [row.seq for row in list_rows(box)]
    box.settle([], {seqs[0]: "too-old"})
    box.close()
    killed.path.write_bytes(b"\xff" * 100 + killed.path.read_bytes()[100:])
    box = open_outbox(killed.path)
    assert box.read_memory() == b"77"
    assert [letter.seq for letter in box.read_dead_letters()] == [seqs[0]]
    assert list_numbers(box) == EXPECTED[1:]
    assert box.read_stats().rows == len(EXPECTED) - 1 + len(list_losses(box))
    box.close()


def test_the_loss_is_counted_where_the_file_still_tells(killed):
    """A page of rows is wiped; the counts elsewhere in the file say how many are missing."""
    box = open_outbox(killed.path)
    box.close()
    data = bytearray(killed.path.read_bytes())
    page = data.index(b"power") // 4096
    data[page * 4096 : (page + 1) * 4096] = bytes(4096)
    killed.path.write_bytes(data)
    box = open_outbox(killed.path)
    (loss,) = list_losses(box)
    assert int(loss.fields["rows"]) == len(EXPECTED) - len(list_numbers(box)) > 0
    assert box.read_stats().lost_rows == loss.fields["rows"]
    box.close()


def test_numbers_are_not_used_again_after_a_salvage(killed):
    """A verdict that is still on its way must hit no new row."""
    box = open_outbox(killed.path)
    highest = max(row.seq for row in list_rows(box))
    box.close()
    killed.path.write_bytes(b"\xff" * 100 + killed.path.read_bytes()[100:])
    box = open_outbox(killed.path)
    old = {row.seq for row in list_rows(box)}
    box.append(make_readings(9_999))
    assert min({row.seq for row in list_rows(box)} - old) > highest
    box.close()


def test_damage_that_shows_while_it_runs_is_salvaged_on_the_spot(killed):
    box = open_outbox(killed.path)
    before = box.id
    box._database.read(lambda c: c.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
    box._database.read(lambda c: c.execute("PRAGMA shrink_memory").fetchone())
    data = killed.path.read_bytes()
    page = data.index(b"power") // 4096
    with killed.path.open("r+b") as file:  # in place, under the open connection
        file.seek(page * 4096)
        file.write(b"\x99" * 8)
    box._database.read(lambda c: c.execute("PRAGMA cache_size = 0").fetchone())
    assert set(EXPECTED) - set(list_numbers(box)) == set(), "only the head of the page was hit, all rows are sound"
    assert box.id != before
    assert len(list_damaged_files(killed.path)) == 1
    box.append(make_readings(9_999))
    box.close()


def test_damage_that_a_commit_meets_costs_no_more_than_it_hit(killed):
    """What the commit was about to change is in no file yet, so what was there is still known for certain."""
    box = open_outbox(killed.path)
    box._database.read(lambda c: c.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
    box._database.read(lambda c: c.execute("PRAGMA cache_size = 0").fetchone())
    box._database.read(lambda c: c.execute("PRAGMA shrink_memory").fetchone())
    root = box._database.read(
        lambda c: c.execute("SELECT rootpage FROM sqlite_master WHERE name = 'rows'").fetchone()[0]
    )
    with killed.path.open("r+b") as file:  # in place, under the open connection
        file.seek((root - 1) * 4096)
        file.write(b"\x99" * 8)
    box.append(make_readings(9_999))
    assert list_numbers(box) == [*EXPECTED, 9_999]
    assert list_losses(box) == []
    assert len(list_damaged_files(killed.path)) == 1
    box.close()


@pytest.mark.parametrize(("at", "length"), [(0, 100), (18, 1), (19, 1)])
def test_a_command_beside_the_scraper_does_not_salvage(killed, at, length):
    open_outbox(killed.path).close()
    data = killed.path.read_bytes()
    killed.path.write_bytes(data[:at] + b"\xff" * length + data[at + length :])
    with pytest.raises(OutboxUnavailableError, match="damaged: start"):
        open_outbox(killed.path, exclusive=False)
    assert list_damaged_files(killed.path) == []


@pytest.mark.parametrize("step", ["before", "log moved", "all moved"])
def test_a_kill_in_the_middle_of_the_exchange_is_completed(killed, monkeypatch, step):
    """The new file is whole before the old one is touched, and found whatever was moved."""
    killed.path.write_bytes(b"\xff" * 100 + killed.path.read_bytes()[100:])
    with monkeypatch.context() as patched:
        patched.setattr(recovery, "finish", lambda *_: None)
        recovery.salvage(killed.path, 0)
    if step != "before":
        name_wal(killed.path).rename(name_wal(killed.path.with_name("aside")))
    if step == "all moved":
        killed.path.rename(killed.path.with_name("aside"))
    box = open_outbox(killed.path)
    assert list_numbers(box) == EXPECTED
    box.close()


def test_only_a_few_damaged_files_are_kept(killed):
    for day in range(6):
        killed.path.write_bytes(b"\xff" * 9000)
        name_wal(killed.path).write_bytes(b"x")
        recovery.salvage(killed.path, day * 86_400_000)
    assert len(list_damaged_files(killed.path)) == recovery.KEPT_FILES
    assert len(list(killed.directory.glob("*.damaged-*-wal"))) == recovery.KEPT_FILES
