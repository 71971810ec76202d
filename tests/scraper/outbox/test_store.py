"""What the queue promises in good times."""

import stat

import msgspec
import pytest

from scraper.errors import OutboxError, OutboxInUseError, OutboxUnavailableError
from scraper.outbox.rows import BATCH_OVERHEAD, ROW_OVERHEAD
from scraper.outbox.schema import make_id
from shared.readings import Reading
from shared.wire import MAX_BYTES, MAX_ROWS, encode_batch, encode_reading
from tests.scraper.outbox.support import NOW, decode, drain, list_numbers, list_rows, make_readings, open_outbox


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "outbox.sqlite"


@pytest.fixture
def outbox(path):
    box = open_outbox(path)
    yield box
    box.close()


def test_what_was_appended_comes_back_in_order_and_unaltered(outbox):
    outbox.append(make_readings(0, 3))
    outbox.append([])
    outbox.append(make_readings(3, 2))
    assert decode(list_rows(outbox)) == make_readings(0, 5)
    assert [row.payload for row in list_rows(outbox)] == [encode_reading(reading) for reading in make_readings(0, 5)]


def test_numbers_strictly_increase_even_after_everything_was_settled_and_closed(path):
    seen = []
    for n in range(3):
        box = open_outbox(path)
        box.append(make_readings(n, 4))
        seen += [row.seq for row in drain(box)]
        box.close()
    assert seen == sorted(set(seen))
    assert len(seen) == 12


def test_the_id_is_random_and_stays(path, tmp_path):
    first = open_outbox(path)
    first.close()
    again, other = open_outbox(path), open_outbox(tmp_path / "other" / "outbox.sqlite")
    assert len(first.id) == 32
    assert int(first.id, 16)
    assert again.id == first.id != other.id
    again.close()
    other.close()


def test_a_copied_file_is_a_new_epoch(path, outbox):
    """Two scrapers from one disk image must be told apart."""
    outbox.close()
    copy = path.with_name("copy.sqlite")
    copy.write_bytes(path.read_bytes())
    box = open_outbox(copy)
    assert box.id != outbox.id
    box.close()


def test_newest_and_oldest_take_their_end_of_the_queue(outbox):
    outbox.append(make_readings(0, 10))
    seqs = [row.seq for row in list_rows(outbox)]
    assert [row.seq for row in outbox.read_newest(3, MAX_BYTES)] == seqs[-3:]
    assert [row.seq for row in outbox.read_oldest(3, MAX_BYTES)] == seqs[:3]
    assert [row.seq for row in outbox.read_newest(3, MAX_BYTES, after=seqs[-2])] == seqs[-1:]
    assert [row.seq for row in outbox.read_oldest(3, MAX_BYTES, before=seqs[2])] == seqs[:2]


def test_a_batch_of_what_was_handed_out_keeps_the_limits_of_the_wire(outbox):
    long = [Reading("event", {"type": "gap"}, NOW + n, {"reason": "x" * 1500}) for n in range(600)]
    outbox.append(long)
    for rows in (outbox.read_newest(MAX_ROWS, MAX_BYTES), outbox.read_oldest(MAX_ROWS, MAX_BYTES)):
        body = encode_batch(batch=make_id(), outbox=outbox.id, rows=[(row.seq, row.payload) for row in rows])
        assert MAX_BYTES - 4000 < len(body) <= MAX_BYTES


def test_the_overheads_cover_the_largest_numbers():
    empty = encode_batch(batch=make_id(), outbox=make_id(), rows=[])
    one = encode_batch(batch=make_id(), outbox=make_id(), rows=[(2**63 - 1, b"{}")])
    assert len(empty) <= BATCH_OVERHEAD
    assert len(one) - len(empty) - 2 + 1 <= ROW_OVERHEAD


def test_one_row_always_goes_however_small_the_batch(outbox):
    outbox.append(make_readings(0, 2))
    assert len(outbox.read_oldest(500, 1)) == len(outbox.read_newest(500, 1)) == 1


def test_settling_deletes_the_accepted_and_keeps_the_rejected_with_their_code(outbox):
    outbox.append(make_readings(0, 4))
    seqs = [row.seq for row in list_rows(outbox)]
    outbox.settle(seqs[:2], {seqs[2]: "too-old"})
    assert list_numbers(outbox) == [3]
    (letter,) = outbox.read_dead_letters()
    assert (letter.seq, letter.code) == (seqs[2], "too-old")
    assert msgspec.json.decode(letter.reading, type=Reading) == make_readings(2)[0]


def test_a_verdict_on_rows_that_are_gone_is_harmless(outbox):
    outbox.append(make_readings(0, 2))
    seqs = [row.seq for row in list_rows(outbox)]
    for _ in range(2):
        outbox.settle([seqs[0], 999_999], {888_888: "unknown-kind"})
    assert outbox.read_stats()[:1] == (1,)
    assert outbox.read_stats().dead_letters == 0


def test_stats_tell_how_it_stands(outbox):
    empty = outbox.read_stats()
    assert (empty.rows, empty.oldest_ms, empty.newest_ms, empty.dead_letters, empty.lost_rows) == (0, None, None, 0, 0)
    outbox.append(make_readings(0, 2))
    outbox.append(make_readings(2, 1))
    full = outbox.read_stats()
    assert full.rows == 3
    assert full.bytes >= empty.bytes > 0
    assert full.oldest_ms is not None
    assert full.newest_ms is not None
    assert NOW <= full.oldest_ms < full.newest_ms


def test_a_reading_that_cannot_be_kept_takes_no_other_with_it_by_surprise(outbox):
    """All or nothing: the caller learns of it before anything is committed."""
    unfit: list[dict[str, float | str]] = [{"power": float("nan")}, {"reason": "x" * 4000}]
    for bad in unfit:
        with pytest.raises(ValueError, match=r"not a finite|too long"):
            outbox.append([*make_readings(0, 2), Reading("event", {"type": "gap"}, NOW, bad)])
        assert outbox.read_stats().rows == 0
    outbox.append(make_readings(0))
    assert list_numbers(outbox) == [0]


def test_the_memory_outlives_the_process_and_changes_with_its_readings(path):
    box = open_outbox(path)
    assert box.read_memory() is None
    box.append([], memory=b'{"offset":1}')
    box.append(make_readings(0), memory='{"offset":"ä"}'.encode())
    with pytest.raises(ValueError, match="too long"):
        box.append(make_readings(1), memory=b"x" * 4000)
    box.append(make_readings(2))
    box.close()
    box = open_outbox(path)
    assert box.read_memory() == '{"offset":"ä"}'.encode()
    assert list_numbers(box) == [0, 2]
    box.close()


def test_files_are_for_their_owner_only(path, outbox):
    outbox.append(make_readings(0))
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_durability_is_what_sqlite_was_told(outbox):
    settings = ("journal_mode", "synchronous", "secure_delete")
    asked = [outbox._database.read(lambda c, s=s: c.execute(f"PRAGMA {s}").fetchone()[0]) for s in settings]
    assert asked == ["wal", 2, 1]


def test_a_second_scraper_is_refused_with_the_process_that_runs(path, outbox):
    with pytest.raises(OutboxInUseError, match=r"another scraper \(process \d+\).*ENVOY_STATE_DIR"):
        open_outbox(path)
    outbox.append(make_readings(0))
    assert list_numbers(outbox) == [0]


def test_a_command_works_beside_the_running_scraper(path, outbox):
    outbox.append(make_readings(0, 2))
    beside = open_outbox(path, exclusive=False)
    assert beside.read_stats().rows == 2
    seqs = [row.seq for row in list_rows(outbox)]
    outbox.settle([], {seqs[0]: "unknown-kind"})
    assert beside.replay([seqs[0]]) == 1
    beside.close()
    assert list_numbers(outbox) == [1, 0]
    assert outbox.read_stats().dead_letters == 0
    outbox.append(make_readings(2))
    assert len({row.seq for row in list_rows(outbox)}) == 3


def test_a_command_without_an_outbox_says_what_to_do(path):
    with pytest.raises(OutboxError, match="start envoy-scraper run once"):
        open_outbox(path, exclusive=False)


def test_a_state_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutboxUnavailableError, match=r"cannot write in .*ENVOY_STATE_DIR"):
        open_outbox(tmp_path / "file" / "outbox.sqlite")


def test_a_closed_outbox_says_so(path):
    box = open_outbox(path)
    box.close()
    with pytest.raises(OutboxError, match="closed"):
        box.append(make_readings(0))
