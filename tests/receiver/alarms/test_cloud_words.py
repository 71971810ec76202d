"""Alarms of a system of the cloud speak of its approval, where they are shown and where they are sent."""

import asyncio

from typer.testing import CliRunner

from receiver.alarms.definitions import DEFINITIONS
from receiver.cli import app
from receiver.settings import ContactSettings
from tests.receiver.alarms.channels import run_channel, wait_until
from tests.receiver.alarms.watching import MINUTE_S, make_report, start
from tests.receiver.service import GATEWAY, Service

SYSTEM = "system-4711023"
LEFT_S = 12 * 86_400.0
COMMAND = "envoy-scraper cloud authorise"


async def pass_minutes_of_both(service: Service, minutes: int, left_s: float) -> None:
    """A gateway and a system of the cloud report what is left of their token and approval."""
    for _ in range(minutes):
        service.clock.advance(MINUTE_S)
        for serial in (GATEWAY, SYSTEM):
            await service.send(make_report(service.clock.ms, token_expires_in=left_s), serial=serial)
        await service.receiver.alarms.run_once()


async def test_an_approval_that_ends_is_told_as_one_and_a_token_as_a_token(tmp_path):
    async with run_channel() as webhook:
        contacts = ContactSettings(webhook_url=f"{webhook.url}/alarms")
        async with start(tmp_path / "state", contacts, gateways=(GATEWAY, SYSTEM)) as service:
            await pass_minutes_of_both(service, 12, LEFT_S)
            await wait_until(lambda: len(webhook.taken) == 2)
            (shown,) = (await service.get(f"/api/v1/gateways/{SYSTEM}/alarms")).json()
            (other,) = (await service.get(f"/api/v1/gateways/{GATEWAY}/alarms")).json()
            environment = {"RECEIVER_STATE_DIR": str(service.settings.state_dir)}
            printed = (await asyncio.to_thread(CliRunner().invoke, app, ["status"], env=environment)).output
    assert shown["values"] == {"left_s": LEFT_S}
    told = {one["gateway"]: one for one in webhook.list_documents()}
    for said in (shown, told[SYSTEM]):
        assert (said["alarm"], said["title"]) == ("token-expiring", "Approval expiring")
        assert said["reason"] == f"The approval of {SYSTEM} is good for 12 days more."
        assert COMMAND in said["advice"]
        words = f"{said['reason']} {said['advice']}".lower()
        assert not any(word in words for word in ("token", "gateway", "password"))
    assert told[SYSTEM]["advice"] in told[SYSTEM]["text"]
    assert f"firing   Approval expiring: {shown['reason']}" in printed
    assert COMMAND in printed
    for said in (other, told[GATEWAY]):
        assert said["title"] == "Token expiring"
        assert said["reason"].startswith(f"The token of gateway {GATEWAY} is good")
        assert COMMAND not in said["advice"]


async def test_the_end_is_told_of_the_approval_too(tmp_path):
    async with run_channel() as webhook:
        contacts = ContactSettings(webhook_url=f"{webhook.url}/alarms")
        async with start(tmp_path / "state", contacts, gateways=(GATEWAY, SYSTEM)) as service:
            await pass_minutes_of_both(service, 12, -5.0)
            await pass_minutes_of_both(service, 1, 30 * 86_400.0)
            await wait_until(lambda: len(webhook.taken) == 4)
    began, ended = (one for one in webhook.list_documents() if one["gateway"] == SYSTEM)
    assert began["reason"] == f"The approval of {SYSTEM} is not good any more."
    assert ended["title"] == "Approval expiring is over"


def test_other_alarms_have_the_same_words_for_both():
    of_their_own = {one.id for one in DEFINITIONS.values() if one.choose_words(SYSTEM) != one.choose_words(GATEWAY)}
    assert of_their_own == {"token-expiring"}
