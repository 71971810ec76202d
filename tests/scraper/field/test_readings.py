"""What a reading may say, whatever the gateway does: each case over real sockets, from the gateway to the API."""

import pytest

from tests.scraper.field.field_home import open_field_home

READINGS = "/ivp/meters/readings"


async def test_a_channel_that_drops_out_of_one_poll_is_unknown_in_it(tmp_path):
    """The battery charges with 1307 W throughout; half of it was never true, and no counter was reset."""
    async with open_field_home("storage-leg-drops", tmp_path) as home, home.run_scraper():
        await home.wait_for_power(lambda now: now["battery_w"] == -1307.0)
        for _ in range(3):
            home.case.drop_once(READINGS, "ivp_meters_readings.drop")
            await home.wait_for_drops()
            now = await home.wait_for_power(lambda now: now["timestamp"] is not None)
            assert now["battery_w"] in (-1307.0, None)
        await home.wait_for_points("meter_energy", 2, meter="storage", phase="a")
        powers = {p.fields["power"] for p in await home.read_points("meter", meter="storage") if "power" in p.fields}
        assert powers == {-655.0, -652.0}
        assert not await home.read_points("event", type="counter_reset")
        assert 0.0 not in {p.fields["delivered"] for p in await home.read_points("meter_energy", meter="storage")}


async def test_a_channel_that_is_out_at_the_first_poll_makes_no_sum(tmp_path):
    async with open_field_home("storage-leg-drops", tmp_path) as home:
        home.case.replaced[READINGS] = "ivp_meters_readings.drop"
        async with home.run_scraper():
            now = await home.wait_for_power(lambda now: now["production_w"] is not None)
            assert (now["battery_w"], now["load_w"]) == (None, None)
            del home.case.replaced[READINGS]
            await home.wait_for_power(lambda now: now["battery_w"] == -1307.0)


async def test_a_phase_without_a_valid_power_leaves_the_sum_unknown(tmp_path):
    async with open_field_home("null-and-text-numbers", tmp_path) as home, home.run_scraper():
        now = await home.wait_for_power(lambda now: now["net_w"] is not None)
        assert (now["production_w"], now["load_w"]) == (None, None)
        meters = {(m["meter"], m["phase"]): m for m in await home.ask("meters")}
        assert "power" not in meters["production", "b"]
        assert meters["production", "b"]["voltage"] == 230.0
        assert "frequency" not in meters["production", "c"]
        assert meters["production", "c"]["power"] == 790.0
        (event,) = await home.wait_for_points("event", type="schema")
        assert "readings.activePower" in event.fields["reason"]


async def test_a_load_that_the_gateway_makes_up_is_left_out(tmp_path):
    async with open_field_home("consumption-ct-only", tmp_path) as home, home.run_scraper():
        now = await home.wait_for_power(lambda now: now["load_w"] is not None)
        assert (now["production_w"], now["net_w"], now["load_w"]) == (
            900.0, pytest.approx(-541.3, abs=1), pytest.approx(358.7, abs=1),
        )  # fmt: skip
        assert {entry["meter"] for entry in await home.ask("meters")} == {"net-consumption"}


async def test_the_stream_of_a_gateway_without_production_meter_has_no_load_either(tmp_path):
    async with open_field_home("consumption-ct-only", tmp_path, meter_source="stream") as home, home.run_scraper():
        await home.wait_for_points("meter", meter="net-consumption")
        assert {entry["meter"] for entry in await home.ask("meters")} == {"net-consumption"}


async def test_production_of_others_counts(tmp_path):
    async with open_field_home("pv3p-enabled", tmp_path) as home, home.run_scraper():
        now = await home.wait_for_power(lambda now: now["load_w"] is not None)
        assert (now["production_w"], now["net_w"], now["load_w"]) == (4400.0, -3000.0, 1400.0)
        assert {entry["meter"] for entry in await home.ask("meters")} == {"production", "net-consumption", "pv3p"}


async def test_a_negative_number_that_was_printed_as_unsigned_is_read(tmp_path):
    async with open_field_home("unsigned-watts-in-list", tmp_path) as home, home.run_scraper():
        now = await home.wait_for_power(lambda now: now["production_w"] is not None)
        assert now["production_w"] == 446.0
        (event,) = await home.wait_for_points("event", type="schema")
        assert "odd inverters.lastReportWatts unsigned" in event.fields["reason"]


async def test_an_empty_list_of_meters_says_that_none_is_there(tmp_path):
    async with open_field_home("meters-empty-body-200", tmp_path) as home, home.run_scraper():
        now = await home.wait_for_power(lambda now: now["production_w"] is not None)
        assert now["production_w"] == 1080.0
        (total,) = await home.wait_for_points("production", source="pdm")
        assert total.fields["energy_lifetime"] == 4438445.0


async def test_a_production_meter_without_transformer_is_named_with_the_remedy(tmp_path):
    """-1 W without end, while the inverters report 3010 W."""
    async with open_field_home("production-ct-enabled-but-absent", tmp_path) as home:
        said = [finding.text for finding in await home.check() if finding.step == "meters"]
        assert any("the meter shows -1 W, and the inverters together 3010 W" in text for text in said)
        assert any("role: ignore" in text for text in said)
