"""What `envoy-receiver check` says of InfluxDB."""

from pathlib import Path

import pytest

from tests.influxd.server import Influxd
from tests.receiver.stores.influxdb_setup.conftest import Command

SENDERS = {"RECEIVER_SECRET": "canary-secret-7c1e94b05ad8f36229be014d7a", "RECEIVER_GATEWAYS": "122300001234"}


@pytest.fixture
def check(setup: Command, command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`envoy-receiver check` after `setup`, with free ports."""
    setup()
    for name, value in {**SENDERS, "RECEIVER_PORT": "0", "RECEIVER_STATUS_PORT": "0"}.items():
        monkeypatch.setenv(name, value)

    def call(*, fails: bool = False, **settings: str):
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        return command("check", fails=fails)

    return call


def list_failures(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("FAIL")]


def test_all_is_well_after_setup(check: Command, database: Influxd):
    said = check().output
    assert f"store: buckets envoy and envoy_live at {database.url} opens" in said
    assert "InfluxDB: the token may write and read the buckets, and their expiry is as set" in said


def test_another_expiry_than_the_settings_say_is_found(check: Command):
    (line,) = list_failures(check(fails=True, RECEIVER_METER_DAYS="30").output)
    assert "forgets after 90 days, but RECEIVER_METER_DAYS is 30: run `envoy-receiver setup`" in line


def test_a_main_bucket_that_forgets_is_found(check: Command, database: Influxd):
    known = database.call("GET", "/api/v2/buckets", name="envoy").json()["buckets"][0]
    rules = [{"type": "expire", "everySeconds": 7 * 86_400, "shardGroupDurationSeconds": 86_400}]
    database.call("PATCH", f"/api/v2/buckets/{known['id']}", {"retentionRules": rules})
    (line,) = list_failures(check(fails=True).output)
    assert "forgets after 7 days, energy and history with it" in line


def test_a_token_that_may_only_read_is_found(check: Command, tokens: Path):
    said = check(fails=True, INFLUXDB_V2_TOKEN_FILE=str(tokens / "grafana")).output
    assert "FAIL  InfluxDB: the token may not write to the bucket envoy" in said


def test_a_worthless_token_is_found(check: Command):
    said = check(fails=True, INFLUXDB_V2_TOKEN="canary-worthless").output
    assert "401: the token is wrong" in said


def test_no_token_yet_says_how_to_get_one(check: Command, tokens: Path):
    (tokens / "receiver").unlink()
    (line,) = list_failures(check(fails=True).output)
    assert "run `envoy-receiver setup`" in line


def test_a_database_that_is_gone_is_found(check: Command, database: Influxd):
    database.stop()
    said = check(fails=True).output
    assert f"InfluxDB at {database.url} cannot be reached" in said
