"""Refused readings are kept, bounded, and can go back."""

import json
import stat

import pytest

from scraper.outbox import dead_letters
from tests.scraper.outbox.support import list_losses, list_numbers, list_rows, make_readings, open_outbox


@pytest.fixture
def outbox(tmp_path):
    box = open_outbox(tmp_path / "outbox.sqlite")
    yield box
    box.close()


def refuse(outbox, first, count=1, code="unknown-kind"):
    outbox.append(make_readings(first, count))
    seqs = [row.seq for row in list_rows(outbox)][-count:]
    outbox.settle([], dict.fromkeys(seqs, code))
    return seqs


def test_the_newest_are_listed_and_each_can_be_shown(outbox):
    seqs = refuse(outbox, 0, 5)
    assert [letter.seq for letter in outbox.read_dead_letters(2)] == seqs[-2:]
    letter = outbox.show(seqs[0])
    assert letter is not None
    assert letter.code == "unknown-kind"
    assert outbox.show(12345) is None


def test_replay_puts_them_back_under_new_numbers(outbox):
    seqs = refuse(outbox, 0, 3)
    assert outbox.replay([seqs[1], 777]) == 1
    assert list_numbers(outbox) == [1]
    assert outbox.replay() == 2
    assert list_numbers(outbox) == [1, 0, 2]
    assert min(row.seq for row in list_rows(outbox)) > max(seqs)
    assert outbox.read_stats().dead_letters == 0


def test_export_writes_one_private_json_object_a_line_and_overwrites_nothing(outbox, tmp_path):
    refuse(outbox, 0, 3, code="too-old")
    target = tmp_path / "dead.jsonl"
    assert outbox.export(target) == 3
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert [line["reading"]["fields"]["power"] for line in lines] == [0.0, 1.0, 2.0]
    assert {line["code"] for line in lines} == {"too-old"}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        outbox.export(target)


def test_they_are_bounded_and_what_goes_is_on_record(outbox, monkeypatch):
    monkeypatch.setattr(dead_letters.insert, "__kwdefaults__", {"limit": 10})
    refuse(outbox, 0, 8)
    refuse(outbox, 8, 7)
    assert outbox.read_stats().dead_letters == 10
    (loss,) = list_losses(outbox)
    assert loss.fields["rows"] == 5
    assert loss.fields["reason"] == "too many dead letters"
    assert outbox.read_stats().lost_rows == 5


def test_a_long_code_from_a_foreign_receiver_is_cut(outbox):
    refuse(outbox, 0, code="x" * 5000)
    assert len(outbox.read_dead_letters()[0].code) == 100
