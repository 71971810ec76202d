"""How far an output is, where a target takes only what is complete."""

from receiver.outputs.base import Delivered, Slice
from receiver.outputs.progress import OutputProgress
from shared.units import MINUTE_MS
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
