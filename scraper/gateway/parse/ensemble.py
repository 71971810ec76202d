"""From the replies about batteries, relay and generator to what they say together. Pure.

The power of the site's batteries is known only if that of every one is: a part is not the sum.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from scraper.gateway.parse.ensemble_inventory import EnsembleInventory, MainRelay
from scraper.gateway.parse.ensemble_power import BatteryPower
from shared.readings import FieldValue, Reading

CONNECTED, ISLANDED, GENERATOR = "connected", "islanded", "generator"


class EnsembleReplies(NamedTuple):
    """What was read in one round; None is what could not be read.

    Attributes:
        inventory: Batteries and controllers.
        powers: Of each battery by serial number.
        control: Fields of kind `storage` for all batteries together.
        relay: From the relay's own endpoint, where the inventory says nothing of it.
        generator: Fields of kind `generator`; empty if there is none.
        contacts: State of each dry contact by name.
        tariff: Fields of kind `tariff`.
        voltages: Fields of kind `grid`.
        ac_batteries: Fields of kind `battery` by serial number, of AC Batteries.
        heard: How many batteries the gateway hears, where this login may not ask what they are.
    """

    inventory: EnsembleInventory | None = None
    powers: Mapping[str, BatteryPower] | None = None
    control: Mapping[str, float] | None = None
    relay: MainRelay | None = None
    generator: Mapping[str, FieldValue] | None = None
    contacts: Mapping[str, str] | None = None
    tariff: Mapping[str, FieldValue] | None = None
    voltages: Mapping[str, float] | None = None
    ac_batteries: Mapping[str, Mapping[str, FieldValue]] | None = None
    heard: int = 0


def describe_ensemble(
    replies: EnsembleReplies, serials: AbstractSet[str], stamp: int, *, is_whole: bool = True
) -> list[Reading]:
    """Everything that a round says, as readings.

    Args:
        replies: Of this round.
        serials: IQ Batteries that there are, also while the inventory cannot be read.
        stamp: UTC milliseconds.
        is_whole: Whether it is known that there are no others.
    """
    batteries = _describe_batteries(replies)
    readings = [Reading("battery", {"battery": serial}, stamp, fields) for serial, fields in batteries.items()]
    ac_batteries = replies.ac_batteries or {}
    sums = sum_powers(replies.inventory, replies.powers, serials, len(ac_batteries), is_whole=is_whole)
    storage = dict(replies.control or {}) | sums
    if replies.heard and not storage.get("batteries"):
        storage |= {"batteries": float(replies.heard), "measured": 0.0}
    found: dict[str, Mapping[str, FieldValue]] = {
        "storage": storage,
        "grid": _describe_grid(replies),
        "generator": replies.generator or {},
        "tariff": replies.tariff or {},
    }
    readings += [Reading(kind, {}, stamp, {**fields}) for kind, fields in found.items() if fields]
    contacts = replies.contacts or {}
    return readings + [Reading("relay", {"relay": name}, stamp, {"state": state}) for name, state in contacts.items()]


def sum_powers(
    inventory: EnsembleInventory | None,
    powers: Mapping[str, BatteryPower] | None,
    serials: AbstractSet[str],
    ac_batteries: int,
    *,
    is_whole: bool = True,
) -> dict[str, float]:
    """`batteries`, `measured` and, if they are the same, `power` of kind `storage`; empty without a battery.

    A battery that is silent is not measured, whatever the gateway goes on saying of it. Unless `is_whole`, there may be
    IQ Batteries that no list has had yet: then none counts as measured.
    """
    count = len(serials | (powers or {}).keys()) + ac_batteries
    if not count:
        return {}
    silent = {battery.serial for battery in (inventory.batteries if inventory else ()) if not battery.communicating}
    known = [one.power for serial, one in (powers or {}).items() if one.power is not None and serial not in silent]
    known = known if is_whole else []
    fields = {"batteries": float(count), "measured": float(len(known))}
    return fields | ({"power": sum(known)} if len(known) == count else {})


def _describe_batteries(replies: EnsembleReplies) -> dict[str, dict[str, FieldValue]]:
    found: dict[str, dict[str, FieldValue]] = {
        battery.serial: dict(battery.fields) for battery in (replies.inventory.batteries if replies.inventory else ())
    }
    for serial, now in (replies.powers or {}).items():
        fields = found.setdefault(serial, {"type": "encharge"})
        if fields.get("communicating") == 0.0:
            continue
        values = {"power": now.power, "state_of_charge": now.state_of_charge}
        fields |= {name: value for name, value in values.items() if value is not None}
    for fields in found.values():
        capacity, charge = fields.get("capacity"), fields.get("state_of_charge")
        if isinstance(capacity, float) and isinstance(charge, float):
            fields["energy_available"] = capacity * charge / 100
    return found | {serial: dict(fields) for serial, fields in (replies.ac_batteries or {}).items()}


def _describe_grid(replies: EnsembleReplies) -> dict[str, FieldValue]:
    """Nothing while it is not known how the main relay stands."""
    relay = (replies.inventory.relay if replies.inventory else None) or replies.relay
    if relay is None:
        return {}
    is_closed = relay.state == "closed"
    runs = bool((replies.generator or {}).get("running"))
    mode = CONNECTED if is_closed else GENERATOR if relay.on_generator or runs else ISLANDED
    return {"relay": relay.state, "mode": mode, "connected": float(is_closed), **(replies.voltages or {})}
