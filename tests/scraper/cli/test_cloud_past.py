"""`envoy-scraper cloud import` and `cloud streams`, as their users type them, over real sockets."""

import datetime as dt
import json

import pytest

from scraper.outbox.thread import OutboxThread
from shared.clock import SystemClock
from shared.wire import decode_reading
from simulator.server import Simulator
from tests.scraper.cloud.simulated_cloud import approve
from tests.scraper.commands import SECRET, CommandLine


@pytest.fixture
async def sim():
    async with Simulator("firmware-8") as running:
        yield running


@pytest.fixture
def command_line(sim, tmp_path):
    application = sim.cloud.oauth.application
    approve(sim, tmp_path / "edge")
    return CommandLine(
        tmp_path,
        {
            "SSL_CERT_FILE": str(sim.cloud.ca_file),
            "ENVOY_SOURCE": "cloud",
            "ENVOY_CLOUD_SYSTEM": "4711023",
            "ENVOY_CLOUD_API_URL": sim.cloud.url,
            "ENVOY_CLOUD_API_KEY": application.api_key,
            "ENVOY_CLOUD_CLIENT_ID": application.client_id,
            "ENVOY_CLOUD_CLIENT_SECRET": application.client_secret,
            "ENVOY_STATE_DIR": str(tmp_path / "edge"),
            "ENVOY_RECEIVER_URL": "http://127.0.0.1:1",
            "ENVOY_RECEIVER_SECRET": SECRET,
        },
    )


async def list_waiting(state_dir):
    """The readings that wait in the outbox."""
    outbox = OutboxThread()
    await outbox.open(state_dir / "outbox.sqlite", quota_bytes=2**30, clock=SystemClock())
    try:
        return [decode_reading(row.payload) for row in await outbox.read_oldest(10**6, 10**9)]
    finally:
        await outbox.close()


def name_days(sim, first, last):
    today = dt.datetime.now(sim.cloud.api.records.zone).date()
    days = [(today - dt.timedelta(days=ago)).isoformat() for ago in (first, last)]
    return "--from", days[0], "--to", days[1]


async def test_an_import_says_what_it_costs_stops_at_its_share_and_goes_on(command_line, sim, tmp_path):
    days = name_days(sim, 2, 1)
    first = await command_line.run_command("cloud", "import", *days, "--calls", "1")
    assert first.status == 0, first.text
    assert "Up to 5 calls (2 if the cloud gives a week in one) are needed; " in first.find("are needed")
    assert "at most 1 are made now" in first.text
    assert "Up to 1 calls are left to make" in first.text
    second = await command_line.run_command("cloud", "import", *days)
    assert "Up to 1 calls are needed" in second.text
    assert "are left to make" not in second.text
    third = await command_line.run_command("cloud", "import", *days, "--types", "met")
    assert "0 calls are needed" in third.text
    rows = [row for row in await list_waiting(tmp_path / "edge") if row.kind == "interval"]
    assert len({(row.series, row.timestamp) for row in rows}) == len(rows)
    assert len(rows) in {2 * (288 + 4 * 96) + change for change in (-56, 0, 56)}, "days of 23 to 25 hours"


async def test_an_import_that_is_killed_goes_on_and_commits_nothing_twice(command_line, sim, tmp_path):
    arguments = ("cloud", "import", *name_days(sim, 8, 1), "--types", "met")
    process = await command_line._start("scraper", *arguments)
    while not (line := (await process.stdout.readline()).decode()).startswith("met until"):
        assert line, "it ended"
    process.kill()
    await process.wait()
    again = await command_line.run_command(*arguments)
    assert again.status == 0, again.text
    assert "are left to make" not in again.text
    rows = [row for row in await list_waiting(tmp_path / "edge") if row.kind == "interval"]
    ends = sorted(row.timestamp for row in rows if row.tags["phase"] == "total")
    assert ends == list(range(ends[0], ends[-1] + 1, 900_000))
    assert len(ends) in {8 * 96 + change for change in (-4, 0, 4)}
    assert len({(row.series, row.timestamp) for row in rows}) == len(rows)
    assert sum("rgm_stats" in path for _, path, _ in sim.cloud.requests) <= 3


async def test_what_was_typed_wrong_is_said_and_costs_no_call(command_line, sim, tmp_path):
    for arguments, words in (
        (("--from", "soon", "--to", "2026-01-01"), "--from must be a day"),
        (("--from", "2026-02-01", "--to", "2026-01-01"), "--from lies after --to"),
        (("--from", "2999-02-01", "--to", "2999-03-01"), "--from lies in the future"),
        (("--from", "2026-01-01", "--to", "2026-01-01", "--types", "sun"), "--types"),
    ):
        outcome = await command_line.run_command("cloud", "import", *arguments)
        assert (outcome.status, words in outcome.text) == (2, True), outcome.text
    missing = await command_line.run_command("cloud", "streams")
    assert (missing.status, "--config" in missing.text) == (2, True)
    assert [path for _, path, _ in sim.cloud.requests if "api/v4" in path] == []


async def test_browsing_shows_systems_and_the_references_of_their_values(command_line):
    shown = await command_line.run_command("cloud", "streams", "--browse")
    document = json.loads(shown.text)
    assert document["systems"][0]["metadata"]["lastSeenAt"].endswith("Z")
    assert {"reference": "/4711023/inv/sys/W", "name": "Active power"} in document["devices of 4711023"]
