"""A gateway that the sites file links to a system of the cloud, as senders and readers see both: over both stores."""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest

from shared.readings import Reading
from shared.units import HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.clocks import NOW_MS
from tests.receiver.api.conftest import StartOver
from tests.receiver.api.constant_household import write_sites_file
from tests.receiver.service import GATEWAY, Service
from tests.receiver.stores.store_factories import STORES

SYSTEM = "system-4711023"
START = (NOW_MS - 6 * HOUR_MS) // HOUR_MS * HOUR_MS
STOP = START + HOUR_MS
LINKED = f'"{GATEWAY}": {{time_zone: Etc/UTC, cloud: {SYSTEM}}}\n'
SHAPE = (100.0, 200.0, 300.0, 400.0)
ASKED = f"every=15m&start={START}&stop={STOP}"


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    return write_sites_file(tmp_path, LINKED)


@pytest.fixture(params=STORES)
async def service(request: pytest.FixtureRequest, start_over: StartOver, sites: Path) -> AsyncIterator[Service]:
    async with start_over(request.param, gateways=(GATEWAY, SYSTEM), sites_file=sites) as running:
        yield running


def make_counter(times: Iterable[int]) -> list[Reading]:
    """1,050 W, also while nobody reads it."""
    tags = {"meter": "production", "phase": "a"}
    return [
        Reading("meter_energy", tags, time, {"delivered": 1e6 + 1050.0 * (time - START) / HOUR_MS, "received": 0.0})
        for time in times
    ]


def make_meters(first: int, energies: Iterable[float]) -> list[Reading]:
    """Intervals of the cloud's meters from a time on."""
    tags = {"source": "met", "phase": "total", "revision": "0"}
    return [
        Reading("interval", tags, first + (number + 1) * QUARTER_MS, {"energy": wh, "interval": 900.0, "power": 4 * wh})
        for number, wh in enumerate(energies)
    ]


def edit_sites(sites: Path, text: str) -> None:
    sites.write_text(text)


async def read_windows(service: Service) -> list[dict[str, Any]]:
    answer = await service.get(f"/api/v1/gateways/{GATEWAY}/energy?{ASKED}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["windows"]
    return found


async def send_outage(service: Service) -> None:
    """An hour without readings, and what the cloud says of it."""
    around = [*range(START - 5 * MINUTE_MS, START + 1, MINUTE_MS), *range(STOP, STOP + 5 * MINUTE_MS, MINUTE_MS)]
    await service.send(*make_counter(around))
    await service.receiver.rollups.catch_up()
    assert [window["production_wh"] for window in await read_windows(service)] == [None] * 4
    await service.send(*make_meters(START, SHAPE), serial=SYSTEM, batch="cc", outbox="dd")
    await service.receiver.rollups.catch_up()


async def test_readers_are_told_which_part_is_from_the_cloud(service: Service):
    await send_outage(service)
    windows = await read_windows(service)
    expected = [wh * 1.05 for wh in SHAPE]
    assert [window["production_wh"] for window in windows] == pytest.approx(expected)
    assert [window["production_filled_wh"] for window in windows] == pytest.approx(expected)
    for window in windows:
        assert (window["production_coverage"], window["production_unallocated_wh"]) == (0.0, 0.0)
        assert (window["unallocated_since"], window["load_filled_wh"]) == (None, None)
    table = await service.get(f"/api/v1/gateways/{GATEWAY}/energy?{ASKED}&format=csv")
    lines = list(csv.DictReader(io.StringIO(table.text)))
    assert [float(line["production_filled_wh"]) for line in lines] == pytest.approx(expected)
    own = await service.get(f"/api/v1/gateways/{SYSTEM}/energy?{ASKED}")
    assert [window["production_wh"] for window in own.json()["windows"]] == list(SHAPE)
    assert [window["production_filled_wh"] for window in own.json()["windows"]] == [None] * 4


async def test_a_link_that_is_taken_away_or_given_again_computes_the_history_again(service: Service, sites: Path):
    await send_outage(service)
    filled = await read_windows(service)
    for text, expected in (
        (LINKED.replace(f", cloud: {SYSTEM}", ""), [None] * 4),
        (LINKED, [window["production_wh"] for window in filled]),
    ):
        edit_sites(sites, text)
        service.clock.advance(30)
        await service.receiver.rollups.catch_up()
        assert [window["production_wh"] for window in await read_windows(service)] == expected
