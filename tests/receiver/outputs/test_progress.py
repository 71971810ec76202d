"""How far an output is, where a target takes only what is complete."""

import contextlib
import sqlite3
from itertools import pairwise

import pytest

from receiver.cli.outputs import describe_outputs
from receiver.outputs import progress as progress_module
from receiver.outputs.base import Delivered, Slice
from receiver.outputs.progress import ALL_KINDS, MOST_LATE, LateSpan, OutputProgress
from receiver.outputs.progress_file import _LATE, _PROGRESS, _SPAN, _WISH, FILE, ProgressFile, load_standing
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.clocks import NOW_MS
from tests.receiver.service import GATEWAY, make_meter

BEGIN_MS = NOW_MS // MINUTE_MS * MINUTE_MS


def take_next(progress: OutputProgress) -> Slice:
    part = progress.take_next(BEGIN_MS + 40_000, MINUTE_MS)
    assert part is not None
    return part


def test_what_is_not_complete_comes_again_and_is_not_late_when_it_comes():
    progress = OutputProgress(GATEWAY, BEGIN_MS)
    part = take_next(progress)
    assert not progress.finish(part, NOW_MS, Delivered(until=BEGIN_MS + 20_000))
    progress.note([make_meter(BEGIN_MS + 25_000)])
    assert not progress.late
    assert take_next(progress).start == BEGIN_MS + 20_000
    progress.note([make_meter(BEGIN_MS + 25_000)])  # while it is delivered
    assert list(progress.late) == [BEGIN_MS]


def test_a_target_that_has_all_there_is_lacks_nothing():
    progress = OutputProgress(GATEWAY, BEGIN_MS)
    part = take_next(progress)
    progress.finish(part, NOW_MS, Delivered(until=BEGIN_MS, is_silent=True))
    assert progress.find_behind(BEGIN_MS + 10 * MINUTE_MS, 0) == 0
    progress.finish(part, NOW_MS, Delivered(until=BEGIN_MS))
    assert progress.find_behind(BEGIN_MS + 10 * MINUTE_MS, 0) == 10 * MINUTE_MS


def test_what_a_target_lacks_shows_at_once():
    """A silent gateway speaks again, or a person wants it all again, while the target is away."""
    for begin in (lambda progress: progress.put_back(take_next(progress)), lambda one: one.go_back(BEGIN_MS - 1)):
        progress = OutputProgress(GATEWAY, BEGIN_MS, is_silent=True)
        begin(progress)
        assert progress.find_behind(BEGIN_MS + 10 * MINUTE_MS, 0) >= 10 * MINUTE_MS


def test_of_too_many_late_minutes_all_between_is_late_and_what_is_new_goes_on():
    """The 5,001st minute: a week that came scattered, the newest first."""
    progress = OutputProgress(GATEWAY, BEGIN_MS)
    minutes = [BEGIN_MS - number * 2 * MINUTE_MS for number in range(1, MOST_LATE + 2)]
    for minute in minutes:
        progress.note([make_meter(minute + 1000)])
    assert progress.sent_until == BEGIN_MS
    assert (progress.late, progress.late_span) == ({}, (minutes[-1], minutes[0] + MINUTE_MS))
    assert progress.find_behind(BEGIN_MS, 0) == BEGIN_MS - minutes[-1]
    before = minutes[-1] - 10 * MINUTE_MS
    progress.note([make_meter(before), make_meter(minutes[7])])  # older ones go on coming
    assert list(progress.late) == [before]
    reached = [part for part in drain(progress) if part.start != before]
    assert reached[0].start == minutes[-1]
    assert reached[-1].stop == minutes[0] + MINUTE_MS
    assert all(part.is_late and part.kinds == ALL_KINDS for part in reached)
    assert all(one.stop == two.start for one, two in pairwise(reached))
    assert (progress.has_late, progress.find_behind(BEGIN_MS, 0)) == (False, 0)


def test_what_is_late_twice_over_is_one_span_again(monkeypatch):
    monkeypatch.setattr(progress_module, "MOST_LATE", 3)
    progress = OutputProgress(GATEWAY, BEGIN_MS)
    for number in (40, 41, 43, 46, 60, 61, 62, 70, 10, 80):
        progress.note([make_meter(BEGIN_MS - number * MINUTE_MS)])
    assert progress.late_span == (BEGIN_MS - 70 * MINUTE_MS, BEGIN_MS - 40 * MINUTE_MS + MINUTE_MS)
    assert sorted(progress.late) == [BEGIN_MS - 80 * MINUTE_MS, BEGIN_MS - 10 * MINUTE_MS]
    taken = {minute for part in drain(progress) for minute in range(part.start, part.stop, MINUTE_MS)}
    assert taken >= {BEGIN_MS - number * MINUTE_MS for number in (40, 41, 43, 46, 60, 61, 62, 70, 10, 80)}


def test_a_span_that_was_refused_comes_again():
    progress = OutputProgress(GATEWAY, BEGIN_MS, late_span=LateSpan(BEGIN_MS - HOUR_MS, BEGIN_MS))
    part = progress.take_late()
    assert part is not None
    progress.put_back(part)
    again = progress.take_late()
    assert again == part
    assert not progress.finish(again, NOW_MS, Delivered(until=part.start))
    assert progress.take_late() == part


def test_what_is_late_goes_after_what_a_person_wants_again():
    """A target that waits for the roll-ups of late minutes has passed them otherwise before they settle."""
    span = LateSpan(BEGIN_MS - HOUR_MS, BEGIN_MS)
    progress = OutputProgress(GATEWAY, BEGIN_MS, late_span=span)
    progress.go_back(BEGIN_MS - 2 * HOUR_MS)
    assert progress.take_late() is None
    while (part := progress.take_next(BEGIN_MS, QUARTER_MS)) is not None:
        progress.finish(part, NOW_MS, Delivered())
    reached = drain(progress)
    assert (reached[0].start, reached[-1].stop) == span


def drain(progress):
    found = []
    while (part := progress.take_late()) is not None:
        assert progress.finish(part, NOW_MS, Delivered())
        found.append(part)
    return found


async def test_what_is_late_outlives_the_process_also_while_it_is_on_its_way(tmp_path):
    progress = OutputProgress(GATEWAY, BEGIN_MS, late_span=LateSpan(BEGIN_MS - DAY_MS, BEGIN_MS - HOUR_MS))
    progress.mark(BEGIN_MS - 2 * DAY_MS, frozenset({"meter"}))
    assert progress.take_late() is not None
    progress.mark(BEGIN_MS - MINUTE_MS, frozenset({"inverter"}))
    progress.newest = {"482300001111": BEGIN_MS - 1}
    file = ProgressFile(tmp_path / FILE)
    await file.keep("lines", [progress])
    await file.close()
    ((name, known),) = load_standing(tmp_path / FILE)
    assert (name, known.late_span, known.newest) == ("lines", progress.late_span, progress.newest)
    assert known.late == {BEGIN_MS - 2 * DAY_MS: {"meter"}, BEGIN_MS - MINUTE_MS: {"inverter"}}


@pytest.mark.parametrize(("layout", "more"), [(2, ""), (3, _SPAN)])
async def test_a_file_of_an_earlier_version_keeps_its_cursors(tmp_path, layout, more):
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as old:
        old.executescript(f"{_PROGRESS}; {_LATE}; {_WISH}; {more}; PRAGMA user_version = {layout};")
        old.execute("INSERT INTO progress VALUES (?, ?, ?, NULL, 3, 0)", ("lines", GATEWAY, BEGIN_MS))
        old.commit()
    ((_, looked_at),) = load_standing(tmp_path / FILE)
    file = ProgressFile(tmp_path / FILE)
    known = await file.load("lines")
    await file.close()
    assert looked_at == known[GATEWAY] == OutputProgress(GATEWAY, BEGIN_MS, put_aside=3)
    assert not file.was_damaged


@pytest.mark.parametrize(("output", "age_ms", "said"), [
    ("emoncms", MINUTE_MS, "has all that there is, "),
    ("emoncms", HOUR_MS, "has all that there is (the gateway gives nothing new), "),
    ("mqtt", HOUR_MS, "emptied, until the gateway sends again, "),
])  # fmt: skip
async def test_people_hear_of_a_silent_gateway_what_is_so(tmp_path, output, age_ms, said):
    file = ProgressFile(tmp_path / FILE)
    await file.keep(output, [OutputProgress(GATEWAY, BEGIN_MS - age_ms, is_silent=True)])
    await file.close()
    (line,) = describe_outputs(tmp_path / FILE, BEGIN_MS)
    assert line.startswith(f"{output}  gateway {GATEWAY}: {said}last success never")
