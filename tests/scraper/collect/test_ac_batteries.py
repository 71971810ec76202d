"""AC Batteries over time: what they count goes out once for each of their reports."""

from types import SimpleNamespace
from typing import Any

import pytest

from scraper.collect.drift import SchemaDrift
from scraper.collect.ensemble import EnsembleSamples
from scraper.errors import EndpointUnavailableError
from scraper.gateway.login import JUDGE_PATH as INVERTERS
from scraper.gateway.queries import DEVICE_DATA
from tests.clocks import StoppedClock
from tests.scraper.scripted import run_scripted_scraper

SERIAL = "121917000001"
WATTS = {"lastReportWatts": 200, "maxReportWatts": 270}


class AcGateway:
    """One AC Battery that has taken `joules` by its report of that date (epoch seconds)."""

    def __init__(self) -> None:
        self.identity = None
        self.known_meters: list[Any] = []
        self.joules, self.date = 3_600_000, 1_750_000_000
        self.kind: int | str = 11
        self.lists_nothing = False

    def report(self, joules: int, seconds: int = 900) -> None:
        """Another report, so much later and with so much more energy."""
        self.joules += joules
        self.date += seconds

    async def get_json(self, path: str) -> Any:
        """As `GatewaySession.get_json`."""
        if path == INVERTERS and self.lists_nothing:
            return []
        if path == INVERTERS:
            return [{"serialNumber": SERIAL, "lastReportDate": self.date, "devType": self.kind, **WATTS}]
        if path == DEVICE_DATA:
            report = {"endDate": self.date, "SOC": 50, "duration": 900, "joulesProduced": 0, "joulesUsed": 180_000}
            channel = {"lastReading": report, "lifetime": {"joulesProduced": 7200, "joulesUsed": self.joules}}
            return {"1": {"devName": "acb", "sn": SERIAL, "active": True, "modGone": False, "channels": [channel]}}
        raise EndpointUnavailableError(path, 404)


@pytest.fixture
async def battery_home(tmp_path):
    clock, gateway = StoppedClock(), AcGateway()
    async with run_scripted_scraper(tmp_path, clock=clock) as scraper:  # type: ignore[arg-type]
        drift = SchemaDrift(scraper.recorder, scraper.health, clock)
        samples = EnsembleSamples(gateway, scraper.recorder, scraper.memory, clock, scraper.samples.host_time, drift)  # type: ignore[arg-type]

        async def poll(minutes: int) -> dict[str, Any]:
            clock.advance(60 * minutes)
            await samples.poll_states()
            return (await scraper.list_rows("battery"))[-1].fields

        yield SimpleNamespace(gateway=gateway, poll=poll, scraper=scraper)


async def test_a_counter_stands_where_its_report_was_seen_first(battery_home):
    first = await battery_home.poll(1)
    assert (first["charged"], first["discharged"], first["state_of_charge"]) == (1000.0, 2.0, 50.0)
    for _ in range(5):
        again = await battery_home.poll(1)
        assert not {"charged", "discharged"} & again.keys()
        assert again["state_of_charge"] == 50.0
    battery_home.gateway.report(180_000)
    assert (await battery_home.poll(1))["charged"] == 1050.0


async def test_a_report_that_comes_hours_late_is_no_jump(battery_home):
    await battery_home.poll(1)
    for _ in range(4):
        await battery_home.poll(60)
    battery_home.gateway.report(4 * 3600 * 250, 4 * 3600)
    assert (await battery_home.poll(1))["charged"] == 2000.0
    assert await battery_home.scraper.list_rows("event") == []


async def test_an_empty_list_is_no_end_of_a_battery(battery_home):
    """A gateway that has just started lists nothing for some minutes."""
    await battery_home.poll(1)
    battery_home.gateway.lists_nothing = True
    await battery_home.poll(1)
    battery_home.gateway.lists_nothing = False
    before = len(await battery_home.scraper.list_rows("battery"))
    await battery_home.poll(1)
    assert len(await battery_home.scraper.list_rows("battery")) == before + 1


async def test_a_battery_whose_type_is_given_as_text_is_one_and_that_is_noted_once(battery_home):
    battery_home.gateway.kind = "11"
    for _ in range(3):
        assert (await battery_home.poll(1))["type"] == "ac-battery"
    (event,) = await battery_home.scraper.list_rows("event")
    assert (event.tags["type"], event.fields["reason"]) == ("schema", "odd inverters.devType is text")
