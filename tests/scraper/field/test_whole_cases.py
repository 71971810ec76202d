"""Cases of the field of which everything that is read is compared, from the gateway's sockets to the API."""

import pytest

from shared.units import HOUR_MS
from tests.scraper.field.field_home import open_field_home

NEWEST = "8.3.6086_battery_split_night"


async def test_panels_that_come_back_after_an_outage_made_what_they_can_have_made(tmp_path):
    """Four hours: 600 and 900 Wh are possible of a panel of 300 W; 497,200 Wh are not, nor 2,046 Wh by a wrap."""
    async with open_field_home("inverter-counter-after-outage", tmp_path) as home, home.run_scraper():
        await home.wait_for_points("inverter", 4, what=lambda point: "energy_lifetime" in point.fields)
        home.case.put_right()
        (event, *_) = await home.wait_for_points("event", type="counter_reset")
        assert event.fields["reason"] == "impossible step: 122099000101 energy_lifetime, 122099000102 energy_lifetime"
        await home.wait_for_points("inverter", 4, what=lambda point: point.timestamp > home.clock.now_ms() - HOUR_MS)
        assert len(await home.read_points("event", type="counter_reset")) == 1
        now_ms = home.clock.now_ms()
        asked = f"start={now_ms - 6 * HOUR_MS}&stop={now_ms + HOUR_MS}&every=1d&group_by=inverter"
        answer = await home.ask(f"series?kind=inverter&field=energy_lifetime&aggregate=integral&{asked}")
        counted = {
            entry["tags"]["inverter"]: sum((one["value"] or 0) + (one["unallocated"] or 0) for one in entry["windows"])
            for entry in answer["series"]
        }
        assert counted["122099000100"] == pytest.approx(600.0)
        assert counted["122099000103"] == pytest.approx(900.0)
        assert not counted["122099000101"]
        assert not counted["122099000102"]


async def test_the_newest_firmware_is_read_wholly(tmp_path):
    """At night: no panel has a report, the battery rests by its meter, and the house takes all from the grid."""
    async with open_field_home(NEWEST, tmp_path, speed=5.0, meter_source="poll") as home, home.run_scraper():
        now = await home.wait_for_power(lambda now: now["load_w"] is not None and now["state_of_charge"] is not None)
        assert (now["production_w"], now["battery_w"], now["state_of_charge"]) == (0.0, 0.0, 59.0)
        assert now["net_w"] == now["load_w"] == pytest.approx(598.254 + 586.638)
        (battery, *_) = await home.wait_for_points("battery", battery="900000000002")
        assert battery.fields.items() >= {
            "power": 23.0, "state_of_charge": 59.0, "energy_available": 2950.0, "capacity": 5000.0, "temperature": 23.0,
            "cell_temperature": 23.0, "communicating": 1.0, "status": "ENCHG_STATE_READY", "type": "encharge",
        }.items()  # fmt: skip
        (storage, *_) = await home.wait_for_points("storage")
        assert storage.fields.items() >= {
            "state_of_charge": 59.0, "energy_available": 2950.0, "capacity": 5000.0, "reserve": 100.0, "health": 100.0,
            "batteries": 1.0, "measured": 1.0,
        }.items()  # fmt: skip
        (grid, *_) = await home.wait_for_points("grid")
        assert grid.fields.items() >= {"relay": "closed", "mode": "connected", "connected": 1.0}.items()
        counted = {}
        for meter in ("production", "net-consumption", "storage"):
            for phase in "ab":
                (point, *_) = await home.wait_for_points("meter_energy", meter=meter, phase=phase)
                counted[meter, phase] = (point.fields["delivered"], point.fields["received"])
        assert counted == {
            ("production", "a"): (371087.013, 0.156), ("production", "b"): (371757.043, 0.004),
            ("net-consumption", "a"): (512411.197, 193566.66), ("net-consumption", "b"): (612474.279, 177678.833),
            ("storage", "a"): (313.191, 6780.057), ("storage", "b"): (313.191, 6780.057),
        }  # fmt: skip
        assert {(one["meter"], one["phase"]) for one in await home.ask("meters")} == counted.keys()
        assert not await home.read_points("inverter")
        assert not await home.read_points("event", type="counter_reset")


async def test_the_newest_firmware_streams_to_its_owner(tmp_path):
    """Two phases of each meter: the third is on no wire. Its events say what polls of those seconds would."""
    streamed = {}
    async with (
        open_field_home(NEWEST, tmp_path, speed=5.0, meter_source="stream", dead_band=0.0) as home,
        home.run_scraper(),
    ):
        for meter, phase in (("net-consumption", "a"), ("net-consumption", "b"), ("production", "b")):
            points = await home.wait_for_points("meter", 2, meter=meter, phase=phase)
            streamed[meter, phase] = [point.fields for point in points[:2]]
        kept = {(one["meter"], one["phase"]) for one in await home.ask("meters")}
    powers = {name: [fields["power"] for fields in found] for name, found in streamed.items()}
    assert powers == {
        ("net-consumption", "a"): [589.034, 602.934],
        ("net-consumption", "b"): [584.159, 582.624],
        ("production", "b"): [0.0, 0.0],
    }
    assert streamed["net-consumption", "a"][0].items() >= {
        "reactive_power": -474.499, "apparent_power": 812.648, "voltage": 120.378, "current": 6.75,
        "power_factor": 0.724, "frequency": 60.0,
    }.items()  # fmt: skip
    assert not [phase for _, phase in kept if phase == "c"]
