"""From the simulated gateway to a real Home Assistant, every part a process of its own; and SIGKILL of the receiver."""

from pathlib import Path

import pytest

from tests.end_to_end.system import EndToEndSystem, run_household
from tests.home_assistant.instance import HomeAssistant, Shown, run_home_assistant
from tests.receiver.outputs.mosquitto import run_mosquitto

ROLLED_UP_S = 240.0
"""Netted totals are summed up once a minute, and published once a minute."""
TOTALS = ("production_energy", "imported_energy", "exported_energy", "load_energy")
AWAY = ("unavailable", "unknown")


@pytest.mark.slow
async def test_home_assistant_has_the_house_and_sees_no_total_fall(tmp_path: Path):
    with run_mosquitto(tmp_path / "broker") as broker:
        home = run_household(
            tmp_path,
            receiver={"RECEIVER_MQTT_URL": f"mqtt://127.0.0.1:{broker.port}", "RECEIVER_MQTT_INTERVAL": "1"},
        )
        async with run_home_assistant(tmp_path / "home_assistant", broker.port) as assistant, home as system:
            await system.start_pair()
            await look(assistant, system)


async def look(assistant: HomeAssistant, system: EndToEndSystem) -> None:
    site = f"envoy_relay_{system.serial}"

    def list_values(shown: Shown) -> dict[str, str]:
        found = {name.removeprefix(f"{site}_"): one for name, one in shown.entities.items() if name.startswith(site)}
        return {name: one["state"] for name, one in found.items() if not one["disabled"]}

    def is_there(shown: Shown) -> bool:
        values = list_values(shown)
        return (
            "production_power" in values
            and not {"production_power", *TOTALS} & {name for name, state in values.items() if state in AWAY}
            and set(TOTALS) <= values.keys()
        )

    before = await assistant.wait_until(is_there, "the house", patience_s=ROLLED_UP_S)
    assert before.complaints == []
    panels = [one for name, one in before.devices.items() if name != site]
    assert len(panels) >= 20
    assert {one["via"] for one in panels} == {before.devices[site]["id"]}
    values = list_values(before)
    assert len(values) >= 8
    assert float(values["production_power"]) > 0, "it is late morning"
    assert "T" in values["last_reading"]
    system.receiver.kill()
    await system.receiver.wait_for_end()
    away = await assistant.wait_until(lambda shown: set(list_values(shown).values()) <= {"unavailable"}, "the will")
    assert away.complaints == []
    await system.receiver.start()
    seen: list[dict[str, str]] = []

    def is_back(shown: Shown) -> bool:
        seen.append(list_values(shown))
        return is_there(shown)

    again = await assistant.wait_until(is_back, "the house after a restart")
    assert again.complaints == []
    assert again.devices.keys() == before.devices.keys()
    for name in TOTALS:
        history = [float(one[name]) for one in [values, *seen] if one[name] not in AWAY]
        assert history == sorted(history), name
