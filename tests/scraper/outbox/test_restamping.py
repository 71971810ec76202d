"""Rows that get another stamp: once, under new numbers, with an event, whatever happens meanwhile."""

from pathlib import Path

import pytest

from scraper.outbox import Outbox, OutboxRow
from shared.wire import decode_reading, encode_reading
from tests.scraper.outbox.support import NOW, kill, list_rows, make_readings, open_outbox

COUNT = 2500
BY = -1_000_000


def move_odd(row: OutboxRow) -> bytes | None:
    reading = decode_reading(row.payload)
    if reading.kind != "meter" or not reading.timestamp >= NOW or not row.seq % 2:
        return None
    return encode_reading(type(reading)(reading.kind, reading.tags, reading.timestamp + BY, reading.fields))


def check_moved(outbox: Outbox) -> None:
    found = [decode_reading(row.payload) for row in list_rows(outbox)]
    stamps = sorted(reading.timestamp - NOW for reading in found if reading.kind == "meter")
    assert stamps == sorted(n if n % 2 else n + BY for n in range(COUNT))
    (event,) = [reading for reading in found if reading.kind == "event"]
    assert (event.tags, event.fields["rows"]) == ({"type": "restamp"}, COUNT / 2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "outbox.sqlite"


def test_moved_rows_have_new_numbers_so_that_a_verdict_on_its_way_settles_none_of_them(path):
    outbox = open_outbox(path)
    outbox.append(make_readings(0, COUNT))
    gone = outbox.restamp(move_odd)
    assert gone == frozenset(range(1, COUNT + 1, 2))
    assert outbox.read_next_seq() == COUNT + COUNT // 2 + 2
    outbox.settle(gone, dict.fromkeys(gone, "in-the-future"))
    assert (outbox.read_stats().rows, outbox.read_stats().dead_letters) == (COUNT + 1, 0)
    check_moved(outbox)
    assert outbox.restamp(lambda _: None) == frozenset()
    outbox.close()


def test_a_kill_leaves_all_or_nothing_moved(path):
    outbox = open_outbox(path)
    outbox.append(make_readings(0, COUNT))
    seen = 0

    def move_until_killed(row: OutboxRow) -> bytes | None:
        nonlocal seen
        seen += 1
        if seen > COUNT // 2:
            raise KeyboardInterrupt
        return move_odd(row)

    with pytest.raises(KeyboardInterrupt):
        outbox.restamp(move_until_killed)
    kill(outbox, path)
    again = open_outbox(path)
    assert [decode_reading(row.payload) for row in list_rows(again)] == make_readings(0, COUNT)
    again.restamp(move_odd)
    kill(again, path)
    moved = open_outbox(path)
    check_moved(moved)
    moved.close()
