"""The step to the inverters: what they report, and what of it speaks of now."""

from collections.abc import Sequence
from typing import NamedTuple

from scraper.check.findings import Findings
from scraper.delta import gateway_clock
from scraper.errors import GatewayError
from scraper.gateway.parse.values import Notes
from scraper.gateway.session import GatewayIdentity, GatewaySession
from shared.clock import Clock
from shared.durations import describe_duration
from shared.fields import REPORT_SPEAKS_MS
from shared.readings import Reading


class RoofNow(NamedTuple):
    """All inverters at this moment.

    Attributes:
        power: Of those together whose reports speak of now (W); None if none does, or one gives no power.
        is_whole: Whether the reports of all speak of now.
    """

    power: float | None = None
    is_whole: bool = False


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
    return RoofNow(_sum_power(speaking), len(speaking) == len(readings))


def _sum_power(readings: Sequence[Reading]) -> float | None:
    """W; None if there is none, and where one has none: a part is not the sum."""
    known = [power for reading in readings if isinstance(power := reading.fields.get("power"), float)]
    return sum(known) if known and len(known) == len(readings) else None
