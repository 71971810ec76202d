"""What `setup` says where it cannot do all of its work: one sentence that says what to do."""

from pathlib import Path

import pytest

from receiver.settings import InfluxDB
from receiver.stores.influxdb.setup import SetupError, check_version, set_up
from receiver.stores.influxdb.setup.steps import WAIT_S
from shared.files import write_private
from tests.clocks import StartingClock, StoppedClock
from tests.influxd.server import ADMIN_PASSWORD, ADMIN_TOKEN, ORG, Influxd
from tests.receiver.stores.influxdb_setup.conftest import Command
from tests.receiver.stores.influxdb_setup.test_setup import list_expiries

URL = "http://influxdb:8086"


def make_token_file(database: Influxd, tmp_path: Path, *, actions: tuple[str, ...] = ("read", "write")) -> str:
    """A token for one bucket, `solar`, in a file; the path of that file."""
    database.onboard()
    bucket, org = database.make_bucket("solar"), database.find_organisation()
    permissions = [
        {"action": action, "resource": {"type": "buckets", "id": bucket, "orgID": org}} for action in actions
    ]
    body = {"orgID": org, "description": "mine", "permissions": permissions}
    path = tmp_path / "mine"
    write_private(path, (database.call("POST", "/api/v2/authorizations", body).json()["token"]).encode())
    return str(path)


def test_a_ready_made_token_for_one_bucket_is_proved_and_what_is_missing_is_said(
    setup: Command, database: Influxd, tmp_path: Path, tokens: Path
):
    mine = make_token_file(database, tmp_path)
    without_admin = {"INFLUXDB_ADMIN_TOKEN_FILE": "", "INFLUXDB_V2_TOKEN_FILE": mine, "INFLUXDB_V2_BUCKET": "solar"}
    said = setup(fails=True, **without_admin).output
    assert "cannot read a bucket solar_live" in said
    assert "RECEIVER_LIVE_BUCKET=solar" in said
    assert setup(**without_admin, RECEIVER_LIVE_BUCKET="solar").output.splitlines() == [
        "bucket: solar can be written and read with INFLUXDB_V2_TOKEN",
        "not set up, for lack of INFLUXDB_ADMIN_TOKEN: expiry of the buckets, and a token for Grafana.",
        "Grafana: give it a token of its own that may only read solar.",
    ]
    assert not tokens.exists()
    assert list_expiries(database) == {"unused": 0, "solar": 0}


def test_a_ready_made_bucket_that_forgets_is_remarked(setup: Command, database: Influxd, tmp_path: Path):
    mine = make_token_file(database, tmp_path)
    known = database.call("GET", "/api/v2/buckets", name="solar").json()["buckets"][0]
    rules = [{"type": "expire", "everySeconds": 30 * 86_400}]
    database.call("PATCH", f"/api/v2/buckets/{known['id']}", {"retentionRules": rules})
    said = setup(
        INFLUXDB_ADMIN_TOKEN_FILE="", INFLUXDB_V2_TOKEN_FILE=mine, INFLUXDB_V2_BUCKET="solar",
        RECEIVER_LIVE_BUCKET="solar",
    ).output  # fmt: skip
    assert "remark: the bucket solar forgets after 30 days, energy and history with it" in said


def test_a_ready_made_token_that_may_not_write_is_refused(setup: Command, database: Influxd, tmp_path: Path):
    mine = make_token_file(database, tmp_path, actions=("read",))
    said = setup(
        fails=True, INFLUXDB_ADMIN_TOKEN_FILE="", INFLUXDB_V2_TOKEN_FILE=mine, INFLUXDB_V2_BUCKET="solar",
        RECEIVER_LIVE_BUCKET="solar",
    ).output  # fmt: skip
    assert said == (
        "envoy-receiver: the token may not write to the bucket solar: make one that may read and write it\n"
    )


def test_a_ready_made_token_that_may_not_read_is_refused(setup: Command, database: Influxd, tmp_path: Path):
    mine = make_token_file(database, tmp_path, actions=("write",))
    said = setup(
        fails=True, INFLUXDB_ADMIN_TOKEN_FILE="", INFLUXDB_V2_TOKEN_FILE=mine, INFLUXDB_V2_BUCKET="solar"
    ).output
    assert "the token cannot read a bucket solar in the organisation home" in said


def test_a_wrong_admin_token_is_one_sentence(setup: Command, database: Influxd, tmp_path: Path):
    database.onboard()
    write_private(tmp_path / "admin", b"canary-wrong")
    said = setup(fails=True).output
    assert said.count("\n") == 1
    assert "INFLUXDB_ADMIN_TOKEN" in said
    assert "401" in said


def test_a_wrong_organisation_is_named(setup: Command, database: Influxd):
    database.onboard()
    said = setup(fails=True, INFLUXDB_V2_ORG="elsewhere").output
    assert said.count("\n") == 1
    assert "elsewhere" in said


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ({"INFLUXDB_ADMIN_TOKEN_FILE": ""}, "is new: set INFLUXDB_ADMIN_PASSWORD_FILE and INFLUXDB_ADMIN_TOKEN_FILE"),
        ({"INFLUXDB_ADMIN_PASSWORD_FILE": ""}, "needs a password for its administrator"),
        ({"INFLUXDB_ADMIN_PASSWORD_FILE": "short"}, "8 to 72 characters"),
    ],
)
def test_a_new_server_without_its_secrets_says_which(
    setup: Command, tmp_path: Path, missing: dict[str, str], named: str
):
    write_private(tmp_path / "short", b"seven77")
    said = setup(fails=True, **missing).output
    assert named in said
    assert said.count("\n") == 1


def test_no_token_at_all_says_both_ways(setup: Command, database: Influxd):
    database.onboard()
    said = setup(fails=True, INFLUXDB_ADMIN_TOKEN_FILE="").output
    assert "INFLUXDB_ADMIN_TOKEN_FILE" in said
    assert "INFLUXDB_V2_TOKEN" in said


def test_tokens_that_cannot_be_written_are_no_secret_in_the_open(setup: Command, database: Influxd, tmp_path: Path):
    (tmp_path / "file").write_text("")
    said = setup(fails=True, RECEIVER_TOKENS_DIR=str(tmp_path / "file")).output
    assert "set RECEIVER_TOKENS_DIR" in said


def test_with_sqlite_there_is_nothing_to_set_up(command: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RECEIVER_STORE")
    assert "nothing to set up" in command("setup").output


def make_influxdb(database: Influxd, tokens: Path) -> InfluxDB:
    return InfluxDB(
        url=database.url, org=ORG, token=None, bucket="envoy", live_bucket="envoy_live", tokens_dir=tokens,
        admin_user="admin", admin_password=ADMIN_PASSWORD, admin_token=ADMIN_TOKEN,
    )  # fmt: skip


async def test_a_database_that_starts_later_is_waited_for(database: Influxd, tokens: Path):
    database.stop()

    def start() -> None:
        if database.process is None:
            database.start()

    said = [sentence async for sentence in set_up(make_influxdb(database, tokens), 90, StartingClock(start))]
    assert said[0] == f"waiting for InfluxDB at {database.url} ..."
    assert (tokens / "receiver").exists()


async def test_a_database_that_never_starts_is_given_up_with_a_sentence(database: Influxd, tokens: Path):
    database.stop()
    clock = StartingClock()
    with pytest.raises(SetupError, match="cannot be reached"):
        [sentence async for sentence in set_up(make_influxdb(database, tokens), 90, clock)]
    assert clock.monotonic() - StoppedClock().monotonic() == WAIT_S


async def test_a_failure_of_tls_is_not_waited_for(database: Influxd, tokens: Path):
    """No wait makes a certificate valid, or plain http into https."""
    clock = StartingClock()
    url = database.url.replace("http:", "https:")
    https = make_influxdb(database, tokens).model_copy(update={"url": url})
    with pytest.raises(
        SetupError, match=r"cannot be reached \(TLS failed: it does not speak it at that port\): start it"
    ):
        [sentence async for sentence in set_up(https, 90, clock)]
    assert clock.monotonic() == StoppedClock().monotonic()


@pytest.mark.parametrize("version", ["v2.7.12", "2.7.0", "dev", ""])
def test_the_tested_version_is_no_news(version: str):
    assert check_version(version, URL) is None


def test_another_version_is_said_and_another_language_refused():
    assert check_version("v2.8.1", URL) == "remark: this is InfluxDB 2.8.1; tested is 2.7"
    for version in ("1.8.10", "v3.2.0"):
        with pytest.raises(SetupError, match=r"only InfluxDB 2\.7 is supported: run that"):
            check_version(version, URL)
