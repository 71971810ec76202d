"""Alarms are told once when they begin and once when they end, whatever ends the receiver in between."""

import asyncio

import pytest

from receiver.settings import ContactSettings
from receiver.stores.base import StoreUnavailableError
from tests.clocks import StoppedClock
from tests.fake_http import CannedReply
from tests.receiver.alarms.channels import run_channel, wait_until
from tests.receiver.alarms.watching import list_alarms, make_report, pass_minutes, start


async def wait_for(channel, count: int) -> None:
    await wait_until(lambda: len(channel.taken) >= count)


@pytest.fixture
async def ntfy():
    async with run_channel() as channel:
        yield channel


@pytest.fixture
async def webhook():
    async with run_channel() as channel:
        yield channel


def make_contacts(ntfy, webhook) -> ContactSettings:
    return ContactSettings(ntfy_url=f"{ntfy.url}/roof", webhook_url=f"{webhook.url}/alarms", webhook_token="w-token")


async def test_ten_restarts_in_between_send_nothing_twice(tmp_path, ntfy, webhook):
    clock, contacts = StoppedClock(), make_contacts(ntfy, webhook)
    async with start(tmp_path / "state", contacts, clock) as service:
        await service.send(make_report(clock.ms))
        await pass_minutes(service, 19, report=False)
    for _ in range(5):  # while it is pending ...
        async with start(tmp_path / "state", contacts, clock) as service:
            await pass_minutes(service, 1, report=False)
    await wait_for(ntfy, 1)
    await wait_for(webhook, 1)
    for _ in range(5):  # ... and while it fires
        async with start(tmp_path / "state", contacts, clock) as service:
            assert await list_alarms(service) == [("scraper-silent", "firing")]
            await pass_minutes(service, 2, report=False)
    async with start(tmp_path / "state", contacts, clock) as service:
        await pass_minutes(service, 3)
        await wait_for(ntfy, 2)
        await wait_for(webhook, 2)
        assert await list_alarms(service) == [("scraper-silent", "ended")]
    for _ in range(3):
        async with start(tmp_path / "state", contacts, clock) as service:
            await pass_minutes(service, 2)
            await asyncio.sleep(0.05)
    assert [one.headers["x-title"] for one in ntfy.requests] == ["Scraper silent", "Scraper silent is over"]
    assert [one["turn"] for one in webhook.list_documents()] == ["began", "ended"]
    assert len(webhook.requests) == 2


async def test_a_webhook_gets_all_that_is_known(tmp_path, ntfy, webhook):
    async with start(tmp_path / "state", make_contacts(ntfy, webhook)) as service:
        await pass_minutes(service, 1, certificate_changed=1.0)
        await wait_for(webhook, 1)
    (request,) = webhook.taken
    (document,) = webhook.list_documents()
    assert request.headers["authorization"] == "Bearer w-token"
    assert request.headers["idempotency-key"] == document["id"]
    assert (document["alarm"], document["severity"]) == ("certificate-changed", "critical")
    assert "envoy-scraper trust" in document["advice"]


@pytest.mark.parametrize("status", [500, 429, 401, 301])
async def test_a_refused_message_is_sent_again_and_holds_up_no_other_channel(tmp_path, ntfy, webhook, status):
    ntfy.replies = [CannedReply(status)] * 2
    async with start(tmp_path / "state", make_contacts(ntfy, webhook)) as service:
        await pass_minutes(service, 1, certificate_changed=1.0)
        await wait_for(webhook, 1)
        assert not ntfy.taken
    async with start(tmp_path / "state", make_contacts(ntfy, webhook), service.clock):
        await wait_until(lambda: len(ntfy.requests) >= 2)
    async with start(tmp_path / "state", make_contacts(ntfy, webhook), service.clock):
        await wait_for(ntfy, 1)
    assert len({one.headers["x-sequence-id"] for one in ntfy.requests}) == 1
    assert len(webhook.requests) == 1


async def test_without_contacts_alarms_are_shown_alone(tmp_path):
    async with start(tmp_path / "state") as service:
        await pass_minutes(service, 1, certificate_changed=1.0)
        assert await list_alarms(service) == [("certificate-changed", "firing")]


async def test_a_store_that_is_away_changes_no_alarm(tmp_path, monkeypatch):
    async with start(tmp_path / "state") as service:
        await pass_minutes(service, 1, certificate_changed=1.0)

        async def fail(*_args, **_kwargs):
            raise StoreUnavailableError("it is away")

        with monkeypatch.context() as patch:
            patch.setattr(service.receiver.store, "read_latest", fail)
            await pass_minutes(service, 30, report=False)
        assert await list_alarms(service) == [("certificate-changed", "firing")]
        await pass_minutes(service, 1, certificate_changed=0.0)
        assert await list_alarms(service) == [("certificate-changed", "ended")]
