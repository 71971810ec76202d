"""How long the scraper waits before it tries again."""

import random

from shared.backoff import Backoff


def make_backoff(seed: int = 1, *, shortest_s: float = 0.0, shortest_share: float = 0.0) -> Backoff:
    """As the uplink's."""
    rng = random.Random(seed)
    return Backoff(rng, first_s=1.0, longest_s=300.0, shortest_s=shortest_s, shortest_share=shortest_share)


def test_the_delay_grows_to_five_minutes_with_full_jitter_and_starts_over():
    waits = make_backoff()
    delays = [waits.draw_delay() for _ in range(200)]
    assert delays[0] <= 1
    assert 270 < max(delays) <= 300
    assert min(delays[20:]) < 30
    waits.succeed()
    assert waits.draw_delay() <= 1


def test_the_ceiling_doubles_with_each_failure():
    waits = make_backoff()
    assert waits.ceiling_s == 0
    ceilings = []
    for _ in range(11):
        waits.fail()
        ceilings.append(waits.ceiling_s)
    assert ceilings == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_no_delay_is_shorter_than_the_shortest():
    fixed, share = make_backoff(shortest_s=0.5), make_backoff(shortest_share=0.5)
    assert all(fixed.draw_delay() >= 0.5 for _ in range(200))
    assert all(share.draw_delay() >= share.ceiling_s / 2 for _ in range(200))


def test_retry_after_is_the_least_delay():
    assert make_backoff().draw_delay(120) >= 120


def test_a_thousand_scrapers_do_not_return_together():
    delays = [make_backoff(seed).draw_delay(60) for seed in range(1000)]
    assert min(delays) >= 60
    assert max(delays) - min(delays) > 5
