"""Energy from the stored series of a whole day, against the simulator's own account of it.

The day is streamed once a second, through parsing, exception reporting, the outbox file, the uplink, a socket and the
receiver's SQLite file. What is asked of the store then is what any query asks: points of a window, interpolated.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from receiver.energy.energy import SignedEnergy, compute_energy_wh, compute_positive_negative_wh
from receiver.energy.interpolation import make_linear_segments
from receiver.stores.base import Store
from scraper.uplink.sender import Sender
from shared.units import DAY_S, HOUR_S
from simulator.clock import ManualClock
from simulator.house import DEFAULT_START, NET, PRODUCTION, THREE_PHASE, TOTAL, House, PhaseEnergy
from tests.clocks import SimulatedClock
from tests.end_to_end.hosted_receiver import SECRET, run_hosted_receiver
from tests.end_to_end.timed_scraper import TimedScraper, make_uplink, run_edge

MIDNIGHT = int(DEFAULT_START)
START_MS, STOP_MS = MIDNIGHT * 1000, (MIDNIGHT + DAY_S) * 1000
METERS = (PRODUCTION, NET, TOTAL)


class _MeasuredEnergy(NamedTuple):
    """Energy of one meter and phase over a window: the integral, and both directions."""

    wh: float | None
    coverage: float
    signed: SignedEnergy


@pytest.mark.slow
async def test_a_days_energy_is_the_simulators_truth(tmp_path: Path) -> None:
    """Every meter and phase within 0.1 %, with coverage 1."""
    house = House(THREE_PHASE, seed=1)
    clock = SimulatedClock(ManualClock(MIDNIGHT))
    async with run_edge(tmp_path / "edge", house, clock) as scraper:
        await scraper.stream(DAY_S + 1)  # the first sample of the next day ends this one
        await scraper.samples.note_stop("the scraper was stopped")
        async with run_hosted_receiver(tmp_path / "receiver", scraper.serial, clock) as (receiver, url):
            await deliver(scraper, url, clock)
            stored = await measure_energies(receiver.store, scraper.serial, START_MS, STOP_MS)
    truth = house.compute_truth_wh(MIDNIGHT, MIDNIGHT + DAY_S)
    for meter in METERS:
        for phase, true in zip("abc", truth[meter], strict=True):
            found = stored[meter, phase]
            assert found.coverage == 1.0
            assert found.wh == pytest.approx(true.net_wh, rel=0.001), f"{meter} {phase}"
            assert_both_directions(found.signed, true)


@pytest.mark.slow
async def test_an_outage_is_not_covered_and_nothing_is_invented(tmp_path: Path) -> None:
    """Half an hour of four without samples: coverage 0.875, the rest as it was, and nothing at all for that time."""
    begin, stop = MIDNIGHT + 10 * HOUR_S, MIDNIGHT + 14 * HOUR_S
    before_s, outage_s = 90 * 60 + 30, 30 * 60
    house = House(THREE_PHASE, seed=2)
    clock = SimulatedClock(ManualClock(begin))
    async with run_edge(tmp_path / "edge", house, clock) as scraper:
        await scraper.stream(before_s + 1)
        await scraper.samples.note_stop("the gateway is unreachable")
        clock.device.advance(outage_s - 1)
        await scraper.stream(stop - begin - before_s - outage_s + 1)
        await scraper.samples.note_stop("the scraper was stopped")
        async with run_hosted_receiver(tmp_path / "receiver", scraper.serial, clock) as (receiver, url):
            await deliver(scraper, url, clock)
            store, serial = receiver.store, scraper.serial
            begin_ms, stop_ms = begin * 1000, stop * 1000
            lost_ms = begin_ms + before_s * 1000
            back_ms = lost_ms + outage_s * 1000
            whole = await measure_energies(store, serial, begin_ms, stop_ms)
            parts = [await measure_energies(store, serial, *span) for span in ((begin_ms, lost_ms), (back_ms, stop_ms))]
            outage = await measure_energies(store, serial, lost_ms, back_ms)
            ((_, (gap, end)),) = await store.read_points(serial, "event", tags={"type": "gap"}, start=0, stop=2**53)
    assert (gap.timestamp, gap.fields["end"]) == (lost_ms, back_ms)
    assert end.timestamp == stop_ms
    spans = [
        house.compute_truth_wh(begin, lost_ms // 1000),
        house.compute_truth_wh(back_ms // 1000, stop),
    ]
    for meter in METERS:
        for index, phase in enumerate("abc"):
            found = whole[meter, phase]
            assert found.coverage == 0.875
            assert (outage[meter, phase].wh, outage[meter, phase].coverage) == (None, 0.0)
            assert found.wh == pytest.approx(sum(part[meter, phase].wh or 0.0 for part in parts), rel=1e-9)
            true = [span[meter][index] for span in spans]
            both = PhaseEnergy(sum(part.delivered_wh for part in true), sum(part.received_wh for part in true))
            assert_both_directions(found.signed, both)


def assert_both_directions(found: SignedEnergy, true: PhaseEnergy) -> None:
    """Import and export (generation and own use) each within 0.1 % of what the meter moved."""
    moved = true.delivered_wh + true.received_wh
    assert found.positive_wh == pytest.approx(true.delivered_wh, abs=0.001 * moved)
    assert found.negative_wh == pytest.approx(true.received_wh, abs=0.001 * moved)


async def deliver(scraper: TimedScraper, url: str, clock: SimulatedClock[ManualClock]) -> None:
    """Empty the outbox into the receiver."""
    sender = Sender(url, scraper.serial, None)
    try:
        uplink = make_uplink(scraper, sender, SECRET, clock)
        await uplink.drain()
        assert uplink.state.problem is None
    finally:
        await sender.aclose()
    assert (await scraper.outbox.read_stats()).rows == 0


async def measure_energies(store: Store, serial: str, start: int, stop: int) -> dict[tuple[str, str], _MeasuredEnergy]:
    """What the store says of each meter and phase in a window (UTC milliseconds)."""
    answers = {}
    for found in await store.read_points(serial, "meter", fields=["power"], start=start, stop=stop, neighbours=True):
        points = [(point.timestamp, float(point.fields["power"])) for point in found.points]
        segments = make_linear_segments(points)
        tags = dict(found.series.tags)
        energy = compute_energy_wh(segments, start, stop)
        signed = compute_positive_negative_wh(segments, start, stop)
        answers[tags["meter"], tags["phase"]] = _MeasuredEnergy(energy.wh, energy.coverage, signed)
    return answers
