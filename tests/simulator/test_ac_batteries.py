"""AC Batteries instead of the house's battery: among the inverters, with counters, and seen by no meter."""

from simulator.server import Simulator
from tests.simulator.reading import make_clock, open_reader


async def test_ac_batteries_stand_among_the_inverters_and_count_for_themselves():
    async with Simulator("battery", clock=make_clock(), late_morning=True) as sim:
        paths = ("/api/v1/production/inverters", "/ivp/pdm/device_data", "/ivp/meters")
        async with open_reader(sim) as client:
            before = [(await client.get(path)).json() for path in paths]
            sim.faults.switch_on("ac-batteries")
            listed, devices, meters = [(await client.get(path)).json() for path in paths]
    added = [entry for entry in listed if entry["devType"] == 11]
    assert len(listed) == len(before[0]) + len(added)
    assert added
    assert all(entry["lastReportWatts"] >= 0 for entry in added), "watts have no sign here"
    batteries = {one["sn"]: one for one in devices.values() if isinstance(one, dict) and one.get("devName") == "acb"}
    assert set(batteries) == {entry["serialNumber"] for entry in added}
    for one in batteries.values():
        (channel,) = one["channels"]
        assert channel["lifetime"]["joulesProduced"] > channel["lastReading"]["joulesProduced"] >= 0
        assert channel["lastReading"]["endDate"] == added[0]["lastReportDate"]
    assert "storage" in {meter["measurementType"] for meter in before[2] if meter["state"] == "enabled"}
    assert "storage" not in {meter["measurementType"] for meter in meters if meter["state"] == "enabled"}
