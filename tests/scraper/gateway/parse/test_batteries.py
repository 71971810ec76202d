"""Batteries, relays and generators in shapes that no capture has."""

import pytest

from scraper.errors import BadReplyError
from scraper.gateway.parse.ac_batteries import parse_ac_batteries
from scraper.gateway.parse.ensemble_control import parse_ensemble_control
from scraper.gateway.parse.ensemble_inventory import MainRelay, parse_ensemble_inventory
from scraper.gateway.parse.ensemble_power import BatteryPower, parse_ensemble_power
from scraper.gateway.parse.ensemble_relays import parse_dry_contacts
from scraper.gateway.parse.generator import parse_generator
from scraper.gateway.parse.grid_reading import parse_grid_voltages
from scraper.gateway.parse.storage_tariff import parse_storage_tariff
from scraper.gateway.parse.values import Notes

BATTERY = {"serial_num": "492399000001", "percentFull": 55, "encharge_capacity": 5000, "temperature": 28}


def make_inventory(kind, **device):
    """An inventory of one device."""
    return [{"type": kind, "devices": [device]}]


def test_an_empty_system_has_nothing():
    assert parse_ensemble_inventory([]) == parse_ensemble_inventory({}) == ([], False, None)
    assert parse_ensemble_power({"devices:": []}) == {}
    assert parse_ensemble_control({}) == parse_generator({}) == parse_storage_tariff({}) == parse_dry_contacts({}) == {}


def test_a_silent_battery_says_only_what_lasts():
    (battery,) = parse_ensemble_inventory(make_inventory("ENCHARGE", **BATTERY, communicating=False)).batteries
    assert not battery.communicating
    assert battery.fields == {"type": "encharge", "communicating": 0.0, "capacity": 5000.0}


def test_a_bad_value_costs_one_value_and_a_serial_twice_one_entry():
    notes = Notes()
    data = make_inventory("ENCHARGE", **BATTERY | {"percentFull": "nan"})
    data[0]["devices"] += [BATTERY, {"serial_num": 7}, "nonsense"]
    (battery,) = parse_ensemble_inventory(data, notes).batteries
    assert battery.fields["capacity"] == 5000.0
    assert "state_of_charge" not in battery.fields
    assert notes.refused.keys() == {
        "ensemble.inventory.percentFull", "ensemble.inventory.serial_num", "ensemble.inventory.devices",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "device", "relay"),
    [
        ("ENPOWER", {"mains_oper_state": "closed"}, ("closed", False)),
        ("ENPOWER", {"mains_oper_state": "open"}, ("open", False)),
        ("ENPOWER", {"mains_oper_state": "open", "Enchg_grid_mode": "multimode-generator"}, ("open", True)),
        ("ENPOWER", {"mains_oper_state": "unknown"}, None),
        ("ENPOWER", {"mains_oper_state": "open", "communicating": False}, None),
        ("COLLAR", {"mid_state": "close", "grid_state": "on_grid"}, ("closed", False)),
        ("COLLAR", {"mid_state": "open", "grid_state": "off_grid"}, ("open", False)),
        ("C6 RGM", {"mains_oper_state": "open"}, None),
    ],
)
def test_the_main_relay(kind, device, relay):
    found = parse_ensemble_inventory(make_inventory(kind, **device))
    assert found.relay == (MainRelay(*relay) if relay else None)
    assert found.has_controller == (kind != "C6 RGM")


def test_the_power_of_each_battery_is_in_watts_and_negative_while_charging():
    notes = Notes()
    data = {
        "devices:": [
            {"serial_num": "492399000001", "real_power_mw": -1500000, "soc": 55},
            {"serial_num": "492399000002", "real_power_mw": None, "soc": 60},
            {"serial_num": "492399000001", "real_power_mw": 7},
        ]
    }
    assert parse_ensemble_power(data, notes) == {
        "492399000001": BatteryPower(-1500.0, 55.0), "492399000002": BatteryPower(None, 60.0),
    }  # fmt: skip
    assert dict(notes.refused) == {"ensemble.power.real_power_mw": 1, "ensemble.power.serial_num": 1}


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({"admin_state": "closed", "oper_state": "closed", "present": 1}, {"known": 1.0, "running": 1.0}),
        ({"admin_state": "unknown", "oper_state": "close", "present": 1}, {"known": 1.0, "running": 1.0}),
        ({"admin_state": "open", "oper_state": "open", "present": 1, "stop_soc": -1}, {"known": 1.0, "running": 0.0}),
        ({"admin_state": "unknown", "oper_state": "open", "present": 1}, {}),
        ({"admin_state": "close", "oper_state": "close", "present": 0}, {}),
        ({"admin_state": "close", "oper_state": "lost", "present": 1}, {"known": 0.0}),
    ],
)
def test_a_generator(data, fields):
    assert parse_generator(data) == fields


def test_the_tariff_may_have_no_mode():
    settings = {"mode": None, "reserved_soc": 20.0, "charge_from_grid": True}
    assert parse_storage_tariff({"tariff": {"storage_settings": settings}}) == {
        "reserve": 20.0,
        "charge_from_grid": 1.0,
    }
    assert parse_storage_tariff({"tariff": None}) == {}


def test_the_voltage_of_the_grid_is_that_of_the_phases_that_are_there():
    channels = [{"phase": "L1", "voltage": 229.6}, {"phase": "L2", "voltage": 3.1}, {"phase": "L3", "voltage": "x"}]
    assert parse_grid_voltages([{"channels": channels}]) == {"voltage_a": 229.6}


def test_a_removed_ac_battery_is_no_battery():
    rich = {"1": {"devName": "acb", "sn": "121917000000", "active": False, "modGone": True, "channels": []}}
    assert parse_ac_batteries([], rich) == {}


@pytest.mark.parametrize(
    "parse",
    [parse_ensemble_power, parse_ensemble_control, parse_dry_contacts, parse_generator, parse_storage_tariff,
     parse_ensemble_inventory, parse_grid_voltages],
)  # fmt: skip
def test_a_reply_of_the_wrong_shape_is_refused(parse):
    with pytest.raises(BadReplyError):
        parse("text")
