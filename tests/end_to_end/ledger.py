"""The simulator's ledger as readings: a second, independent understanding of what the device says.

Written from the protocol alone and shared with no parser, so that one misreading cannot hide in both.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from simulator.gateway.payloads.meters import METER_EIDS

Fields = dict[str, float]
MeterPhase = tuple[str, str]

_STREAM = {
    "p": "power",
    "q": "reactive_power",
    "s": "apparent_power",
    "v": "voltage",
    "i": "current",
    "pf": "power_factor",
    "f": "frequency",
}
_READINGS = {
    "activePower": "power",
    "reactivePower": "reactive_power",
    "apparentPower": "apparent_power",
    "voltage": "voltage",
    "current": "current",
    "pwrFactor": "power_factor",
    "freq": "frequency",
}
_DEVICE = {
    "duration": ("interval", 1),
    "acVoltageINmV": ("ac_voltage", 1000),
    "acFrequencyINmHz": ("frequency", 1000),
    "dcVoltageINmV": ("dc_voltage", 1000),
    "dcCurrentINmA": ("dc_current", 1000),
    "acCurrentInmA": ("ac_current", 1000),
    "channelTemp": ("temperature", 1),
    "rssi": ("rssi", 1),
}

COMPUTED = "total-consumption"
"""No transformer measures it in these houses."""
KNOWN_OF_COMPUTED = {"power", "reactive_power", "voltage", "frequency", "measured"}
MEASURED = {"measured": 1.0}
"""What is stored of every phase that gives a power."""


class SentReading(NamedTuple):
    """One entry of the ledger.

    Attributes:
        kind: As the simulator names it.
        sent_ms: The host's wall time when it left.
        second: Second of the device's clock.
        values: JSON as sent.
    """

    kind: str
    sent_ms: int
    second: int
    values: Any


def read_ledger(path: Path) -> list[SentReading]:
    """All entries in the order of sending; one that is being written is left out."""
    with path.open(encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines if line.endswith("\n")]
    return [SentReading(entry["kind"], entry["sent_ms"], int(entry["time"]), entry["values"]) for entry in entries]


def parse_stream_event(values: Mapping[str, Any]) -> dict[MeterPhase, Fields]:
    """An event of the stream, by meter and phase; of the section that the gateway computes only what it can know."""
    return {
        (meter, key.removeprefix("ph-")): {
            _STREAM[name]: float(value)
            for name, value in phase.items()
            if meter != COMPUTED or _STREAM[name] in KNOWN_OF_COMPUTED
        }
        | MEASURED
        for meter, phases in values.items()
        for key, phase in phases.items()
    }


def parse_meter_values(entries: list[dict[str, Any]]) -> dict[MeterPhase, tuple[Fields, Fields]]:
    """A reply of the meters' readings: present values and lifetime counters, by meter and phase."""
    names = {eid: meter for meter, eid in METER_EIDS.items()}
    return {
        (names[entry["eid"]], phase): (
            {name: float(channel[key]) for key, name in _READINGS.items()} | MEASURED,
            {"delivered": float(channel["actEnergyDlvd"]), "received": float(channel["actEnergyRcvd"])},
        )
        for entry in entries
        for phase, channel in zip("abc", entry["channels"], strict=True)
    }


def list_reports(sent: SentReading) -> Iterator[tuple[str, int, Fields]]:
    """Serial, report date (ms) and fields of every inverter in one reply of either endpoint."""
    if sent.kind == "inverters":
        for entry in sent.values:
            fields = {"power": float(entry["lastReportWatts"]), "max_power": float(entry["maxReportWatts"])}
            yield entry["serialNumber"], entry["lastReportDate"] * 1000, fields
    else:
        for device in sent.values.values():
            if isinstance(device, dict) and device["devName"] == "pcu":
                (channel,) = device["channels"]
                report = channel["lastReading"]
                fields = {name: report[key] / divisor for key, (name, divisor) in _DEVICE.items()}
                fields |= {"power": float(channel["watts"]["now"]), "max_power": float(channel["watts"]["max"])}
                fields |= {"energy_lifetime": channel["lifetime"]["joulesProduced"] / 3600}
                fields |= {"energy_today": float(channel["wattHours"]["today"])}
                yield device["sn"], report["endDate"] * 1000, fields
