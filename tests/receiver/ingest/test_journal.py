"""The journal of the roll-ups: durable, and disposable."""

import sqlite3

import pytest

from receiver.ingest.journal import Contents, Journal, JournalError, RollupState

HOUSE, SHED = "122200000001", "122200000002"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "rollups.sqlite"


async def loaded(path) -> Contents:
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
    await journal.remove([(HOUSE, 900_000), (SHED, 7)])
    await journal.put(HOUSE, RollupState("of the site", 5))
    await journal.put(HOUSE, RollupState("of the site", None))
    await journal.close()
    assert await loaded(path) == Contents({HOUSE: RollupState("of the site", None)}, {(HOUSE, 0), (SHED, 0)})
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"no database " * 500, b"SQLite format 3\x00" + bytes(5000)])
async def test_a_damaged_journal_is_begun_again(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert await loaded(path) == Contents({}, set())
    assert await loaded(path) == Contents({}, set())


async def test_a_journal_of_another_version_is_put_aside(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE dirty (something)")
    connection.close()
    assert await loaded(path) == Contents({}, set())
    with sqlite3.connect(f"{path}.damaged") as connection:
        assert connection.execute("SELECT count(*) FROM dirty").fetchone() == (0,)
    connection.close()


async def test_a_page_that_is_damaged_is_found_at_the_start(path):
    journal = Journal(path)
    await journal.add([(HOUSE, quarter) for quarter in range(2000)])
    await journal.close()
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 4 * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    assert await loaded(path) == Contents({}, set())


async def test_a_journal_that_vanishes_is_not_written_into_the_void(path):
    """SQLite would go on in the deleted file and call it durable."""
    journal = Journal(path)
    await journal.add([(HOUSE, 0)])
    path.unlink()
    with pytest.raises(JournalError, match="cannot be used"):
        await journal.add([(HOUSE, 1)])
    await journal.add([(HOUSE, 2)])
    await journal.close()
    assert await loaded(path) == Contents({}, {(HOUSE, 2)})


async def test_a_directory_that_cannot_be_made_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "state").write_text("a file is in the way")
    journal = Journal(tmp_path / "state" / "rollups.sqlite")
    with pytest.raises(JournalError, match="check the disk"):
        await journal.load()
    await journal.close()
