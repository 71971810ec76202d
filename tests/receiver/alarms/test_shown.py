"""Where alarms are shown: the API, the metrics, and `envoy-receiver status`."""

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from receiver.alarms.book_file import FILE, Standing, load_standing
from receiver.cli import app
from receiver.cli.status import describe_standing
from tests.clocks import NOW_MS
from tests.receiver.alarms.watching import MINUTE_S, pass_minutes, start
from tests.receiver.service import GATEWAY, OTHER, assert_problem, make_inverter


@pytest.fixture
async def service(tmp_path):
    async with start(tmp_path / "state") as running:
        yield running


async def run_status(environment):
    """In a thread, as the command has an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["status"], env=environment)


def ask(service, **kwargs):
    return service.get(f"/api/v1/gateways/{GATEWAY}/alarms", **kwargs)


async def test_an_alarm_is_answered_with_its_reason_its_beginning_and_what_to_do(service):
    await service.send(make_inverter("1"), serial=OTHER)
    await pass_minutes(service, 2, certificate_changed=1.0, token_expires_in=86_400.0)
    fired, pending = (await ask(service)).json()
    now = service.clock.ms
    assert (fired["alarm"], fired["state"], fired["severity"]) == ("certificate-changed", "firing", "critical")
    assert (fired["began"], fired["ended"], fired["judged"]) == (now - MINUTE_S * 1000, None, now)
    assert (fired["gateway"], fired["subject"]) == (GATEWAY, None)
    assert "pinned" in fired["reason"]
    assert "envoy-scraper trust" in fired["advice"]
    assert (pending["alarm"], pending["state"], pending["began"]) == ("token-expiring", "pending", None)
    assert "24 hours" in pending["reason"]
    assert (await service.get(f"/api/v1/gateways/{OTHER}/alarms")).json() == []
    await pass_minutes(service, 1, certificate_changed=0.0, token_expires_in=300 * 86_400.0)
    (ended,) = (await ask(service)).json()
    assert (ended["state"], ended["ended"]) == ("ended", service.clock.ms)


async def test_it_comes_as_a_table_too_and_only_when_something_is_new(service):
    await pass_minutes(service, 1, certificate_changed=1.0)
    answer = await service.get(f"/api/v1/gateways/{GATEWAY}/alarms?format=csv")
    assert answer.text.splitlines()[0].startswith("alarm,title,severity,gateway,subject,state,reason")
    assert len(answer.text.splitlines()) == 2


async def test_what_cannot_be_known_is_not_an_empty_list(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    (folder / FILE).mkdir()  # it can be neither read nor put aside by SQLite's means
    async with start(folder) as service:
        await service.send(make_inverter("1"))
        assert_problem(await ask(service), 503, "store-unavailable")


async def test_a_damaged_file_is_begun_again(tmp_path):
    async with start(tmp_path / "state") as service:
        await pass_minutes(service, 1, certificate_changed=1.0)
    (tmp_path / "state" / FILE).write_bytes(b"no database" * 1000)
    async with start(tmp_path / "state") as service:
        await pass_minutes(service, 1, certificate_changed=1.0)
        assert [one["state"] for one in (await ask(service)).json()] == ["firing"]
    assert (tmp_path / "state" / f"{FILE}.damaged").exists()


async def test_metrics_count_what_fires_and_say_when_it_was_judged(service):
    await pass_minutes(service, 1, certificate_changed=1.0)
    labels = {"alarm": "certificate-changed", "gateway": GATEWAY}
    assert service.read_metric("receiver_alarms_firing", **labels) == 1
    assert service.read_metric("receiver_alarms_judged_timestamp_seconds") == service.clock.ms / 1000
    await pass_minutes(service, 1, certificate_changed=0.0)
    assert service.read_metric("receiver_alarms_firing", **labels) == 0


async def test_a_scraper_tells_that_its_disk_is_nearly_full(service):
    """Five minutes of its reports; it ends with room, and nothing is said of a scraper that does not report it."""
    gib = 1024.0**3
    await pass_minutes(service, 7)
    assert (await ask(service)).json() == []
    await pass_minutes(service, 7, disk_free=0.4 * gib, disk_size=29 * gib)
    (fired,) = (await ask(service)).json()
    assert (fired["alarm"], fired["state"], fired["subject"]) == ("disk-nearly-full", "firing", "outbox")
    assert fired["gateway"] == GATEWAY
    assert "0.4 GiB (1.4%) are free on the disk of the scraper's outbox" in fired["reason"]
    await pass_minutes(service, 1, disk_free=9 * gib, disk_size=29 * gib)
    assert [one["state"] for one in (await ask(service)).json()] == ["ended"]


async def test_status_prints_times_of_the_sites_zone(service):
    """That of the sites file, else the gateway's own, which the store knows."""
    await pass_minutes(service, 1, certificate_changed=1.0, time_zone="Asia/Kolkata")
    environment = {"RECEIVER_STATE_DIR": str(service.settings.state_dir)}
    began = datetime.fromtimestamp(service.clock.ms / 1000, ZoneInfo("Asia/Kolkata"))
    output = (await run_status(environment)).output
    assert f"Since {began:%Y-%m-%d %H:%M} IST." in output


async def test_the_status_command_reads_beside_the_running_receiver(service, monkeypatch):
    environment = {"RECEIVER_STATE_DIR": str(service.settings.state_dir)}
    assert "nothing was judged" in (await run_status(environment)).output
    await pass_minutes(service, 1)
    result = await run_status(environment)
    assert result.exit_code == 0
    assert "alarms: none firing" in result.output
    assert "does the receiver run?" in result.output  # the test's clock stands years ago
    await pass_minutes(service, 1, certificate_changed=1.0)
    result = await run_status(environment)
    assert result.exit_code == 1
    assert f"firing   Certificate changed: Gateway {GATEWAY}" in result.output
    (first, *_) = describe_standing(load_standing(service.settings.state_dir / FILE), service.clock.ms + 60_000, {})
    assert first == "alarms: 1 firing"


def test_status_says_how_long_ago_it_was_in_human_words():
    (first, *_) = describe_standing(Standing({}, NOW_MS - 3 * 86_400_000), NOW_MS, {})
    assert first.startswith("alarms: last judged 3 days ago")
