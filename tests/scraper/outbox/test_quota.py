"""Beyond the quota the oldest go, and the reported loss is the real loss."""

import pytest

from scraper.outbox import quota
from shared.readings import Reading
from tests.scraper.outbox.support import (
    NOW,
    decode,
    drain,
    list_losses,
    list_numbers,
    list_rows,
    make_readings,
    open_outbox,
)

QUOTA = 256 * 1024


@pytest.fixture
def outbox(tmp_path):
    box = open_outbox(tmp_path / "outbox.sqlite", quota_bytes=QUOTA)
    yield box
    box.close()


def test_the_reported_loss_is_the_real_loss_exactly(outbox):
    for first in range(0, 6000, 20):
        outbox.append(make_readings(first, 20))
        assert outbox.read_stats().bytes <= QUOTA
    left = list_numbers(outbox)
    events = list_losses(outbox)
    assert left == list(range(left[0], 6000)), "only the oldest are gone"
    assert sum(int(event.fields["rows"]) for event in events) == 6000 - len(left)
    assert outbox.read_stats().lost_rows == 6000 - len(left)
    assert outbox.read_stats().rows == len(left) + len(events)


def test_every_loss_has_its_own_identity_and_its_own_range(outbox):
    """Two losses that begin at one moment (same report date) must not overwrite each other."""
    same = Reading("inverter", {"inverter": "1"}, NOW, {"power": 1.0})
    for _ in range(400):
        outbox.append([same] * 20)
    stamps = [event.timestamp for event in list_losses(outbox)]
    assert len(stamps) > 3
    assert len(stamps) == len(set(stamps))


def test_a_loss_says_when(outbox):
    for first in range(0, 3000, 20):
        outbox.append(make_readings(first, 20))
    loss = list_losses(outbox)[0]
    assert loss.timestamp == NOW
    assert NOW < float(loss.fields["end"]) < NOW + 3000
    assert loss.fields["reason"] == "the outbox was full"


def test_one_event_stands_for_about_two_percent_of_the_quota(outbox):
    for first in range(0, 6000, 5):
        outbox.append(make_readings(first, 5))
    rows = [int(event.fields["rows"]) for event in list_losses(outbox)]
    assert min(rows) >= 20


def test_the_newest_survive_even_a_commit_larger_than_the_quota(tmp_path):
    box = open_outbox(tmp_path / "small.sqlite", quota_bytes=64 * 1024)
    box.append(make_readings(0, 200))
    box.append(make_readings(200, 1000))
    assert list_numbers(box) == list(range(200, 1200))
    box.close()


def test_rows_on_their_way_to_the_receiver_are_not_dropped(outbox):
    """They may be stored there already: dropping them would report a loss that is none."""
    outbox.append(make_readings(0, 50))
    on_their_way = [row.seq for row in outbox.read_oldest(50, 10**6)]
    for first in range(50, 4000, 50):
        outbox.append(make_readings(first, 50))
    assert {row.seq for row in list_rows(outbox)} >= set(on_their_way)
    lost = outbox.read_stats().lost_rows
    outbox.settle(on_their_way, {})
    assert len(list_numbers(outbox)) + lost + 50 == 4000


def test_room_comes_back_when_the_backlog_drains(tmp_path, monkeypatch):
    """The file does not stay as large as the longest outage."""
    monkeypatch.setattr(quota, "SHRINK_ABOVE", 128)
    file = tmp_path / "large.sqlite"
    box = open_outbox(file)
    box.append(make_readings(0, 20_000))
    full = box.read_stats().bytes
    assert len(decode(drain(box))) == 20_000
    assert box.read_stats().bytes < 100_000
    box.close()
    assert file.stat().st_size < full / 2
