"""Lifetime energies: netted as the site is billed, known only whole, and never less than what was given before."""

import pytest

from receiver.api.lifetime import LifetimeEnergy
from receiver.outputs.lifetime.held_file import FILE
from receiver.outputs.lifetime.totals import GivenTotal, Total, hold
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver.api.constant_household import ask_all, fill, write_sites_file
from tests.receiver.api.published import read_as
from tests.receiver.service import GATEWAY, start

START = NOW_MS - NOW_MS % 3_600_000
HOUR = 3_600_000
MINUTE = 60_000


def make_minutes(begin, stop, powers, *, counters=True, base=50_000.0):
    """Readings of every minute: constant powers (W) by meter and phase, and the counters that they turn."""
    for time in range(begin, stop + 1, MINUTE):
        hours = (time - START) / HOUR
        for (meter, phase), power in powers.items():
            tags = {"meter": meter, "phase": phase}
            yield Reading("meter", tags, time, {"power": power})
            if counters:
                fields = {"delivered": base + max(power, 0.0) * hours, "received": base + max(-power, 0.0) * hours}
                yield Reading("meter_energy", tags, time, fields)


PHASES = {("net-consumption", "a"): 1000.0, ("net-consumption", "b"): -1000.0, ("production", "a"): 600.0}


async def ask(service):
    (found,) = await ask_all(service, "/energy/lifetime")
    return read_as(LifetimeEnergy, found)


@pytest.mark.parametrize(("netting", "gain"), [("sum", 0.0), ("phases", 1000.0)])
async def test_phases_are_netted_as_the_site_is_billed(tmp_path, netting, gain):
    sites = write_sites_file(tmp_path, f'"{GATEWAY}": {{netting: {netting}}}')
    async with start(tmp_path / "state", sites_file=sites) as service:
        await fill(service, make_minutes(START, START + HOUR, PHASES), now=START + HOUR + 5000)
        before = await ask(service)
        later = START + 2 * HOUR
        await fill(service, make_minutes(START + HOUR + MINUTE, later, PHASES), now=later + 5000)
        after = await ask(service)
    assert after.imported_wh - before.imported_wh == pytest.approx(gain, abs=0.1)
    assert after.exported_wh - before.exported_wh == pytest.approx(gain, abs=0.1)
    assert after.production_wh == pytest.approx(50_000 + 2 * 600)
    assert after.load_wh - before.load_wh == pytest.approx(600.0)
    assert (after.timestamp, after.age_seconds) == (later, 5.0)
    assert (after.discharged_wh, after.charged_wh) == (None, None)


async def test_netted_totals_grow_by_what_was_late_and_never_fall(tmp_path):
    """Over a restart, over roll-ups that find less, and by readings that come after newer ones."""
    powers = {("net-consumption", "a"): 1500.0, ("net-consumption", "b"): -500.0}
    async with start(tmp_path / "state") as service:
        await fill(service, make_minutes(START, START + HOUR, powers, counters=False), now=START + HOUR)
        first = await ask(service)
    assert (first.imported_wh, first.exported_wh) == (pytest.approx(1000.0), 0.0)
    async with start(tmp_path / "state") as service:
        late, later = START + 2 * HOUR, START + 3 * HOUR
        await fill(service, make_minutes(late, later, powers, counters=False), now=later)
        second = await ask(service)
        assert second.imported_wh == pytest.approx(2000.0)
        await fill(service, make_minutes(START + HOUR, late, powers, counters=False), now=later)
        third = await ask(service)
        assert third.imported_wh == pytest.approx(3000.0)
        await service.receiver.store.remove(GATEWAY, "energy_1y", start=0, stop=later)
        assert (await ask(service)).imported_wh is None, "what is not known is not told"
        wrong = Reading("meter", {"meter": "net-consumption", "phase": "a"}, later, {"power": 0.0})
        await fill(service, [wrong], now=later)
        assert (await ask(service)).imported_wh == third.imported_wh


@pytest.mark.parametrize("counters", [True, False])
async def test_netted_totals_are_the_stores_after_a_backlog_that_comes_newest_first(tmp_path, counters):
    """The counters of single phases, which bridge the gap meanwhile, must not get into what never falls."""
    powers = {("net-consumption", "a"): 1500.0, ("net-consumption", "b"): -1000.0, ("production", "a"): 600.0}
    made = list(make_minutes(START, START + 4 * HOUR, powers, counters=counters))
    given = []
    async with start(tmp_path / "state") as service:
        for begin, stop in ((0, 1), (3.5, 4), (2.5, 3.5), (1, 2.5)):
            rows = [one for one in made if begin <= (one.timestamp - START) / HOUR <= stop]
            await fill(service, rows, now=START + 4 * HOUR)
            given.append(await ask(service))
        (stored,) = await service.receiver.store.read_points(GATEWAY, "energy_15m", start=0, stop=START + 4 * HOUR)
    for name, expected in (("imported", 2000.0), ("exported", 0.0), ("load", 4400.0)):
        totals = [getattr(one, f"{name}_wh") for one in given]
        assert totals == sorted(totals)
        assert sum(float(fields[name]) for _, fields in stored.points) == pytest.approx(expected, abs=1.0)
        if name != "load" or not counters:  # its counters tell it from their own beginning
            assert totals[-1] == pytest.approx(expected, abs=1.0)
        else:
            assert totals[-1] - totals[0] == pytest.approx(expected * 3 / 4, abs=1.0)


async def test_a_sum_is_known_only_if_every_part_is(tmp_path):
    tags = {"meter": "production", "phase": "b"}
    async with start(tmp_path / "state") as service:
        await fill(service, make_minutes(START, START + HOUR, {("production", "a"): 600.0}), now=START + HOUR)
        assert (await ask(service)).production_wh == pytest.approx(50_600.0)
        await fill(service, [Reading("meter", tags, START + HOUR, {"power": 5.0})], now=START + HOUR)
        assert (await ask(service)).production_wh is None
        counters: dict[str, float | str] = {"delivered": 7.0, "received": 0.0}
        await fill(service, [Reading("meter_energy", tags, START + HOUR, counters)], now=START + HOUR)
        assert (await ask(service)).production_wh == pytest.approx(50_607.0)


async def test_panels_have_totals_too(tmp_path):
    """By their own counter where they have one, else by their days."""
    reports = [
        Reading("inverter", {"inverter": serial}, time, {"power": 120.0, "interval": 300.0, **fields})
        for time in range(START + 300_000, START + HOUR + 1, 300_000)
        for serial, fields in (("1", {}), ("2", {"energy_lifetime": 612_345.0}))
    ]
    async with start(tmp_path / "state") as service:
        await fill(service, reports, now=START + HOUR + 1)
        found = await ask(service)
    assert vars(found.panels_wh) == {"1": pytest.approx(120.0), "2": 612_345.0}
    assert found.production_wh == pytest.approx(240.0)


async def test_a_damaged_file_is_put_aside(tmp_path):
    powers = {("production", "a"): 600.0}
    async with start(tmp_path / "state") as service:
        await fill(service, make_minutes(START, START + HOUR, powers), now=START + HOUR)
        await ask(service)
    (tmp_path / "state" / FILE).write_bytes(b"\xff" * 8192)
    async with start(tmp_path / "state") as service:
        service.clock.ms = START + HOUR
        assert (await ask(service)).production_wh == pytest.approx(50_600.0)
    assert (tmp_path / "state" / f"{FILE}.damaged").exists()


HELD = GivenTotal("counters", 0.0, 10_000.0)


@pytest.mark.parametrize(("found", "held", "expected"), [
    (Total("counters", 5.0), None, GivenTotal("counters", 0.0, 5.0)),
    (Total("counters", None), HELD, HELD),
    (Total("counters", 10_001.0), HELD, GivenTotal("counters", 0.0, 10_001.0)),
    (Total("counters", 9_500.0), HELD, HELD),
    (Total("counters", 3.0), HELD, GivenTotal("counters", 0.0, 3.0)),
    (Total("counters", 6_000.0), HELD, GivenTotal("counters", 4_000.0, 10_000.0)),
    (Total("rollups", 400.0), HELD, GivenTotal("rollups", 9_600.0, 10_000.0)),
    (Total("rollups", 100.0), GivenTotal("rollups", 9_600.0, 10_000.0), GivenTotal("rollups", 9_600.0, 10_000.0)),
    (Total("rollups", 410.0), GivenTotal("rollups", 9_600.0, 10_000.0), GivenTotal("rollups", 9_600.0, 10_010.0)),
], ids=["first", "unknown", "grows", "dips", "begins-again", "a-part-begins-again", "source", "less", "more"])  # fmt: skip
def test_what_was_given_is_never_taken_back(found, held, expected):
    assert hold(found, held) == expected
