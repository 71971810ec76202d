"""A simulated house with a day of troubles: its readings come from the simulator, through the scraper's own parsers."""

import functools
from collections.abc import Iterator

from shared.readings import FieldValue, Reading
from simulator.profiles import find_profile
from standalone.history import HouseSettings, Past

PROFILE = "battery"
GATEWAY = find_profile(PROFILE).serial
NOON_S = 1_781_575_200
"""A bright hour where the house stands."""
MINUTE, HOUR = 60, 3600
START_S = NOON_S - 2 * HOUR
TROUBLE_S, CALM_S = NOON_S, NOON_S + 2 * HOUR
"""Everything is wrong between these two, and well before and after."""
SILENT_S, BACK_S = NOON_S + 3 * HOUR + 30 * MINUTE, NOON_S + 4 * HOUR + 20 * MINUTE
"""The scraper says nothing."""
GAP_S, GAP_END_S = NOON_S + 4 * HOUR + 40 * MINUTE, NOON_S + 5 * HOUR
"""The gateway says nothing, and the scraper records it."""
STOP_S = NOON_S + 5 * HOUR + 20 * MINUTE
BATTERIES = ("492320000101", "492320000102")


@functools.cache
def make_story() -> tuple[Reading, ...]:
    """All readings, in order of time."""
    past = Past(HouseSettings(PROFILE, 7, float(START_S), 0))
    simulated = [reading for piece in past.make_pieces(START_S, STOP_S) for reading in piece]
    dead = find_dead_inverter()
    reported = [break_reading(one, dead) for one in simulated if not is_kept_back(one, dead)]
    own = [one for second in range(START_S, STOP_S, MINUTE) for one in _make_own(second)]
    return tuple(sorted([*reported, *own], key=find_arrival_ms))


def find_arrival_ms(reading: Reading) -> float:
    """When a reading comes (UTC milliseconds): the end of an event comes when it is over."""
    end = reading.fields.get("end")
    return end if isinstance(end, float) else reading.timestamp


@functools.cache
def find_dead_inverter() -> str:
    """The inverter that dies: a good one."""
    (piece,) = Past(HouseSettings(PROFILE, 7, float(START_S), 0)).make_pieces(NOON_S - 600, NOON_S)
    powers = {one.tags["inverter"]: one.fields["power"] for one in piece if one.kind == "inverter"}
    return max(powers, key=lambda serial: float(powers[serial]))


def is_kept_back(reading: Reading, dead: str) -> bool:
    """Whether a reading of the house never comes: of the dead panel, and while somebody is silent."""
    second = reading.timestamp / 1000
    if SILENT_S <= second < BACK_S or GAP_S <= second < GAP_END_S:
        return True
    return reading.kind == "inverter" and reading.tags["inverter"] == dead and is_troubled(second)


def is_troubled(second: float) -> bool:
    return TROUBLE_S <= second < CALM_S


def break_reading(reading: Reading, dead: str) -> Reading:
    """A reading of the house as it is in trouble: a production meter without transformer, and a high voltage."""
    if reading.kind != "meter" or not is_troubled(reading.timestamp / 1000):
        return reading
    fields: dict[str, FieldValue] = dict(reading.fields)
    if reading.tags["meter"] == "production" and "power" in fields:
        fields["power"] = -1.0
    if reading.tags["phase"] == "a" and isinstance(voltage := fields.get("voltage"), float):
        fields["voltage"] = voltage * 1.14
    return Reading(reading.kind, dict(reading.tags), reading.timestamp, fields)


def _make_own(second: int) -> Iterator[Reading]:
    """What the scraper says of itself, of batteries and of the grid, each minute."""
    if SILENT_S <= second < BACK_S:
        return
    bad, stamp = is_troubled(second), second * 1000
    yield Reading("gateway", {}, stamp, {
        "role": "owner", "stream_connected": 1.0, "certificate_changed": float(bad), "inverters_known": 20.0,
        "outbox_rows": 2000.0 + (second - TROUBLE_S) / 10 if bad else 5.0,
        "lost_rows": 7.0 if second >= TROUBLE_S else 0.0, "token_expires_in": (10.0 if bad else 300.0) * 86_400,
    })  # fmt: skip
    if second == GAP_S:
        yield Reading("event", {"type": "gap"}, stamp, {"reason": "no sample came"})
    if second == GAP_END_S:
        yield Reading("event", {"type": "gap"}, GAP_S * 1000, {"end": stamp * 1.0})
    if GAP_S <= second < GAP_END_S:
        return
    yield Reading("grid", {}, stamp, {
        "relay": "open" if bad else "closed", "mode": "islanded" if bad else "connected", "connected": float(not bad),
    })  # fmt: skip
    for number, battery in enumerate(BATTERIES):
        yield Reading("battery", {"battery": battery}, stamp, {"communicating": float(not bad or number > 0)})
