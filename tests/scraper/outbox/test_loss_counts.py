"""What a salvage says about losses is right, or it says that nobody knows: never a number made of stale copies."""

import itertools
import random

import pytest

from scraper.outbox.frames import FrameKind, pack
from scraper.outbox.schema import PAGE_BYTES
from shared.wire import encode_reading
from tests.scraper.outbox.damaged_outbox import EXPECTED, list_damaged_files
from tests.scraper.outbox.support import NOW, list_losses, list_numbers, list_rows, make_readings, open_outbox

SETTLED = 60
"""One of the readings that were delivered before the files of `killed` were left."""


@pytest.fixture
def closed(killed):
    """A sound outbox of one file."""
    open_outbox(killed.path).close()
    return killed


def break_head(path):
    path.write_bytes(b"\xff" * 100 + path.read_bytes()[100:])


def add_stale_copy(path, page):
    """Put a settled row into the free space of a page of rows, as SQLite leaves it when it moves cells."""
    data = bytearray(path.read_bytes())
    stale = pack(FrameKind.ROW, SETTLED + 1, NOW, encode_reading(make_readings(SETTLED)[0]))
    start = page * PAGE_BYTES
    count, content = (int.from_bytes(data[start + at : start + at + 2], "big") for at in (3, 5))
    assert content - len(stale) > 8 + 2 * count, "the page has room between its pointers and its cells"
    data[start + content - len(stale) : start + content] = stale
    path.write_bytes(data)


def find_leaves(path):
    """Pages that hold rows, the fullest first."""
    data = path.read_bytes()
    pages = range(len(data) // PAGE_BYTES)
    count = {page: data.count(b'"power"', page * PAGE_BYTES, (page + 1) * PAGE_BYTES) for page in pages}
    return sorted((page for page in pages if count[page]), key=lambda page: -count[page])


def test_nothing_is_recorded_where_nothing_is_lost(closed):
    break_head(closed.path)
    box = open_outbox(closed.path)
    assert list_numbers(box) == EXPECTED
    assert list_losses(box) == []
    assert len(list_damaged_files(closed.path)) == 1
    box.close()


def test_a_stale_copy_is_neither_saved_nor_sent_again_where_all_is_there(closed):
    add_stale_copy(closed.path, find_leaves(closed.path)[-1])
    break_head(closed.path)
    box = open_outbox(closed.path)
    assert list_numbers(box) == EXPECTED
    assert list_losses(box) == []
    box.close()


def test_a_stale_copy_makes_the_count_unknown(closed):
    """It cannot be told from a row whose page is broken, so it goes out once more, which is harmless."""
    *_, wiped, with_stale = find_leaves(closed.path)
    add_stale_copy(closed.path, with_stale)
    data = bytearray(closed.path.read_bytes())
    data[wiped * PAGE_BYTES : (wiped + 1) * PAGE_BYTES] = bytes(PAGE_BYTES)
    closed.path.write_bytes(data)
    box = open_outbox(closed.path)
    assert len(set(list_numbers(box)) & set(EXPECTED)) < len(EXPECTED)
    (loss,) = list_losses(box)
    assert "rows" not in loss.fields
    box.close()


def test_a_damaged_count_is_not_believed(closed):
    """The kept count in the file says more rows than there ever were."""
    box = open_outbox(closed.path)
    box._database.read(lambda c: c.execute("UPDATE state SET rows = rows + 9"))
    box.close()
    box = open_outbox(closed.path)
    assert (list_numbers(box), list_losses(box)) == (EXPECTED, [])
    assert box.read_stats().rows == len(EXPECTED)
    box.close()


def test_pages_that_were_swapped_cost_what_the_record_says(closed, tmp_path):
    sound = closed.path.read_bytes()
    lock = closed.path.with_name("outbox.sqlite.lock").read_bytes()
    pairs = list(itertools.combinations(range(len(sound) // PAGE_BYTES), 2))
    for number, (one, other) in enumerate(random.Random(4).sample(pairs, 60)):
        directory = tmp_path / str(number)
        directory.mkdir(0o700)
        pages = [sound[at : at + PAGE_BYTES] for at in range(0, len(sound), PAGE_BYTES)]
        pages[one], pages[other] = pages[other], pages[one]
        (directory / "outbox.sqlite").write_bytes(b"".join(pages))
        (directory / "outbox.sqlite.lock").write_bytes(lock)
        box = open_outbox(directory / "outbox.sqlite")
        missing = len(set(EXPECTED) - set(list_numbers(box)))
        lost = list_losses(box)
        assert bool(missing) == bool(lost), (one, other)
        assert not lost or lost[0].fields.get("rows", missing) == missing, (one, other)
        box.close()


@pytest.mark.parametrize("head_too", [False, True])
def test_a_damaged_dead_letter_is_counted_as_lost(closed, head_too):
    box = open_outbox(closed.path)
    seqs = [row.seq for row in list_rows(box)]
    box.settle([], dict.fromkeys(seqs[:3], "too-old"))
    box.close()
    data = closed.path.read_bytes()
    at = data.index(b"too-old")
    closed.path.write_bytes(data[:at] + b"T" + data[at + 1 :])
    if head_too:
        break_head(closed.path)
    box = open_outbox(closed.path)
    assert (len(box.read_dead_letters()), box.read_stats().dead_letters) == (2, 2)
    (loss,) = list_losses(box)
    assert loss.fields["rows"] == 1
    assert box.read_stats().lost_rows == 1
    box.close()


def test_an_outbox_of_an_older_release_gets_its_digest(closed):
    """Made without one, and without a witness: nothing can be said for sure until both are there."""
    box = open_outbox(closed.path)
    box._database.read(lambda c: c.execute("ALTER TABLE state DROP COLUMN digest"))
    box._database.read(lambda c: c.execute("UPDATE state SET version = 1"))
    box._database.read(lambda c: c.execute("PRAGMA user_version = 1"))
    box.close()
    closed.path.with_name("outbox.sqlite.lock").write_bytes(b"4711\n")
    box = open_outbox(closed.path)
    assert (list_numbers(box), list_losses(box)) == (EXPECTED, [])
    assert list_damaged_files(closed.path) == []
    box.close()
    break_head(closed.path)
    box = open_outbox(closed.path)
    assert (list_numbers(box), list_losses(box)) == (EXPECTED, [])
    box.close()
