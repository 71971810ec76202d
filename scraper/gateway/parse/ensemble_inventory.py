"""`/ivp/ensemble/inventory`: the batteries, and the device that connects the house to the grid. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from scraper.gateway.parse.values import Document, Notes, list_objects, read_epoch_seconds, read_fields
from shared.fields import MAX_TEXT
from shared.keys import is_serial
from shared.readings import FieldValue
from shared.units import SECOND_MS

_WHERE = "ensemble.inventory"
_BATTERY = "ENCHARGE"
_CONTROLLERS = {"ENPOWER": "mains_oper_state", "COLLAR": "mid_state"}
"""Types of devices that hold the main relay, and the key that says how it stands."""
_WITHOUT_RELAY = frozenset({"C6 COMBINER CONTROLLER", "C6 RGM"})
_RELAY_STATES = {"closed": "closed", "close": "closed", "open": "open"}
_LASTING = {"encharge_capacity": ("capacity", 1.0)}
_PRESENT = {
    "percentFull": ("state_of_charge", 1.0),
    "temperature": ("temperature", 1.0),
    "maxCellTemp": ("cell_temperature", 1.0),
}


class ListedBattery(NamedTuple):
    """One battery as listed.

    Attributes:
        serial: Its serial number.
        communicating: Whether it talks to the gateway, so that what is said of it is of now.
        fields: Of kind `battery`, without the power; of a silent battery only what lasts.
    """

    serial: str
    communicating: bool
    fields: dict[str, FieldValue]


class MainRelay(NamedTuple):
    """The relay between the house and the grid.

    Attributes:
        state: `closed` or `open`.
        on_generator: Whether the controller says that a generator stands in for the grid.
    """

    state: str
    on_generator: bool


class EnsembleInventory(NamedTuple):
    """What the gateway lists.

    Attributes:
        batteries: Each battery once.
        has_controller: Whether a device with a main relay is listed.
        relay: That relay; None where there is none, or where its device is silent or says nothing known.
    """

    batteries: list[ListedBattery]
    has_controller: bool
    relay: MainRelay | None


def parse_ensemble_inventory(data: object, notes: Notes | None = None) -> EnsembleInventory:
    """Read the list; empty on gateways without batteries and controllers, which answer [] or {}.

    Raises:
        BadReplyError: The reply is neither a list nor an object.
    """
    notes = notes or Notes()
    batteries: dict[str, ListedBattery] = {}
    has_controller, relays = False, list[MainRelay]()
    for group in [] if isinstance(data, Mapping) else list_objects(data, _WHERE, notes):
        kind, devices = group.get("type"), group.get("devices")
        for device in list_objects(devices if isinstance(devices, list) else [], f"{_WHERE}.devices", notes):
            if kind == _BATTERY:
                battery = _read_battery(device, notes)
                if battery is not None:
                    if battery.serial in batteries:
                        notes.odd.add(f"{_WHERE} lists a serial twice")
                    batteries.setdefault(battery.serial, battery)
            elif isinstance(kind, str) and kind in _CONTROLLERS:
                has_controller = True
                relay = read_main_relay(device, _CONTROLLERS[kind])
                relays += [relay] if relay and device.get("communicating") is not False else []
            elif kind not in _WITHOUT_RELAY:
                notes.add_unknown(f"{_WHERE}.type={kind}")
    return EnsembleInventory(list(batteries.values()), has_controller, _choose_relay(relays))


def read_main_relay(device: Document, key: str = "mains_oper_state") -> MainRelay | None:
    """The main relay of a controller (or of `/ivp/ensemble/relay`); None if it does not say how it stands."""
    state = device.get(key)
    if not isinstance(state, str) or state not in _RELAY_STATES:
        return None
    modes = (device.get("Enpwr_grid_mode"), device.get("Enchg_grid_mode"), device.get("Solar_grid_mode"))
    return MainRelay(_RELAY_STATES[state], any(isinstance(mode, str) and "generator" in mode for mode in modes))


def _choose_relay(relays: list[MainRelay]) -> MainRelay | None:
    """An open relay anywhere cuts the house off."""
    return next((relay for relay in relays if relay.state == "open"), relays[0] if relays else None)


def _read_battery(device: Document, notes: Notes) -> ListedBattery | None:
    serial = device.get("serial_num")
    if not isinstance(serial, str) or not is_serial(serial):
        notes.refuse(f"{_WHERE}.serial_num")
        return None
    communicating = device.get("communicating") is not False
    fields: dict[str, FieldValue] = {
        "type": "encharge",
        "communicating": float(communicating),
        **read_fields(device, _LASTING | (_PRESENT if communicating else {}), _WHERE, notes),
    }
    status = device.get("admin_state_str")
    if isinstance(status, str) and status:
        fields["status"] = status[:MAX_TEXT]
    date = read_epoch_seconds(device.get("last_rpt_date"))
    if date:
        fields["last_report"] = float(date * SECOND_MS)
    return ListedBattery(serial, communicating, fields)
