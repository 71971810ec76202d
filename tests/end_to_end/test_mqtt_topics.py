"""Simulator, scraper, receiver, mosquitto and mosquitto_sub as real processes: what a person sees who subscribes.

Topics and payloads are those that docs/integrations.md promises, and powers are those that left the gateway.
"""

import asyncio
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.end_to_end.ledger import SentReading, parse_meter_values, parse_stream_event, read_ledger
from tests.end_to_end.system import run_household
from tests.receiver.outputs.mosquitto import run_mosquitto
from tests.tools import skip_missing

NEAR_MS = 3_000
"""A stamp is the arrival at the scraper: this far from the sending at most."""
POWER = {
    "production_w", "load_w", "net_w", "imported_w", "exported_w", "battery_w", "state_of_charge", "timestamp",
}  # fmt: skip
METER = {
    "power", "voltage", "current", "power_factor", "frequency", "reactive_power", "apparent_power", "timestamp",
}  # fmt: skip
FLOWS = ("production", "imported", "exported", "load", "discharged", "charged")
KEYS: Mapping[str, set[str]] = {
    "power": POWER,
    "energy": {*(f"{flow}_kwh" for flow in FLOWS), "timestamp"},
    "today": {"date", *(f"{flow}_wh" for flow in FLOWS), "self_consumption", "self_sufficiency"},
    "gateway": {"firmware", "outbox_rows", "token_expires_in", "stream_connected"},
    "inverter": {"name", "array", "power", "max_power", "energy_lifetime", "state", "timestamp"},
    "meter": METER,
    "event": {"type", "timestamp", "end", "rows", "reason"},
}
"""What each topic below the gateway's may say; all of it but of events, which say what is known."""


class Printed(NamedTuple):
    """A line of mosquitto_sub."""

    topic: str
    payload: str


@pytest.mark.slow
async def test_mosquitto_sub_sees_what_the_gateway_measures(tmp_path: Path):
    with run_mosquitto(tmp_path / "broker") as broker:
        home = run_household(
            tmp_path,
            scraper={"ENVOY_DEAD_BAND": "0"},
            receiver={"RECEIVER_MQTT_URL": f"mqtt://127.0.0.1:{broker.port}", "RECEIVER_MQTT_INTERVAL": "1"},
        )
        async with home as system:
            await system.start_pair()
            printed = await subscribe_for_half_a_minute(broker.port)
            sent = read_ledger(system.ledger)
    mine = f"envoy/{system.serial}"
    seen = {topic for topic, _ in printed}
    phases = {f"{mine}/meter/{meter}/{phase}" for meter in ("production", "net-consumption") for phase in "abc"}
    assert {f"{mine}/{rest}" for rest in ("power", "energy", "today", "gateway")} | phases <= seen
    assert any(topic.startswith(f"{mine}/inverter/") for topic in seen)
    assert [payload for topic, payload in printed if topic == "envoy/status"] == ["online"]
    assert [payload for topic, payload in printed if topic == f"{mine}/status"][-1] == "online"
    check_topics(printed, mine)
    check_powers([json.loads(payload) for topic, payload in printed if topic == f"{mine}/power"], sent)


async def subscribe_for_half_a_minute(port: int) -> list[Printed]:
    """What mosquitto_sub prints to a person."""
    tool = shutil.which("mosquitto_sub") or skip_missing("no mosquitto_sub: apt install mosquitto-clients")
    process = await asyncio.create_subprocess_exec(
        *(tool, "-h", "127.0.0.1", "-p", str(port), "-v", "-t", "envoy/#", "-W", "30"), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    lines = [line.partition(" ") for line in output.decode().splitlines()]
    return [Printed(topic, payload) for topic, _, payload in lines]


def check_topics(printed: Sequence[Printed], mine: str) -> None:
    """No topic but those of the page, and no key but theirs."""
    for topic, payload in printed:
        if topic.endswith("/status"):
            assert payload in ("online", "offline")
            continue
        assert topic.startswith(f"{mine}/"), topic
        rest, document = topic.removeprefix(f"{mine}/"), json.loads(payload)
        kind = rest.split("/")[0]
        assert rest.count("/") == {"meter": 2, "inverter": 1}.get(kind, 0), topic
        if kind == "event":
            assert document.keys() <= KEYS[kind]
        else:
            assert document.keys() == KEYS[kind], topic


def check_powers(published: Sequence[Any], sent: Sequence[SentReading]) -> None:
    """Each is the sum of the phases that the gateway sent then, within 1 W; load and grid, too."""
    said = [(one.sent_ms, sums) for one in sent if (sums := sum_phases(one)) is not None]
    known = [one for one in published if one["production_w"] is not None]
    assert known
    for one in known:
        near = [sums for sent_ms, sums in said if abs(sent_ms - one["timestamp"]) <= NEAR_MS]
        for index, name in enumerate(("production_w", "net_w")):
            assert any(abs(sums[index] - one[name]) <= 1 for sums in near), (name, one, near)
        assert abs(one["load_w"] - one["production_w"] - one["net_w"]) < 0.01
        assert one["imported_w"] - one["exported_w"] == one["net_w"]


def sum_phases(one: SentReading) -> tuple[float, ...] | None:
    """Power of production and grid in an event of the stream or a reply of the meters; None for all else."""
    if one.kind == "stream":
        powers = {key: fields["power"] for key, fields in parse_stream_event(one.values).items()}
    elif one.kind == "readings":
        powers = {key: fields["power"] for key, (fields, _) in parse_meter_values(one.values).items()}
    else:
        return None
    return tuple(
        sum(power for (meter, _), power in powers.items() if meter == name)
        for name in ("production", "net-consumption")
    )
