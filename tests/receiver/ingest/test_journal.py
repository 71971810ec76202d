"""The journal of the roll-ups: durable, and disposable."""

import contextlib
import sqlite3

import pytest

from receiver.ingest.journal import Contents, Journal, JournalBegunAgainError, JournalError, RollupState
from shared import durable_sqlite
from shared.units import HOUR_MS, QUARTER_MS

HOUSE, SHED = "122200000001", "122200000002"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "rollups.sqlite"


async def load(path) -> Contents:
    """What a new process finds."""
    journal = Journal(path)
    try:
        return await journal.load()
    finally:
        await journal.close()


async def test_what_was_noted_is_there_after_a_restart(path):
    journal = Journal(path)
    assert await journal.load() == Contents({}, set())
    await journal.add([(HOUSE, 0), (HOUSE, 900_000), (SHED, 0)])
    await journal.add([(HOUSE, 0)])
    await journal.remove([(HOUSE, 900_000), (SHED, 7 * QUARTER_MS)])
    await journal.put(HOUSE, RollupState("of the site", 5 * HOUR_MS))
    await journal.put(HOUSE, RollupState("of the site", None))
    await journal.close()
    assert await load(path) == Contents({HOUSE: RollupState("of the site", None)}, {(HOUSE, 0), (SHED, 0)})
    assert path.stat().st_mode & 0o777 == 0o600


async def test_what_the_outputs_know_of_is_told_apart_until_more_comes(path):
    journal = Journal(path)
    quarters = [(HOUSE, number * QUARTER_MS) for number in range(4)]
    await journal.add(quarters[:2])
    await journal.add(quarters[1:3], told=True)  # an import: what was to be told before it still is
    assert (await load(path)).told == {quarters[2]}
    await journal.tell(quarters[:2])
    assert (await load(path)).told == set(quarters[:3])
    await journal.add(quarters[1:2])
    await journal.remove(quarters[2:3])
    await journal.close()
    assert await load(path) == Contents({}, set(quarters[:2]), {quarters[0]})


async def test_a_journal_of_the_version_before_goes_on(path):
    """An update must not compute every history again."""
    await fill(path)
    before = await load(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE told; PRAGMA user_version = 2")
    assert await load(path) == before
    journal = Journal(path)
    await journal.tell([(HOUSE, 0)])
    await journal.close()
    assert await load(path) == before._replace(told={(HOUSE, 0)})
    assert not path.with_name(f"{path.name}.damaged").exists()


@pytest.mark.parametrize("content", [b"", b"no database " * 500, b"SQLite format 3\x00" + bytes(5000)])
async def test_a_damaged_journal_is_begun_again(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert await load(path) == Contents({}, set())
    assert await load(path) == Contents({}, set())


async def test_a_journal_of_another_version_is_put_aside(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE dirty (something)")
    connection.close()
    assert await load(path) == Contents({}, set())
    with sqlite3.connect(f"{path}.damaged") as connection:
        assert connection.execute("SELECT count(*) FROM dirty").fetchone() == (0,)
    connection.close()


async def test_a_page_that_is_damaged_is_found_at_the_start(path):
    journal = Journal(path)
    await journal.add([(HOUSE, quarter * QUARTER_MS) for quarter in range(2000)])
    await journal.close()
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 4 * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    assert await load(path) == Contents({}, set())


async def test_a_journal_that_vanishes_is_not_written_into_the_void(path):
    """SQLite would go on in the deleted file and call it durable."""
    journal = Journal(path)
    await journal.add([(HOUSE, 0)])
    path.unlink()
    with pytest.raises(JournalBegunAgainError):
        await journal.add([(HOUSE, QUARTER_MS)])
    await journal.add([(HOUSE, 2 * QUARTER_MS)])
    await journal.close()
    assert await load(path) == Contents({}, {(HOUSE, 2 * QUARTER_MS)})


async def test_a_directory_that_cannot_be_made_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "state").write_text("a file is in the way")
    journal = Journal(tmp_path / "state" / "rollups.sqlite")
    with pytest.raises(JournalError, match="check the disk"):
        await journal.load()
    await journal.close()


async def test_a_journal_whose_text_is_no_text_any_more_is_begun_again(path):
    """The structure is sound, and Python raises past every error of SQLite."""
    await fill(path)
    content = path.read_bytes()
    assert content.count(HOUSE.encode()) > 1
    path.write_bytes(content.replace(HOUSE.encode(), b"\xff" * len(HOUSE)))
    assert await load(path) == Contents({}, set())


async def test_no_flipped_bit_of_a_journal_refuses_a_change(path):
    """Some flips change nothing; every other one begins it again, and the same change is taken then."""
    await fill(path)
    whole, noted = path.read_bytes(), (await load(path)).dirty
    for bit in [*range(0, 800, 13), *range(800, len(whole) * 8, 1553)]:  # the file's header in more detail
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        durable_sqlite.remove(path)
        path.write_bytes(flipped)
        journal = Journal(path)
        assert (await journal.load()).dirty in (noted, set()), "whole, or begun again"
        for _ in range(2):
            with contextlib.suppress(JournalBegunAgainError):
                await journal.add([(SHED, 0)])
            await journal.load()
        assert (SHED, 0) in (await journal.load()).dirty, bit
        await journal.close()


async def test_a_change_that_meets_damage_begins_the_journal_again(path):
    journal = Journal(path)
    await journal.load()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE dirty")
    with pytest.raises(JournalBegunAgainError):
        await journal.add([(HOUSE, 0)])
    await journal.add([(HOUSE, 0)])
    await journal.close()
    assert await load(path) == Contents({}, {(HOUSE, 0)})


async def fill(path) -> None:
    journal = Journal(path)
    await journal.load()
    await journal.add([(HOUSE, quarter * QUARTER_MS) for quarter in range(100)])
    await journal.put(HOUSE, RollupState("of the site", 5 * HOUR_MS))
    await journal.close()
