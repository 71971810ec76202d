"""A year of a site of several gateways is read by days where they may be summed, with the answers of quarter hours."""

import pytest

from receiver.stores.base import Store
from tests.receiver.api.constant_household import BERLIN, HOUR, fill, make_counters, to_ms, write_sites_file
from tests.receiver.service import GATEWAY, OTHER, READ_SECRET, make_read_claims, sign

SITE = "/api/v1/sites/Lane%205"
PARIS = "Europe/Paris"
"""It has the calendar of Berlin, and is no zone of the site: there everything is summed from quarter hours."""
FLAT, HOURLY = "0.5", "{0-6: 0.25, 6-24: 0.5}"
BEGIN = to_ms("2025-05-01")
DAYS = 4
END = BEGIN + DAYS * 24 * HOUR + HOUR
QUIET = BEGIN + 30 * HOUR + HOUR // 2, BEGIN + 33 * HOUR + HOUR // 2
"""In the second day the garage is silent for three hours."""
LOST = BEGIN + 47 * HOUR, BEGIN + 73 * HOUR
"""It is silent from the end of the second day to the beginning of the fourth."""
EVERYTHING = ((BEGIN, END),)


def make_sites(rates: str) -> str:
    return f"""
"{GATEWAY}":
  name: House
  site: Lane 5
  time_zone: {BERLIN}
  tariffs:
    - {{valid_from: "2020-01-01", rates: {rates}, feed_in: 0.25}}
"{OTHER}":
  name: Garage
  site: Lane 5
"""


async def fill_both(service, spans):
    """The constant household behind the first gateway; the counters of the garage are read in these spans alone."""
    service.clock.ms = END
    rows = [row for start, stop in spans for row in make_counters(start, stop, meters=["production"])]
    for first in range(0, len(rows), 500):
        await service.send(*rows[first : first + 500], serial=OTHER, outbox="cc")
    await fill(service, make_counters(BEGIN, END), now=END)


async def ask(service, zone, every="1y"):
    token = sign(make_read_claims(service.clock.ms, gateways="*"), READ_SECRET, kid="read")
    path = f"{SITE}/energy?every={every}&start=2025-05-01&stop=2025-05-05&time_zone={zone}"
    answer = await service.get(path, token=token)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def read_rows(monkeypatch):
    """How many rows of each kind are read of a running receiver's store from then on, as a dictionary that grows."""

    def watch(store: Store) -> dict[str, int]:
        counts: dict[str, int] = {}
        read_points = store.read_points

        async def count(gateway, kind, **asked):
            found = await read_points(gateway, kind, **asked)
            counts[kind] = counts.get(kind, 0) + sum(len(points) for _, points in found)
            return found

        monkeypatch.setattr(store, "read_points", count)
        return counts

    return watch


@pytest.mark.parametrize("store", ["sqlite", "influxdb"])
async def test_a_year_is_read_by_days(start_over, tmp_path, read_rows, store):
    sites = write_sites_file(tmp_path, make_sites(FLAT))
    async with start_over(store, sites_file=sites) as running:
        await fill_both(running, EVERYTHING)
        counts = read_rows(running.receiver.store)
        table = await ask(running, BERLIN)
        assert table["total"]["production_wh"] == pytest.approx(2 * 1000 * (DAYS * 24 + 1))
        assert counts["energy_1d"] == 2 * (DAYS + 1)
        assert counts.get("energy_15m", 0) <= 2 * 4, "of the day in progress alone"


@pytest.mark.parametrize(
    ("rates", "spans"),
    [
        pytest.param(FLAT, EVERYTHING, id="all known"),
        pytest.param(FLAT, ((BEGIN, QUIET[0]), (QUIET[1], END)), id="silent in a day"),
        pytest.param(HOURLY, ((BEGIN, LOST[0]), (LOST[1], END)), id="silent over midnights"),
        pytest.param(FLAT, ((BEGIN, LOST[0]),), id="silent for good"),
        pytest.param(FLAT, (), id="never heard"),
    ],
)
async def test_days_add_up_to_what_quarter_hours_do(start_over, tmp_path, rates, spans):
    async with start_over("sqlite", sites_file=write_sites_file(tmp_path, make_sites(rates))) as running:
        await fill_both(running, spans)
        for every, count in (("1d", DAYS), ("1y", 1)):
            by_days, by_quarters = await ask(running, BERLIN, every), await ask(running, PARIS, every)
            assert len(by_days["windows"]) == count
            rows, others = ([*table["windows"], table["total"]] for table in (by_days, by_quarters))
            for one, other in zip(rows, others, strict=True):
                assert one == pytest.approx(other, abs=1e-3)


async def test_prices_by_the_hour_are_those_of_the_hours(start_over, tmp_path):
    """The house has one supply, so what its roofs saved is worth what the hour in which they did would have cost."""
    async with start_over("sqlite", sites_file=write_sites_file(tmp_path, make_sites(HOURLY))) as running:
        await fill_both(running, EVERYTHING)
        first, *_ = (await ask(running, BERLIN, "1d"))["windows"]
        assert first["savings"] == pytest.approx(1.9 * (6 * 0.25 + 18 * 0.5))
        assert first["cost"] == pytest.approx(0.3 * (6 * 0.25 + 18 * 0.5))


async def test_a_comparison_is_refused_and_not_left_out(start_over, tmp_path):
    async with start_over("sqlite", sites_file=write_sites_file(tmp_path, make_sites(FLAT))) as running:
        token = sign(make_read_claims(running.clock.ms, gateways="*"), READ_SECRET, kid="read")
        answer = await running.get(f"{SITE}/energy?compare=year", token=token)
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("compare is for one gateway")
