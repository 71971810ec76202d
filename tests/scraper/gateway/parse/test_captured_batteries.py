"""The batteries, relays, generators and tariffs of every capture that has them, against the raw replies."""

import pytest

from scraper.gateway.parse.ac_batteries import parse_ac_batteries
from scraper.gateway.parse.ensemble_control import parse_ensemble_control
from scraper.gateway.parse.ensemble_inventory import parse_ensemble_inventory
from scraper.gateway.parse.ensemble_power import parse_ensemble_power
from scraper.gateway.parse.ensemble_relays import parse_dry_contacts
from scraper.gateway.parse.generator import parse_generator
from scraper.gateway.parse.storage_tariff import parse_storage_tariff
from scraper.gateway.parse.values import Notes
from tests.captures import find_capture, read_raw_json, run_on_captures_with
from tests.scraper.gateway.parse.gateway_table import parse_document

INVENTORY = "/ivp/ensemble/inventory"
POWER = "/ivp/ensemble/power"
CONTROL = "/ivp/ensemble/secctrl"
CONTACTS = "/ivp/ensemble/dry_contacts"
GENERATOR = "/ivp/ensemble/generator"
TARIFF = "/admin/lib/tariff"
INVERTERS = "/api/v1/production/inverters"
DEVICE_DATA = "/ivp/pdm/device_data"

# capture: (W by battery, site's state of charge, available Wh, capacity Wh, reserve %)
SITES = {
    "7.3.517": ([0.0, 0.0, 0.0], 100.0, 10080.0, 10080.0, 100.0),
    "7.3.517_legacy_savings_mode": ([0.0, 0.0, 0.0], 100.0, 10080.0, 10080.0, 100.0),
    "7.6.185_with_cts_and_battery_3t": ([0.0], 15.0, 525.0, 3500.0, 15.0),
    "8.1.41": ([24.0, 16.0], 92.0, 9176.0, 9920.0, 30.0),
    "8.2.127_with_generator_running": ([-1250.0], 98.0, 3292.0, 3360.0, 50.0),
    "8.2.4286_with_3cts_and_battery_split": (
        [-1324.0, -1324.0, -1316.0, -1317.0, -1311.0], 46.0, 11600.0, 25000.0, 100.0,
    ),
    "8.3.5167_3rd-pv": ([16.0, 16.0], 100.0, 10000.0, 10000.0, 20.0),
}  # fmt: skip

# capture: (relay, on a generator, generator runs)
RELAYS = {
    "7.3.517": ("closed", False, None),
    "8.1.41": ("closed", False, None),
    "8.2.127_with_generator_running": ("open", True, 1.0),
    "8.2.4286_with_3cts_and_battery_split": ("closed", False, None),
    "8.2.4345_with_device_data": ("closed", False, None),
    "8.3.5169_with_generator": ("closed", False, 0.0),
}


def is_clean(notes):
    """Whether nothing was refused or new."""
    return (dict(notes.refused), notes.unknown) == ({}, set())


@run_on_captures_with(INVENTORY)
def test_every_battery_is_read(folder):
    notes = Notes()
    found = parse_ensemble_inventory(parse_document(folder, INVENTORY), notes)
    raw = [
        device
        for group in read_raw_json(folder, INVENTORY)
        if group["type"] == "ENCHARGE"
        for device in group["devices"]
    ]
    assert [(battery.serial, battery.fields) for battery in found.batteries] == [
        (
            device["serial_num"],
            {
                "type": "encharge",
                "communicating": 1.0,
                "state_of_charge": device["percentFull"],
                "capacity": device["encharge_capacity"],
                "temperature": device["temperature"],
                "cell_temperature": device["maxCellTemp"],
                "status": device["admin_state_str"],
                "last_report": device["last_rpt_date"] * 1000,
            },
        )
        for device in raw
    ]
    assert (folder.name in SITES) == bool(raw)
    assert is_clean(notes)


@pytest.mark.parametrize("name", SITES)
def test_the_site_of_every_battery(name):
    folder, notes = find_capture(name), Notes()
    powers, charge, available, capacity, reserve = SITES[name]
    found = parse_ensemble_power(parse_document(folder, POWER), notes)
    assert [one.power for one in found.values()] == powers
    storage = parse_ensemble_control(parse_document(folder, CONTROL), notes)
    # 7.3.517 does not state the health.
    assert storage.pop("health", 100.0) == 100.0
    assert storage == {
        "state_of_charge": charge, "energy_available": available, "capacity": capacity, "reserve": reserve,
    }  # fmt: skip
    assert is_clean(notes)
    if parse_document(folder, INVENTORY) is None:
        return  # this gateway answered 502 here, and gave the rest
    # The site's energy is that of its batteries, so neither endpoint is misread.
    batteries = parse_ensemble_inventory(parse_document(folder, INVENTORY)).batteries
    assert [battery.serial for battery in batteries] == list(found)
    stored = [float(one.fields["capacity"]) * float(one.fields["state_of_charge"]) / 100 for one in batteries]
    assert sum(stored) == pytest.approx(available, abs=1)


@pytest.mark.parametrize("name", RELAYS)
def test_relay_and_generator(name):
    folder = find_capture(name)
    relay, on_generator, running = RELAYS[name]
    assert parse_ensemble_inventory(parse_document(folder, INVENTORY)).relay == (relay, on_generator)
    assert parse_generator(parse_document(folder, GENERATOR) or {}).get("running") == running


@run_on_captures_with(CONTROL)
def test_a_house_without_battery_has_no_storage(folder):
    has_acb = "ACB" in folder.name
    storage = parse_ensemble_control(parse_document(folder, CONTROL))
    assert bool(storage) == (folder.name in SITES or has_acb)
    if has_acb:
        raw = read_raw_json(folder, CONTROL)
        assert storage == {
            "state_of_charge": raw["ACB_agg_soc"], "capacity": raw["Max_energy"], "energy_available": raw["ACB_agg_energy"],
        }  # fmt: skip


@run_on_captures_with(CONTACTS)
def test_every_dry_contact(folder):
    raw = read_raw_json(folder, CONTACTS)
    if "error" in raw:
        pytest.skip("an old firmware that answers with an error")
    assert parse_dry_contacts(parse_document(folder, CONTACTS)) == {
        contact["id"]: contact["status"] for contact in raw["dry_contacts"]
    }


@run_on_captures_with(TARIFF)
def test_every_tariff(folder):
    raw = (read_raw_json(folder, TARIFF).get("tariff") or {}).get("storage_settings")
    expected = {}
    if raw:
        expected = {
            "mode": raw["mode"],
            "reserve": raw["reserved_soc"],
            "very_low": raw["very_low_soc"],
            "charge_from_grid": float(raw["charge_from_grid"]),
        }
        if "opt_schedules" in raw:
            expected["optimised"] = float(raw["opt_schedules"])
    assert parse_storage_tariff(parse_document(folder, TARIFF)) == expected


def test_ac_batteries_give_their_signed_mean_power():
    """Two batteries that rest take 1 W each; the list says 4 and 5 W, the site's own sum (production.json) -2 W."""
    folder, notes = find_capture("8.3.5169_ACB_inventory"), Notes()
    found = parse_ac_batteries(parse_document(folder, INVERTERS), parse_document(folder, DEVICE_DATA), notes)
    section = read_raw_json(folder, "/production.json")["storage"][0]
    assert list(found) == ["121917000000", "122047000000"]
    assert sum(float(fields["mean_power"]) for fields in found.values()) == pytest.approx(section["wNow"], abs=0.1)
    assert [fields["state_of_charge"] for fields in found.values()] == [2.0, 0.0]
    assert found["121917000000"]["discharged"] == 211982428 / 3600
    assert found["121917000000"]["charged"] == 257766067 / 3600
    assert "power" not in found["121917000000"]
    assert is_clean(notes)


def test_ac_batteries_without_device_data_are_known_to_be_there():
    folder = find_capture("8.2.4382_ACB_2")
    found = parse_ac_batteries(parse_document(folder, INVERTERS), parse_document(folder, DEVICE_DATA))
    assert found == {"122000000001": {"type": "ac-battery"}, "122000000002": {"type": "ac-battery"}}
