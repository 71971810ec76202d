"""The head of the log: where a bit of it has flipped, SQLite reads nothing of the log, and a salvage reads all of it."""

import pytest

from scraper.outbox.schema import PAGE_BYTES
from shared.durable_sqlite import name_wal
from tests.scraper.outbox.damaged_outbox import EXPECTED, KilledOutbox, list_damaged_files
from tests.scraper.outbox.support import kill, list_losses, list_numbers, list_rows, make_readings, open_outbox

HEAD_BYTES = 32
FIRST_FRAME = slice(HEAD_BYTES, HEAD_BYTES + 24 + PAGE_BYTES)


def alter_log(killed, change):
    log = name_wal(killed.path)
    data = bytearray(log.read_bytes())
    change(data)
    log.write_bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize("byte", range(HEAD_BYTES))
def test_no_flipped_bit_of_the_head_costs_a_row_or_brings_one_back_or_records_a_loss(original, tmp_path, byte):
    """What was settled came back from older images of its pages, and a loss was recorded where nothing was lost."""
    for bit in range(8):
        killed = original.copy(tmp_path / f"{bit}")

        def flip(data: bytearray, bit: int = bit) -> None:
            data[byte] ^= 1 << bit

        alter_log(killed, flip)
        box = open_outbox(killed.path)
        assert list_damaged_files(killed.path)
        assert list_numbers(box) == EXPECTED
        assert list_losses(box) == []
        box.close()


def test_without_head_and_first_frame_no_row_is_lost_and_the_loss_is_unknown(killed):
    """Nothing tells then which images are the newest: what was settled may come back, and is sent once more."""

    def wipe(data: bytearray) -> None:
        data[: FIRST_FRAME.stop] = bytes(FIRST_FRAME.stop)

    alter_log(killed, wipe)
    box = open_outbox(killed.path)
    assert set(list_numbers(box)) >= set(EXPECTED)
    assert all("rows" not in loss.fields for loss in list_losses(box))
    box.close()


def test_pages_of_the_log_that_changed_places_record_a_loss_only_where_a_row_is_missing(tmp_path):
    """Settled rows come back from older images of their pages: the digest of the rest shows that all else is there."""
    box = open_outbox(tmp_path / "whole" / "outbox.sqlite")
    box.append(make_readings(0, 120))
    box.settle([row.seq for row in list_rows(box)[:36]], {})
    box.append(make_readings(120, 40))
    whole = KilledOutbox(tmp_path / "whole", [row.seq for row in list_rows(box)], box.id)
    kill(box, whole.path)
    data = name_wal(whole.path).read_bytes()
    first, came_back = data[:PAGE_BYTES], 0
    for other in range(PAGE_BYTES, len(data) - PAGE_BYTES, PAGE_BYTES):
        killed = whole.copy(tmp_path / f"{other}")
        swapped = bytearray(data)
        swapped[:PAGE_BYTES], swapped[other : other + PAGE_BYTES] = data[other : other + PAGE_BYTES], first
        name_wal(killed.path).write_bytes(swapped)
        box = open_outbox(killed.path)
        found = {row.seq for row in list_rows(box)}
        assert bool(list_losses(box)) == (not found >= set(whole.seqs)), other
        came_back += found > set(whole.seqs)
        box.close()
    assert came_back > 10
