"""The step to the inverters: what they report, and what of it speaks of now."""

from collections.abc import Sequence

from scraper.check.doubts import NIGHT_W, RoofNow
from scraper.check.findings import Findings
from scraper.delta import gateway_clock
from scraper.errors import GatewayError
from scraper.gateway.parse.values import Notes
from scraper.gateway.session import GatewayIdentity, GatewaySession
from shared.clock import Clock
from shared.durations import describe_duration
from shared.fields import REPORT_SPEAKS_MS
from shared.readings import Reading

_MARGIN = 1.5
_UNKNOWN_W = 500.0


async def check_inverters(
    gateway: GatewaySession, identity: GatewayIdentity, clock: Clock, findings: Findings
) -> RoofNow:
    """Say how many there are, and how old their reports are."""
    try:
        readings = await gateway.read_inverters(Notes())
    except GatewayError as error:
        findings.fail("inverters", str(error))
        return RoofNow()
    if not readings:
        findings.note("inverters", "the gateway lists none: it may be starting up, or none has reported yet")
        return RoofNow()
    now_ms = clock.now_ms()
    offset_ms = round((identity.clock_offset_s or 0.0) * 1000)
    correction_ms, _ = gateway_clock.measure(0, now_ms + offset_ms, now_ms)
    ages_ms = [now_ms - gateway_clock.correct(correction_ms, reading.timestamp) for reading in readings]
    age = describe_duration(max(0, min(ages_ms)) / 1000)
    rich = sum("dc_voltage" in reading.fields for reading in readings)
    detail = f"; {rich} with voltages and temperature" if rich else "; power only (this firmware gives no more)"
    findings.confirm("inverters", f"{len(readings)} listed, the newest report {age} old{detail}")
    speaking = [reading for reading, age_ms in zip(readings, ages_ms, strict=True) if age_ms <= REPORT_SPEAKS_MS]
    most = _sum_most(readings)
    if not speaking and await _is_producing_nothing(gateway):
        most = 0.0
    return RoofNow(_sum_power(speaking), len(speaking) == len(readings), most)


async def _is_producing_nothing(gateway: GatewaySession) -> bool:
    """Whether the gateway's own total says that nothing is produced now."""
    try:
        total = await gateway.read_production(Notes())
    except GatewayError:
        return False
    power = total.fields.get("power") if total else None
    return isinstance(power, float) and abs(power) <= NIGHT_W


def _sum_most(readings: Sequence[Reading]) -> float:
    """W; the highest means that the gateway ever saw are no ratings, and an inverter may have none yet."""
    highest = [reading.fields.get("max_power") for reading in readings]
    return sum(_MARGIN * power if isinstance(power, float) and power > 0 else _UNKNOWN_W for power in highest)


def _sum_power(readings: Sequence[Reading]) -> float | None:
    """W; None if there is none, and where one has none: a part is not the sum."""
    known = [power for reading in readings if isinstance(power := reading.fields.get("power"), float)]
    return sum(known) if known and len(known) == len(readings) else None
