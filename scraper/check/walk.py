"""The whole way, step by step."""

from scraper.check.cloud import check_cloud
from scraper.check.edge import check_clock, check_outbox, check_state
from scraper.check.findings import Findings, Say
from scraper.check.gateway import check_gateway
from scraper.check.receiver import check_receiver
from scraper.gateway.session import GatewaySession
from scraper.service.build import make_gateway_options
from scraper.service.startup import BUILT_MS, OUTBOX_FILE
from scraper.settings import ScraperSettings
from shared.clock import Clock


async def walk(settings: ScraperSettings, clock: Clock, say: Say) -> bool:
    """Check everything that `run` needs; True if it could run and deliver."""
    findings = Findings(say)
    check_clock(clock, BUILT_MS, findings)
    if check_state(settings, findings):
        check_outbox(settings.state_dir / OUTBOX_FILE, settings, clock, findings)
    if settings.source == "cloud":
        serial = await check_cloud(settings, clock, findings)
    else:
        serial = await _check_gateway(settings, clock, findings)
    if serial is None:
        whose = "the system" if settings.source == "cloud" else "the gateway's serial"
        findings.note("receiver", f"not asked, because {whose} is not known yet")
    else:
        await check_receiver(settings, serial, clock, findings)
    return not findings.failed


async def _check_gateway(settings: ScraperSettings, clock: Clock, findings: Findings) -> str | None:
    gateway = GatewaySession(make_gateway_options(settings), clock)
    try:
        return await check_gateway(gateway, settings, clock, findings) or settings.gateway.serial
    finally:
        await gateway.aclose()
