"""The table of `docs/gateways.md`, made from the captures by our own parsers.

`python -m tests.scraper.gateway.parse.gateway_table` writes it into the document; a test compares the two.
"""

from pathlib import Path
from typing import Any

from scraper.errors import BadReplyError
from scraper.gateway.info import GatewayInfo, parse_info
from scraper.gateway.parse.ac_batteries import parse_ac_batteries
from scraper.gateway.parse.device_data import parse_device_data
from scraper.gateway.parse.ensemble_inventory import parse_ensemble_inventory
from scraper.gateway.parse.ensemble_power import parse_ensemble_power
from scraper.gateway.parse.generator import parse_generator
from scraper.gateway.parse.inverters import parse_inverters
from scraper.gateway.parse.json_reply import load
from scraper.gateway.parse.meter_readings import parse_readings
from scraper.gateway.parse.meters import ConfiguredMeter, parse_meters
from scraper.gateway.parse.production import choose_production
from tests.captures import ROOT, list_folders, read_body, read_manifest

DOCUMENT = ROOT / "docs" / "gateways.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
_HEAD = (
    "capture", "firmware", "login", "meter stream", "inverters", "device data", "meters (phases)", "production",
    "batteries, relay, generator",
)  # fmt: skip
_NOT_ASKED = "not captured"


def parse_document(folder: Path, path: str) -> object:
    """The reply as our parser reads it; None if there is none or if it is a web page."""
    data = read_body(folder, path)
    try:
        return None if data is None else load(data)
    except BadReplyError:
        return None


def write_table() -> str:
    """The whole table as Markdown."""
    rows = [_HEAD, ("---",) * len(_HEAD), *(_make_row(folder) for folder in list_folders())]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _make_row(folder: Path) -> tuple[str, ...]:
    info = parse_info(read_body(folder, "/info") or b"")
    meters = None if _explain_absence(folder, "/ivp/meters") else parse_meters(parse_document(folder, "/ivp/meters"))
    return (
        folder.name,
        info.firmware,
        "token" if info.token_login else "installer password",
        _describe_stream(info, meters),
        _describe_inverters(folder),
        _describe_device_data(folder),
        _explain_absence(folder, "/ivp/meters") or _describe_meters(folder, meters or []),
        _describe_production(folder, info, meters),
        _describe_ensemble(folder),
    )


def _explain_absence(folder: Path, path: str) -> str:
    """Why there is no JSON from this path; empty if there is."""
    entry = read_manifest(folder).get(path)
    if entry is None:
        return _NOT_ASKED
    if entry["status"] != 200:
        return f"none ({entry['status']})"
    return "" if parse_document(folder, path) is not None else "none (a web page)"


def _describe_stream(info: GatewayInfo, meters: list[ConfiguredMeter] | None) -> str:
    if info.metered is False or meters == []:
        return "no meters"
    if not info.token_login:
        return "yes, if metered" if meters is None else "yes"
    return "installer token only" + (", if metered" if meters is None and info.metered is None else "")


def _describe_inverters(folder: Path) -> str:
    absent = _explain_absence(folder, "/api/v1/production/inverters")
    if absent:
        return absent
    found = parse_inverters(parse_document(folder, "/api/v1/production/inverters"))
    batteries = f", {len(found.batteries)} in batteries" if found.batteries else ""
    return f"{len(found.readings)}{batteries}"


def _describe_device_data(folder: Path) -> str:
    absent = _explain_absence(folder, "/ivp/pdm/device_data")
    return absent or str(len(parse_device_data(parse_document(folder, "/ivp/pdm/device_data")).readings))


def _describe_meters(folder: Path, meters: list[ConfiguredMeter]) -> str:
    readings = parse_readings(parse_document(folder, "/ivp/meters/readings"), meters)
    parts = []
    for meter in meters:
        phases = ", ".join(reading.phase for reading in readings if reading.meter == meter.measurement)
        parts.append(f"{meter.measurement} ({phases if meter.enabled else 'off'})")
    return "; ".join(parts) or "none"


def _describe_production(folder: Path, info: GatewayInfo, meters: list[ConfiguredMeter] | None) -> str:
    """The sources that give a reading, each asked alone."""
    replies: dict[str, dict[str, Any]] = {
        "pdm": {"energy": parse_document(folder, "/ivp/pdm/energy")},
        "inverters": {"production": parse_document(folder, "/production.json")},
        "api": {"api": parse_document(folder, "/api/v1/production")},
    }
    good = [name for name, reply in replies.items() if choose_production(info, meters, received_ms=1, **reply)]
    return ", ".join(good) or "none"


def _describe_ensemble(folder: Path) -> str:
    """What there is of batteries, main relay and generator, as of the capture."""
    absent = _explain_absence(folder, "/ivp/ensemble/inventory")
    if absent:
        return absent
    inventory = parse_ensemble_inventory(parse_document(folder, "/ivp/ensemble/inventory"))
    powers = parse_ensemble_power(parse_document(folder, "/ivp/ensemble/power") or {})
    parts = []
    if inventory.batteries:
        measured = sum(battery.serial in powers for battery in inventory.batteries)
        parts.append(f"{len(inventory.batteries)} IQ Batteries, {measured} with power")
    listed = parse_document(folder, "/api/v1/production/inverters")
    ac_batteries = [] if listed is None else parse_ac_batteries(listed, parse_document(folder, "/ivp/pdm/device_data"))
    parts += [f"{len(ac_batteries)} AC Batteries"] if ac_batteries else []
    parts += [f"relay {inventory.relay.state}"] if inventory.relay else []
    generator = parse_generator(parse_document(folder, "/ivp/ensemble/generator") or {})
    parts += ["generator runs" if generator["running"] else "generator off"] if generator else []
    return "; ".join(parts) or "none"


def _write() -> None:
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    DOCUMENT.write_text(before + BEGIN + write_table() + END + rest.partition(END)[2])


if __name__ == "__main__":
    _write()
