"""The time zone of a site without one in the sites file: the gateway's, else this machine's."""

from pathlib import Path

import pytest

from receiver.sites import SitesFile
from receiver.sites.zones import LocatedSites, find_machine_zone
from shared.readings import Reading
from tests.clocks import NOW_MS, StoppedClock
from tests.receiver import service as receiver
from tests.receiver.service import GATEWAY, OTHER, Service, make_inverter


def make_status(zone: str, timestamp: int = NOW_MS) -> Reading:
    return Reading("gateway", {}, timestamp, {"time_zone": zone})


async def read_zone(service: Service, serial: str = GATEWAY) -> tuple[str, str]:
    entries = (await service.get("/api/v1/gateways")).json()
    (entry,) = [entry for entry in entries if entry["gateway"] == serial]
    return entry["time_zone"], entry["time_zone_source"]


async def test_the_machine_then_the_gateway_then_the_sites_file_says_the_zone(service: Service) -> None:
    await service.send(make_inverter("1"))
    assert await read_zone(service) == (find_machine_zone(), "receiver")
    await service.send(make_status("Europe/Amsterdam"), batch="a")
    assert await read_zone(service) == ("Europe/Amsterdam", "gateway")
    answer = await service.get(f"/api/v1/gateways/{GATEWAY}/energy?every=1d&start=today")
    assert answer.json()["time_zone"] == "Europe/Amsterdam"


async def test_the_sites_file_wins(tmp_path: Path) -> None:
    path = tmp_path / "sites.yaml"
    path.write_text(f'"{GATEWAY}":\n  time_zone: Europe/Vienna\n"{OTHER}":\n  name: Parents\n')
    async with receiver.start(tmp_path / "state", sites_file=path) as service:
        for serial in (GATEWAY, OTHER):
            await service.send(make_status("Europe/Amsterdam"), serial=serial, batch=serial)
        assert await read_zone(service) == ("Europe/Vienna", "sites-file")
        assert await read_zone(service, OTHER) == ("Europe/Amsterdam", "gateway")


async def test_the_zone_of_one_gateway_is_that_of_its_whole_house(tmp_path: Path) -> None:
    path = tmp_path / "sites.yaml"
    path.write_text(f'"{GATEWAY}":\n  site: Home\n  time_zone: Europe/Vienna\n"{OTHER}":\n  site: Home\n')
    async with receiver.start(tmp_path / "state", sites_file=path) as service:
        await service.send(make_status("Europe/Amsterdam"), serial=OTHER)
        assert await read_zone(service, OTHER) == ("Europe/Vienna", "sites-file")


async def test_a_zone_that_was_reported_before_the_start_is_known_after_it(tmp_path: Path) -> None:
    async with receiver.start(tmp_path / "state") as service:
        await service.send(make_status("US/Central"))
    async with receiver.start(tmp_path / "state") as service:
        assert await read_zone(service) == ("US/Central", "gateway")


async def test_a_zone_that_comes_later_computes_the_days_again(service: Service) -> None:
    """First the days of the machine's zone, then those of the gateway's."""
    day = [make_inverter("1", NOW_MS - hours * 3_600_000, power=100.0) for hours in range(48)]
    await service.send(*day)
    await service.receiver.rollups.catch_up()
    await service.send(make_status("Pacific/Auckland"), batch="b")
    await service.receiver.rollups.catch_up()
    rows = await service.receiver.store.read_points(GATEWAY, "panel_1d", start=0, stop=NOW_MS * 2)
    starts = {point.timestamp for series in rows for point in series.points}
    assert starts
    assert all(start % 86_400_000 for start in starts), "midnight in Auckland is not midnight in UTC"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", ""])
async def test_what_is_no_zone_is_not_taken(service: Service, zone: str) -> None:
    sites = LocatedSites(SitesFile(None, StoppedClock()), service.receiver.store, "Europe/Rome")
    sites.note(GATEWAY, [make_status(zone)])
    assert sites.get_site(GATEWAY).zone.key == "Europe/Rome"


async def test_a_late_reading_says_nothing_of_now(service: Service) -> None:
    sites = LocatedSites(SitesFile(None, StoppedClock()), service.receiver.store, "UTC")
    sites.note(GATEWAY, [make_status("Europe/Berlin"), make_status("Europe/Rome", NOW_MS - 1)])
    assert sites.get_site(GATEWAY).zone.key == "Europe/Berlin"
    assert sites.get_site(GATEWAY) is sites.get_site(GATEWAY)
