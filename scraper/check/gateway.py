"""The steps to the gateway: find it, know it, log in, each endpoint, meters, stream, batteries, clock."""

import asyncio
from contextlib import aclosing

from scraper.check.doubts import find_doubts
from scraper.check.ensemble import check_ensemble
from scraper.check.findings import Findings
from scraper.check.inverters import check_inverters
from scraper.errors import EndpointUnavailableError, GatewayError, ScraperSettingError
from scraper.gateway.parse.meters import ConfiguredMeter
from scraper.gateway.parse.phases import MeterValues
from scraper.gateway.parse.values import Notes
from scraper.gateway.session import GatewayIdentity, GatewaySession
from scraper.settings import ScraperSettings
from shared.clock import Clock
from shared.durations import describe_duration, describe_expiry
from shared.units import DAY_S

STREAM_S = 45.0
"""A firmware that buffers its stream sends nothing for about 23 s."""
TOLERANCE_S = 300

_OWNER_STREAM = (
    "the gateway gives its one-second stream only to installer tokens, and yours is an owner token: meters are read "
    "every {interval:g} s instead, which is fine for most. If your account is a self-installer's, a token made at "
    "https://entrez.enphaseenergy.com has installer rights for 12 hours"
)

_MISSED = "no meters, although the gateway says that it has some (imeter): it may have started just now"


async def check_gateway(
    gateway: GatewaySession, settings: ScraperSettings, clock: Clock, findings: Findings
) -> str | None:
    """Walk the way to the gateway; returns its serial if it could be read."""
    try:
        identity = await gateway.connect()
    except (GatewayError, ScraperSettingError) as error:
        findings.fail("gateway", str(error))
        return gateway.state.serial
    _check_identity(identity, gateway, settings, findings)
    _check_token(identity, clock, findings)
    _check_clocks(identity, findings)
    roof = await check_inverters(gateway, identity, clock, findings)
    meters, values = await _check_meters(gateway, findings)
    if any(meter.enabled for meter in meters):
        if settings.meter_source in ("auto", "stream"):
            await _check_stream(gateway, identity, settings, findings)
    else:
        await _check_production(gateway, findings)
    battery = await check_ensemble(gateway, meters, clock, findings, values)
    for doubt in find_doubts(values, roof, battery):
        findings.note("meters", doubt)
    return identity.serial


def _check_identity(
    identity: GatewayIdentity, gateway: GatewaySession, settings: ScraperSettings, findings: Findings
) -> None:
    how = "as configured" if settings.gateway.address else "found on the network"
    findings.confirm("gateway", f"{identity.serial} answers at {identity.host} ({how}), firmware {identity.firmware}")
    if identity.scheme == "https" and gateway.state.fingerprint:
        kept = "pinned" if settings.gateway.tls_trust == "pin" else "not checked (ENVOY_TLS_TRUST=any)"
        findings.confirm("certificate", f"SHA-256 {gateway.state.fingerprint[:16]}..., {kept}")
    findings.confirm("login", f"accepted, with {identity.role} rights")


def _check_token(identity: GatewayIdentity, clock: Clock, findings: Findings) -> None:
    if identity.token_expires_s is None:
        return
    left_s = identity.token_expires_s - clock.now_ms() / 1000
    text = describe_expiry(left_s)
    if left_s < 30 * DAY_S and identity.role == "owner":
        findings.note(
            "token", f"{text}: with ENVOY_CLOUD_USERNAME and ENVOY_CLOUD_PASSWORD set it is renewed by itself"
        )
    else:
        findings.confirm("token", text)


def _check_clocks(identity: GatewayIdentity, findings: Findings) -> None:
    offset = identity.clock_offset_s
    if offset is None:
        return
    if abs(offset) <= TOLERANCE_S:
        findings.confirm("clocks", f"gateway and this machine agree within {describe_duration(max(1, abs(offset)))}")
    else:
        findings.note(
            "clocks",
            f"the gateway's clock is {describe_duration(offset)} {'ahead of' if offset > 0 else 'behind'} this "
            "machine's: check this machine's time first; report dates are corrected by the difference",
        )


async def _check_meters(gateway: GatewaySession, findings: Findings) -> tuple[list[ConfiguredMeter], list[MeterValues]]:
    try:
        meters = await gateway.read_meters()
        values = await gateway.read_meter_readings(Notes())
    except GatewayError as error:
        if (status := gateway.find_meter_refusal()) is None:
            findings.note("meters", f"not readable: {error}")
        else:
            findings.note("meters", await _describe_refused_meters(gateway, status))
        return [], []
    if (status := gateway.find_meter_refusal()) is not None:
        findings.note("meters", await _describe_refused_meters(gateway, status))
    elif gateway.misses_meters:
        findings.note("meters", f"{_MISSED}; they are asked for again and again. If it stays so, enable them there")
    elif not any(meter.enabled for meter in meters):
        findings.note(
            "meters", "no meter (CT) is enabled: production comes from the inverters alone, and no house load"
        )
        return meters, []
    for meter in meters:
        if meter.enabled:
            _describe_meter(meter, [one for one in values if one.meter == meter.measurement], findings)
        else:
            findings.note("meters", f"{meter.measurement}: there, but not enabled in the gateway; ignored")
    return meters, values


async def _describe_refused_meters(gateway: GatewaySession, status: int) -> str:
    """What is so while the gateway refuses its meters, with what stands in for them after more than five minutes."""
    missed = f"{_MISSED}. It" if gateway.misses_meters else "the gateway"
    try:
        sums = [one for one in await gateway.read_eim(Notes(), at_once=True) if "power" in one.values]
    except GatewayError:
        sums = []
    if sums:
        watts = ", ".join(f"{one.meter} {one.values['power']:.0f} W" for one in sums)
        stands_in = f"the sums of /production.json stand in for them, power alone ({watts} now)"
    else:
        stands_in = "inverters alone are read, and there is no house load"
    return (
        f"{missed} refuses them (status {status}), and is asked again after 1, 5 and 15 minutes, then hourly. "
        f"That is a gap at first; once it has lasted for more than five minutes, {stands_in}"
    )


def _describe_meter(meter: ConfiguredMeter, phases: list[MeterValues], findings: Findings) -> None:
    flags = f"; the gateway warns: {', '.join(meter.status_flags)}" if meter.status_flags else ""
    silent = [one.phase for one in phases if "power" not in one.values]
    if silent:
        missing = f"phase {', '.join(silent)} gives no power now, so the sum is unknown"
        findings.note("meters", f"{meter.measurement}: {len(phases)} phase(s), {missing}{flags}")
        return
    say = findings.note if flags else findings.confirm
    watts = sum(one.values["power"] for one in phases)
    say("meters", f"{meter.measurement}: {len(phases)} phase(s), {watts:.0f} W now{flags}")


async def _check_stream(
    gateway: GatewaySession, identity: GatewayIdentity, settings: ScraperSettings, findings: Findings
) -> None:
    try:
        async with asyncio.timeout(STREAM_S), aclosing(gateway.stream_bursts()) as bursts:
            async for burst in bursts:
                findings.confirm("stream", f"delivers ({len(burst.lines)} event(s) at once): every second, every phase")
                return
    except EndpointUnavailableError as error:
        if identity.role == "owner":
            findings.note("stream", _OWNER_STREAM.format(interval=settings.meter_interval))
        else:
            findings.note(
                "stream", f"not given ({error.status}); meters are read every {settings.meter_interval:g} s instead"
            )
    except (GatewayError, TimeoutError) as error:
        reason = str(error) or f"no event within {STREAM_S:.0f} s"
        findings.note("stream", f"{reason}; meters are read every {settings.meter_interval:g} s until it delivers")


async def _check_production(gateway: GatewaySession, findings: Findings) -> None:
    try:
        reading = await gateway.read_production(Notes())
    except GatewayError as error:
        findings.note("production", f"the sum of all inverters is not readable: {error}")
        return
    if reading is None:
        findings.note("production", "the gateway gives no usable sum of all inverters; each inverter is read anyway")
    else:
        findings.confirm("production", f"{reading.fields.get('power', 0):.0f} W from {reading.tags['source']}")
