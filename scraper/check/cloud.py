"""The way to Enphase's API: keys, the owner's approval, calls that are left, the system, and what the plan gives.

It costs a call for the system, one for each type that is read, and one more where ENVOY_SERIAL is set; all of them may
come from the month's reserve.
"""

from datetime import UTC, datetime

from scraper.check.findings import Findings
from scraper.cloud.errors import (
    CloudError,
    CloudPlanError,
    CloudQuotaError,
    CloudRefusedError,
    GrantNeededError,
)
from scraper.cloud.parse.systems import parse_system
from scraper.cloud.questions import IntervalType, ask_window
from scraper.cloud.rules.windows import QUARTER_S, find_quarter
from scraper.errors import BadReplyError, ScraperError, ScraperSettingError
from scraper.service.cloud_parts import CloudParts, make_cloud_parts
from scraper.service.cloud_source import choose_sources, find_system, name_system
from scraper.settings import ScraperSettings
from shared.clock import Clock
from shared.durations import describe_age, describe_duration
from shared.units import HOUR_S

TOLERANCE_S = 300
_OLD_S = 4 * HOUR_S
_LOOK_BACK_S = 4 * QUARTER_S


async def check_cloud(settings: ScraperSettings, clock: Clock, findings: Findings) -> str | None:
    """Walk the way to the API; returns under which name the readings go to the receiver, if that is set."""
    try:
        serial, sources = name_system(settings.cloud), choose_sources(settings.cloud)
    except ScraperSettingError as error:
        findings.fail("cloud", str(error))
        return None
    try:
        parts = make_cloud_parts(settings, clock)
    except ScraperSettingError as error:
        for line in str(error).splitlines():
            findings.fail("keys", line)
        return serial
    try:
        findings.confirm("keys", "API key, client id and client secret are set")
        if _check_grant(parts, clock, findings):
            _check_budget(parts, findings)
            if await _check_system(parts, settings, clock, findings):
                for one in sources:
                    await _check_type(parts, find_system(settings.cloud), one.type, clock, findings)
                await _check_link(parts, settings, findings)
    finally:
        await parts.api.aclose()
    return serial


def _check_grant(parts: CloudParts, clock: Clock, findings: Findings) -> bool:
    try:
        grant = parts.grant_file.load()
    except ScraperError as error:
        findings.fail("approval", str(error))
        return False
    if grant is None or grant.ended is not None:
        text = "the owner has not approved this application yet: run `envoy-scraper cloud authorise`"
        findings.fail("approval", text if grant is None else grant.ended or text)
        return False
    now_s = clock.now_ms() / 1000
    day = datetime.fromtimestamp(grant.ends_at, UTC).date().isoformat()
    text = f"renewed {describe_age(now_s - grant.obtained_at)}; it would end on {day} if it were no longer renewed"
    if grant.needs_warning(now_s):
        findings.note("approval", f"{text}: see in the log why it is not, or run `envoy-scraper cloud authorise`")
    else:
        findings.confirm("approval", text)
    return True


def _check_budget(parts: CloudParts, findings: Findings) -> None:
    try:
        view = parts.budget.read_view()
    except CloudError as error:
        findings.fail("calls", str(error))
        return
    day = datetime.fromtimestamp(view.month_ends_ms / 1000, UTC).date().isoformat()
    text = (
        f"{view.used} of {view.limits.month} used this month, {view.left} left for reading, {view.reserve} in reserve; "
        f"the month ends on {day}; {view.limits.minute} a minute"
    )
    if view.blocked_until_ms is not None:
        until = datetime.fromtimestamp(view.blocked_until_ms / 1000, UTC)
        findings.note("calls", f"{text}; the API gives none before {until:%Y-%m-%d %H:%M} UTC")
    elif not view.left:
        findings.note("calls", f"{text}: nothing is read until then; raise ENVOY_CLOUD_MONTH if the plan gives more")
    else:
        findings.confirm("calls", text)


async def _check_system(parts: CloudParts, settings: ScraperSettings, clock: Clock, findings: Findings) -> bool:
    """Whether the system can be asked for."""
    try:
        system = parse_system(await parts.api.fetch(f"systems/{find_system(settings.cloud)}", from_reserve=True))
    except (CloudPlanError, CloudRefusedError, GrantNeededError) as error:
        findings.fail("system", str(error))
        return False
    except (CloudError, BadReplyError) as error:
        findings.note("system", f"not asked or not answered now: {error}")
        return False
    now_s = clock.now_ms() / 1000
    text = f"{system.system_id} is readable, time zone {system.time_zone or 'unknown'}"
    if system.last_report_s is None:
        findings.note("system", f"{text}; its gateway has never reported to Enphase")
    elif now_s - system.last_report_s > _OLD_S:
        age = describe_age(now_s - system.last_report_s)
        findings.note("system", f"{text}; its gateway reported {age}: look whether it reaches the internet")
    else:
        findings.confirm("system", f"{text}; its gateway reported {describe_age(now_s - system.last_report_s)}")
    _check_clocks(parts, findings)
    return True


def _check_clocks(parts: CloudParts, findings: Findings) -> None:
    ahead_s = parts.api.clock_offset_s
    if ahead_s is not None and abs(ahead_s) > TOLERANCE_S:
        way = "behind" if ahead_s > 0 else "ahead of"
        findings.note(
            "clock",
            f"this machine's clock is {describe_duration(ahead_s)} {way} Enphase's: set it, or the newest intervals "
            "are missed or refused",
        )


async def _check_type(
    parts: CloudParts, system_id: int, wanted: IntervalType, clock: Clock, findings: Findings
) -> None:
    name, end_s = wanted.name, find_quarter(clock.now_ms() / 1000)
    window = (end_s - _LOOK_BACK_S, end_s)
    try:
        answer = await ask_window(parts.api, system_id, wanted, window, from_reserve=True)
    except CloudPlanError as error:
        findings.fail(name, str(error))
    except CloudQuotaError as error:
        findings.note(name, f"not asked: {error}")
    except (CloudError, BadReplyError) as error:
        findings.note(name, str(error))
    else:
        if answer.is_absent:
            findings.note(name, "the system has no such devices; it is looked at once a day")
            return
        count = len(answer.amounts.intervals)
        lengths = f"{wanted.step_s // 60} minutes"
        findings.confirm(name, f"{count} interval(s) of {lengths} in the last {_LOOK_BACK_S // 60} minutes")


async def _check_link(parts: CloudParts, settings: ScraperSettings, findings: Findings) -> None:
    """Whether the system is that of the local gateway, where its serial is set here."""
    serial = settings.gateway.serial
    if serial is None:
        return
    try:
        answer = await parts.api.fetch("systems/retrieve_system_id", {"serial_num": serial}, from_reserve=True)
    except CloudRefusedError:
        findings.note("link", f"Enphase knows no system of this owner with the gateway {serial} (ENVOY_SERIAL)")
        return
    except CloudError as error:
        findings.note("link", str(error))
        return
    found = answer.get("system_id") if isinstance(answer, dict) else None
    if found == settings.cloud.system:
        findings.confirm("link", f"gateway {serial} belongs to this system: write that into the sites file")
    else:
        findings.note(
            "link", f"gateway {serial} (ENVOY_SERIAL) belongs to another system than ENVOY_CLOUD_SYSTEM names"
        )
