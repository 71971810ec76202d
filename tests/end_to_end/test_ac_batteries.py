"""Simulated AC Batteries: what they gave and took, through the scraper's outbox and the roll-ups, is what they counted."""

import pytest

from receiver.rollups.compute import FIELDS, RawSeries, make_quarter_rows
from receiver.rollups.series import select_samples
from receiver.sites.model import NO_SITE
from receiver.stores.base import Point, SeriesPoints
from scraper.collect.ensemble import EnsembleSamples
from shared.readings import Reading
from shared.units import QUARTER_MS
from simulator.clock import ManualClock
from simulator.server import Simulator
from tests.clocks import StoppedClock
from tests.scraper.gateway.test_simulated_gateways import open_gateway
from tests.scraper.scripted import run_scripted_scraper

HOURS = 3
POLL_S = 450
EVENING = 1_760_119_200.0
"""A Friday evening: the battery gives what it has taken by day."""


def make_series(rows: list[Reading], kind: str) -> list[SeriesPoints]:
    """The rows of a kind that roll-ups look at, as a store gives them."""
    found: dict[object, SeriesPoints] = {}
    for row in rows:
        fields = {name: value for name, value in row.fields.items() if name in FIELDS[kind]}
        if row.kind == kind and fields:
            points = found.setdefault(row.series, SeriesPoints(row.series, [])).points
            points.append(Point(row.timestamp, fields))
    return list(found.values())


async def test_what_ac_batteries_gave_and_took_is_what_they_counted(tmp_path):
    clock, device_clock = StoppedClock(), ManualClock(EVENING)
    async with (
        Simulator("battery", clock=device_clock) as sim,
        open_gateway(sim, tmp_path / "gateway", clock=clock) as gateway,
        run_scripted_scraper(tmp_path, clock=clock) as scraper,  # type: ignore[arg-type]
    ):
        sim.faults.switch_on("ac-batteries")
        await gateway.connect()
        await gateway.read_meters()
        samples = EnsembleSamples(gateway, scraper.recorder, scraper.memory, clock, scraper.samples.host_time)
        counted = []
        for _ in range(HOURS * 3600 // POLL_S):
            await samples.poll_states()
            phases = sim.device.read_counters(sim.device.find_moment() // 900 * 900).meters["storage"]
            counted.append((sum(one.delivered_wh for one in phases), sum(one.received_wh for one in phases)))
            clock.advance(POLL_S)
            device_clock.advance(POLL_S)
        rows = await scraper.list_rows()
    batteries = make_series(rows, "battery")
    reports = [select_samples(series.points, "discharged") for series in batteries]
    assert all(HOURS * 4 <= len(report) <= HOURS * 4 + 1 for report in reports)
    storage = make_series(rows, "storage")
    first, last = storage[0].points[0].timestamp, storage[0].points[-1].timestamp
    start, stop = first // QUARTER_MS * QUARTER_MS, (last // QUARTER_MS + 1) * QUARTER_MS
    raw = RawSeries([], [], [], [], storage, battery=batteries)
    energies = [row.fields for row in make_quarter_rows(raw, NO_SITE, start, stop) if row.kind == "energy_15m"]
    sums = [sum(float(fields.get(name, 0.0)) for fields in energies) for name in ("discharged", "charged")]
    assert sums == [
        pytest.approx(after - before, abs=1.0) for before, after in zip(counted[0], counted[-1], strict=True)
    ]
    assert sum(sums) > 100.0
    assert not any("load" in fields for fields in energies)
