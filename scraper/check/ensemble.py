"""The step to batteries, main relay and generator: what there is, what is missing, and what that means for the load."""

from collections.abc import Sequence

from scraper.check.findings import Findings
from scraper.errors import GatewayError
from scraper.gateway.ensemble import INVENTORY, POWER, EnsembleReader
from scraper.gateway.parse.ensemble import CONNECTED, describe_ensemble
from scraper.gateway.parse.meters import ConfiguredMeter
from scraper.gateway.parse.phases import MeterValues
from scraper.gateway.session import GatewaySession
from shared.agreement import COMPARED_FROM_W
from shared.clock import Clock
from shared.readings import FieldValue

_STEP = "batteries"


async def check_ensemble(
    gateway: GatewaySession,
    meters: list[ConfiguredMeter],
    clock: Clock,
    findings: Findings,
    values: Sequence[MeterValues] = (),
) -> float | None:
    """Say what the gateway gives of batteries and grid; nothing where there is none of it.

    `values` are those of every metered phase.

    Returns:
        The power of all batteries (W, + discharge), 0 without a battery; None: it is not known.
    """
    reader = EnsembleReader(gateway.get_json, clock)
    try:
        replies = await reader.read()
    except GatewayError as error:
        findings.note(_STEP, f"not readable: {error}")
        return None
    batteries = reader.batteries
    now_ms = clock.now_ms()
    readings = describe_ensemble(replies, batteries.serials, now_ms, is_whole=batteries.is_whole) if replies else []
    fields = {reading.kind: reading.fields for reading in readings}
    storage = fields.get("storage", {})
    _name_missing_rights(reader, storage, findings)
    if replies is None:
        return None if reader.refused.keys() & {POWER, INVENTORY} else 0.0
    has_meter = any(meter.enabled and meter.measurement == "storage" for meter in meters)
    ac_batteries = len(replies.ac_batteries or {})
    may_miss_some = bool(replies.powers) and not batteries.is_whole
    _describe_storage(storage, ac_batteries, findings, has_meter=has_meter, may_miss_some=may_miss_some)
    coming_in = sum(one.values.get("power", 0.0) for one in values if one.meter == "net-consumption")
    _describe_grid(fields.get("grid", {}), fields.get("generator", {}), coming_in, findings)
    is_absent = not storage.get("batteries") and not reader.refused.keys() & {POWER, INVENTORY}
    power = storage.get("power", 0.0 if is_absent else None)
    return power if isinstance(power, float) else None


def _name_missing_rights(reader: EnsembleReader, storage: dict[str, FieldValue], findings: Findings) -> None:
    """Say which paths are refused, and what that means for the load, by what is known of batteries all the same."""
    if not reader.refused:
        return
    paths = ", ".join(sorted(reader.refused))
    meaning = ""
    if storage.get("batteries") or storage.get("capacity"):
        if not isinstance(storage.get("power"), float):
            meaning = (
                ": there is a battery, its power stays unknown, and so does what the house uses unless a storage meter "
                "is enabled"
            )
    elif reader.refused.keys() & {POWER, INVENTORY}:
        meaning = (
            ": nothing else shows a battery, so what the house uses is counted without one; if there is one, that is "
            "wrong unless a storage meter is enabled"
        )
    findings.note(
        _STEP,
        f"this login may not read {paths} (status 401){meaning}; a token of the owner's account on recent firmware may "
        "read them",
    )


def _describe_storage(
    storage: dict[str, FieldValue], ac_batteries: int, findings: Findings, *, has_meter: bool, may_miss_some: bool
) -> None:
    count, measured, power = (storage.get(name) for name in ("batteries", "measured", "power"))
    if not isinstance(count, float):
        return
    charge = storage.get("state_of_charge")
    full = f", {charge:.0f} % full" if isinstance(charge, float) else ""
    if isinstance(power, float):
        doing = "charging" if power < 0 else "discharging"
        findings.confirm(_STEP, f"{count:.0f}{full}, {doing} with {abs(power):.0f} W")
    elif has_meter:
        findings.confirm(_STEP, f"{count:.0f}{full}; their power comes from the storage meter")
    elif ac_batteries:
        findings.note(
            _STEP,
            f"{count:.0f}{full}, {ac_batteries} of them AC Batteries, which give no power of this moment: what the "
            "house uses is unknown beside them until an installer enables a storage meter (CT)",
        )
    elif may_miss_some:
        findings.note(
            _STEP,
            f"{count:.0f}{full} by the list of their power, but {INVENTORY} lists none: there may be more, so what the "
            "house uses is unknown until it does. It may be so for minutes after a start of the gateway",
        )
    else:
        findings.note(
            _STEP,
            f"{count:.0f}{full}, but only {measured or 0:.0f} of them give their power now and no storage meter is "
            "enabled: what the house uses is unknown meanwhile. See in the Enphase app whether every battery reports, "
            "or have a storage meter (CT) enabled by an installer",
        )


def _describe_grid(
    grid: dict[str, FieldValue], generator: dict[str, FieldValue], coming_in: float, findings: Findings
) -> None:
    mode = grid.get("mode")
    if mode == CONNECTED:
        findings.confirm("grid", "the main relay is closed")
    elif mode is not None:
        findings.note("grid", f"the main relay is open: the house is cut off from the grid (mode {mode})")
    is_cut_off = mode is not None and mode != CONNECTED
    if is_cut_off and coming_in >= COMPARED_FROM_W and not generator.get("running"):
        findings.note(
            "grid",
            f"{coming_in:.0f} W come in over the open relay all the same: something feeds the house that the gateway "
            "does not tell of, as a generator. What the house uses is unknown while that lasts, and what comes in is "
            "no purchase",
        )
    if generator.get("running"):
        findings.note(
            "generator",
            "it runs and no meter measures it: what the house uses is unknown until it stops, and what seems to come "
            "from the grid is no purchase",
        )
    elif generator.get("known") == 0.0 and mode != CONNECTED:
        findings.note(
            "generator", "the gateway does not know whether it runs: what the house uses is unknown until it does"
        )
