"""What a valid key cannot do: fill the store with names, with a value a millisecond, or with numbers of no house."""

from pathlib import Path
from typing import Any

import pytest

from receiver.ingest.density import BURST, PER_MINUTE, DensityLimit
from receiver.ingest.limits import MAX_SERIES
from receiver.stores.base import GatewayReading
from shared import wire
from shared.fields import KINDS, LARGEST
from shared.problems import Rejection
from shared.readings import Reading, Series
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.clocks import NOW_MS
from tests.receiver.api.viewing import make_net, open_view
from tests.receiver.service import GATEWAY, OTHER, Service, make_inverter, make_meter, start

HOUR = NOW_MS // HOUR_MS * HOUR_MS - HOUR_MS
MOST_OF_A_MINUTE = PER_MINUTE + BURST
PHASE = Series.of("meter", {"meter": "production", "phase": "a"})


def list_codes(verdict: wire.Verdict) -> set[str]:
    return {row.code for row in verdict.rejected}


async def test_a_series_takes_a_reading_a_second_and_a_short_burst(service: Service):
    """A value a millisecond is refused, the same batch again gets the same verdict, and other series go on."""
    dense = [make_meter(HOUR + offset) for offset in range(400)]
    for _ in range(2):
        verdict = await service.send(*dense)
        assert (verdict.accepted, list_codes(verdict)) == (MOST_OF_A_MINUTE, {Rejection.TOO_DENSE})
        assert {row.seq for row in verdict.rejected} == set(range(MOST_OF_A_MINUTE + 1, 401))
    assert list_codes(await service.send(make_meter(HOUR + 500))) == {Rejection.TOO_DENSE}
    assert (await service.send(make_meter(HOUR + 500, phase="b"), make_meter(HOUR + MINUTE_MS))).accepted == 2
    assert (await service.send(make_meter(HOUR + 500), serial=OTHER)).accepted == 1
    assert await service.receiver.store.count() == MOST_OF_A_MINUTE + 3


async def test_a_backlog_of_a_value_a_second_passes_however_fast_it_comes(service: Service):
    day = [make_meter(NOW_MS - DAY_MS + SECOND_MS * second) for second in range(6 * wire.MAX_ROWS)]
    for first in range(0, len(day), wire.MAX_ROWS):
        assert (await service.send(*day[first : first + wire.MAX_ROWS])).rejected == []


@pytest.mark.parametrize("jitter_ms", [0, 400, -400])
def test_a_stream_of_one_hertz_passes_whatever_its_jitter(jitter_ms: int):
    density = DensityLimit()
    stamps = [HOUR + SECOND_MS * second + jitter_ms * (second % 2) for second in range(3 * 3600)]
    assert all(density.take(GATEWAY, PHASE, stamp) for stamp in stamps)


def test_two_values_a_second_are_one_too_many():
    """In the long run, whatever order they come in."""
    density = DensityLimit()
    stamps = [HOUR + SECOND_MS // 2 * half for half in range(2 * 3600)]
    assert sum(density.take(GATEWAY, PHASE, stamp) for stamp in reversed(stamps)) == 3600 + BURST


def test_what_is_remembered_is_bounded():
    density = DensityLimit(remembered=10)
    for minute in range(1000):
        for offset in range(PER_MINUTE + 1):
            density.take(GATEWAY, PHASE, HOUR + MINUTE_MS * minute + offset)
    counts = density._gateways[GATEWAY]
    assert len(counts.minutes) <= 10
    assert len(counts.bursts) <= 10
    assert all(len(spans) <= 4 for spans in counts._forgotten.values())


async def test_a_crowd_of_inverters_does_not_keep_the_gateways_own_readings_out(tmp_path: Path):
    """Nor does a crowd of any kind keep out another one; also after a restart."""
    status = Reading("gateway", {}, NOW_MS, {"poll_seconds": 1.0})
    event = Reading("event", {"type": "gap"}, NOW_MS, {"end": float(NOW_MS)})
    async with start(tmp_path) as service:
        for first in range(0, MAX_SERIES + 500, wire.MAX_ROWS):
            verdict = await service.send(*(make_inverter(str(first + index)) for index in range(wire.MAX_ROWS)))
        assert list_codes(verdict) == {Rejection.QUOTA}
        junk = [Reading("meter", {"meter": f"junk-{n}", "phase": "a"}, NOW_MS, {"power": 1.0}) for n in range(300)]
        verdict = await service.send(*junk)
        assert list_codes(verdict) == {Rejection.QUOTA}
        assert (await service.send(status)).accepted == 1
    async with start(tmp_path) as service:
        assert (await service.send(status, event)).accepted == 2
        assert list_codes(await service.send(make_inverter("another"))) == {Rejection.QUOTA}


async def test_intervals_may_have_many_revisions(service: Service):
    tags = {"source": "inv", "phase": "total"}
    rows = [Reading("interval", tags | {"revision": str(n)}, NOW_MS, {"energy": 1.0}) for n in range(300)]
    assert (await service.send(*rows)).accepted == 300


async def test_six_thousand_unknown_fields_are_named_by_a_few(service: Service, capsys: pytest.CaptureFixture[str]):
    fields: dict[str, Any] = {f"unknown_field_number_{number}": 1.0 for number in range(6000)}
    verdict = await service.send(make_meter(power=1.0, **fields))
    assert (verdict.accepted, len(verdict.ignored)) == (1, wire.MOST_IGNORED)
    written = capsys.readouterr()
    line = next(line for line in (written.out + written.err).splitlines() if "stored in part" in line)
    assert "6000" in line
    assert len(line) < 2_000


@pytest.mark.parametrize("value", [1e308, -1e308, 1e9])
async def test_a_value_that_no_house_can_have_costs_its_row(service: Service, value: float):
    verdict = await service.send(
        make_meter(power=value), make_meter(NOW_MS + 1, power=1.0), make_inverter("1", power=2.0)
    )
    assert (verdict.accepted, [(row.seq, row.code) for row in verdict.rejected]) == (2, [(1, Rejection.OUT_OF_RANGE)])


async def test_beside_an_unknown_field_a_value_is_judged_as_strictly(service: Service):
    assert list_codes(await service.send(make_meter(power=1e308, novelty=1.0))) == {Rejection.OUT_OF_RANGE}


def test_every_number_that_is_sent_has_a_bound():
    for kind in KINDS.values():
        for field in kind.fields.values():
            assert field.type is str or field.largest <= max(LARGEST.values())


async def test_no_viewer_is_dropped_because_of_a_value(service: Service):
    """Not even by one that an earlier version stored."""
    huge = [make_meter(power=1.7e308), make_meter(phase="b", power=1.7e308), make_net(5.0)]
    await service.receiver.commit.write([GatewayReading(GATEWAY, reading) for reading in huge])
    async with open_view(service) as seen:
        assert (await service.send(make_meter(NOW_MS + 1000, power=1e308))).accepted == 0
        later = [make_meter(NOW_MS + 1000, phase=phase, power=20.0) for phase in "ab"]
        assert (await service.send(*later, batch="ab")).accepted == 2
        _, data, _ = await seen.wait_for_next("solar_data")
    assert data == {"p": 40, "c": 45, "n": 5}
