"""The simulated documents have the keys and types of real ones of the same firmware family."""

import json
from typing import Any

import pytest

from simulator.server import Simulator
from tests.captures import find_capture, read_body
from tests.simulator.reading import make_clock, open_reader

# Simulated profile, house, capture of a real gateway of that family.
PAIRS = [
    ("firmware-5", "three-phase", "5.0.62"),
    ("firmware-7", "three-phase", "7.6.175_with_cts_3phase"),
    ("firmware-7", "single-phase", "7.6.175_with_cts"),
    ("no-ct", "three-phase", "7.6.175_standard"),
    ("firmware-8", "single-phase", "8.2.4345_with_device_data"),
    ("firmware-8.3", "split-phase", "8.3.5169_with_generator"),
    ("battery", "battery", "8.2.4286_with_3cts_and_battery_split"),
]

PATHS = [
    "/api/v1/production",
    "/api/v1/production/inverters",
    "/production.json",
    "/production.json?details=1",
    "/production",
    "/inventory.json",
    "/home",
    "/admin/lib/tariff",
    "/ivp/meters",
    "/ivp/meters/readings",
    "/ivp/meters/reports",
    "/ivp/meters/gridReading",
    "/ivp/meters/pvReading",
    "/ivp/pdm/device_data",
    "/ivp/pdm/energy",
    "/ivp/ensemble/inventory",
    "/ivp/ensemble/power",
    "/ivp/ensemble/secctrl",
    "/ivp/ensemble/dry_contacts",
    "/ivp/ensemble/generator",
    "/ivp/ss/dry_contact_settings",
    "/ivp/ss/gen_config",
    "/ivp/sc/pvlimit",
]


def list_shapes(value: Any, path: str = "") -> set[tuple[str, str]]:
    """Every key path with the type behind it. Integers and floats are one type: the device writes 0 for 0.0."""
    if isinstance(value, dict):
        found: set[tuple[str, str]] = set()
        for key, item in value.items():
            # Devices are keyed by their EID, batteries by their serial: any number stands for all.
            found |= list_shapes(item, f"{path}.{'*' if key.isdecimal() else key}")
        return found
    if isinstance(value, list):
        return set().union(*(list_shapes(item, f"{path}[]") for item in value))
    kind = "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    return {(path, kind)}


@pytest.mark.parametrize(("profile", "house", "name"), PAIRS)
async def test_every_document_has_the_shape_of_a_real_one(profile, house, name):
    """No key that a real gateway of this family lacks, and none of another type."""
    folder = find_capture(name)
    compared = 0
    async with (
        Simulator(profile, house=house, clock=make_clock(), late_morning=True) as sim,
        open_reader(sim, "installer") as client,
    ):
        for path in PATHS:
            data = read_body(folder, path)
            if data is None:
                continue
            response = await client.get(path)
            assert response.status_code == 200, path
            invented = list_shapes(response.json()) - list_shapes(json.loads(data))
            assert not _remove_hardware(invented, profile), path
            compared += 1
    assert compared >= 4


def _remove_hardware(invented: set[tuple[str, str]], profile: str) -> set[tuple[str, str]]:
    """What is left when the hardware that the captured house does not have is taken away."""
    if profile == "firmware-5":  # the captured one has no meters
        return {shape for shape in invented if not shape[0].startswith((".consumption", "[].", ".production[]"))}
    return invented


@pytest.mark.parametrize(("profile", "house", "name"), PAIRS[1:])
async def test_inverters_and_meters_lack_nothing_a_real_one_says(profile, house, name):
    """The documents that readings come from have every key of the real ones, not a subset."""
    folder = find_capture(name)
    async with (
        Simulator(profile, house=house, clock=make_clock(), late_morning=True) as sim,
        open_reader(sim) as client,
    ):
        for path in ("/api/v1/production/inverters", "/ivp/meters", "/ivp/meters/readings"):
            data = read_body(folder, path)
            if data is not None:
                assert list_shapes((await client.get(path)).json()) >= list_shapes(json.loads(data)), path


@pytest.mark.parametrize(("profile", "name"), [(profile, name) for profile, _, name in PAIRS])
async def test_info_has_the_elements_of_a_real_one(profile, name):
    """Identity, token mode and meter hardware stand where a real gateway writes them."""
    data = read_body(find_capture(name), "/info")
    assert data is not None
    async with Simulator(profile, clock=make_clock()) as sim, open_reader(sim, None) as client:
        text = (await client.get("/info")).text
    for element in ("time", "sn", "pn", "software", "euaid", "seqnum", "apiver", "imeter", "web-tokens", "build_info"):
        assert (f"<{element}>" in text) == (f"<{element}>".encode() in data), element
    assert f"<sn>{sim.serial}</sn>" in text


@pytest.mark.parametrize("path", ["/ivp/ensemble/inventory", "/ivp/sc/pvlimit", "/ivp/pdm/device_data"])
async def test_firmware_5_says_not_found_in_its_own_two_ways(path):
    """The bodies and content types of the captured 404s."""
    async with Simulator("firmware-5", clock=make_clock()) as sim, open_reader(sim) as client:
        response = await client.get(path)
    assert response.status_code == 404
    real = read_body_of_404(path)
    assert response.json().keys() == real.keys()


def read_body_of_404(path: str) -> dict[str, str]:
    """What the captured 5.0.62 said; it was not asked for device_data."""
    file = find_capture("5.0.62") / path.strip("/").replace("/", "_")
    return json.loads(file.read_bytes()) if file.exists() else {"error": ""}
