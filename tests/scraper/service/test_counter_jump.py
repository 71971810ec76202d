"""Counters of a real home that come back with 497 kWh: stored as they are, marked, and no energy of any panel or day."""

from tests.scraper.running_scraper import run_at_home

JUMP_WH = 496_400.0


async def test_a_jump_of_all_counters_is_marked_and_is_no_energy(tmp_path, logs):
    async with run_at_home(tmp_path, logs) as at_home:
        serial = at_home.sim.device.list_reports()[0].serial
        async with at_home.run_scraper():
            before = await at_home.wait_for_points("inverter", inverter=serial)
            await at_home.wait_for_points("meter_energy", 3, meter="production", phase="a")
            at_home.sim.faults.switch_on("counter-jump", by=JUMP_WH)
            lifetime = before[-1].fields["energy_lifetime"]
            await at_home.wait_for_points(
                "inverter", what=lambda point: point.fields["energy_lifetime"] > lifetime + JUMP_WH, inverter=serial
            )
            marked = await at_home.wait_for_points(
                "event", what=lambda point: "energy_lifetime" in point.fields["reason"], type="counter_reset"
            )
            (quarter,) = (await at_home.wait_for_points("energy_15m", what=lambda point: point.fields["resets"] > 0))[
                :1
            ]
            panels = await at_home.wait_for_points(
                "panel_15m", what=lambda point: "energy" in point.fields, inverter=serial
            )
        assert all(point.fields["reason"].startswith("impossible step: ") for point in marked)
        assert quarter.fields.get("production", 0.0) < 10_000.0
        assert all(point.fields["energy"] < 200.0 for point in panels)
        for day in await at_home.read_points("energy_1d"):
            assert day.fields.get("production", 0.0) < 50_000.0
