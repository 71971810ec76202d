"""The pace at which events of the stream are taken, beside what the receiver refuses."""

import random

from receiver.ingest.density import DensityLimit
from scraper.delta.pace import BURST, Pace
from scraper.delta.stamps import StampClock
from shared.readings import Series

START_MS = 1_750_000_000_000
PHASE = Series.of("meter", {"meter": "production", "phase": "a"})


def arrive(bursts: list[tuple[float, int]]) -> tuple[int, list[int]]:
    """Bursts (seconds after the start, events): how many events were taken, and their stamps."""
    pace, clock = Pace(), StampClock()
    stamps: list[int] = []
    for second, count in bursts:
        stamps += clock.make_stamps(START_MS + round(second * 1000), pace.take(count, second))
    return len(stamps), stamps


def test_a_stream_of_one_hertz_is_taken_whole_whatever_its_jitter_and_its_stalls():
    chance = random.Random(4)
    jittering = [(second + chance.uniform(-0.4, 0.4), 1) for second in range(1, 7200)]
    buffered = [(22.0 * number, 22) for number in range(1, 300)]
    stalled = [*((float(second), 1) for second in range(600)), (900.0, 300), *((900.0 + n, 1) for n in range(1, 600))]
    for bursts in (jittering, buffered, stalled):
        taken, stamps = arrive(bursts)
        assert taken == sum(count for _, count in bursts)
        density = DensityLimit()
        assert all(density.take("122300001234", PHASE, stamp) for stamp in stamps)


def test_a_gateway_that_sends_far_too_often_makes_nothing_that_is_refused():
    taken, stamps = arrive([(number / 50, 1) for number in range(50 * 7200)])
    assert 7200 <= taken <= 7200 + BURST
    density = DensityLimit()
    assert all(density.take("122300001234", PHASE, stamp) for stamp in stamps)
