"""What `setup` makes, keeps and mends."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.units import DAY_S
from tests.influxd.server import ORG, Influxd
from tests.receiver.stores.influxdb_setup.conftest import Command

POINT = "inverter,gateway=g,inverter=i power=1 1700000000000"


def list_expiries(database: Influxd) -> dict[str, int]:
    found = database.call("GET", "/api/v2/buckets", org=ORG).json()["buckets"]
    return {bucket["name"]: bucket["retentionRules"][0]["everySeconds"] for bucket in found if bucket["type"] == "user"}


def list_shard_days(database: Influxd) -> dict[str, float]:
    found = database.call("GET", "/api/v2/buckets", org=ORG).json()["buckets"]
    rules = {bucket["name"]: bucket["retentionRules"][0] for bucket in found if bucket["type"] == "user"}
    return {name: rule["shardGroupDurationSeconds"] / DAY_S for name, rule in rules.items()}


def test_what_is_kept_without_limit_lies_in_few_shards(
    setup: Command, database: Influxd, monkeypatch: pytest.MonkeyPatch
):
    """Weeks, which InfluxDB would choose, are 260 shards in five years, and every long query opens them all."""
    setup()
    assert list_shard_days(database) == {"envoy": 30, "envoy_live": 1}
    monkeypatch.setenv("RECEIVER_METER_DAYS", "0")
    setup()
    assert list_shard_days(database) == {"envoy": 30, "envoy_live": 30}
    monkeypatch.setenv("RECEIVER_METER_DAYS", "365")
    setup()
    assert list_shard_days(database) == {"envoy": 30, "envoy_live": 7}
    monkeypatch.setenv("RECEIVER_METER_DAYS", "7")
    setup()
    assert list_shard_days(database) == {"envoy": 30, "envoy_live": 1}
    assert list_expiries(database) == {"envoy": 0, "envoy_live": 7 * DAY_S}
    assert "changed" not in setup().output


def test_a_bucket_of_before_gets_larger_shards(setup: Command, database: Influxd):
    database.onboard()
    database.make_bucket("envoy")
    assert list_shard_days(database)["envoy"] == 7
    setup()
    assert list_shard_days(database)["envoy"] == 30


def list_granted(database: Influxd) -> dict[str, dict[str, Any]]:
    found = database.call("GET", "/api/v2/authorizations").json()["authorizations"]
    ours = [known for known in found if known["description"].startswith("envoy-relay")]
    assert len({known["description"] for known in ours}) == len(ours)
    return {known["description"]: known for known in ours}


def call(database: Influxd, token: str, method: str, path: str, content: str = "", **parameters: str) -> httpx.Response:
    headers = {"authorization": f"Token {token}"}
    return httpx.request(method, f"{database.url}{path}", params=parameters, content=content, headers=headers)


def write(database: Influxd, token: str, bucket: str) -> int:
    return call(
        database, token, "POST", "/api/v2/write", POINT, org=ORG, bucket=bucket, precision="ms"
    ).status_code  # fmt: skip


def read(database: Influxd, token: str, bucket: str) -> bool:
    answer = call(database, token, "GET", "/query", db=bucket, q="SELECT power FROM inverter")
    return "series" in answer.json()["results"][0]


def test_a_new_server_gets_everything(setup: Command, database: Influxd, tokens: Path):
    said = setup().output
    assert "was new" in said
    assert list_expiries(database) == {"envoy": 0, "envoy_live": 90 * DAY_S}
    assert list(list_granted(database)) == ["envoy-relay receiver (bucket envoy)", "envoy-relay grafana (bucket envoy)"]
    assert tokens.stat().st_mode & 0o777 == 0o700
    assert {file.name: file.stat().st_mode & 0o777 for file in tokens.iterdir()} == {
        "receiver": 0o600,
        "grafana": 0o600,
    }


def test_the_tokens_may_do_their_work_and_nothing_else(setup: Command, database: Influxd, tokens: Path):
    setup()
    database.make_bucket("diary")
    assert database.call("POST", "/api/v2/write", org=ORG, bucket="diary", precision="ms").status_code == 204
    receiver, grafana = (tokens / "receiver").read_text(), (tokens / "grafana").read_text()
    for bucket in ("envoy", "envoy_live"):
        stamp = POINT if bucket == "envoy" else POINT.rsplit(" ", 1)[0]  # now: the live bucket forgets what is old
        answer = call(database, receiver, "POST", "/api/v2/write", stamp, org=ORG, bucket=bucket, precision="ms")
        assert answer.status_code == 204
        assert read(database, receiver, bucket)
        assert read(database, grafana, bucket)
        assert write(database, grafana, bucket) == 403
    for token in (receiver, grafana):
        assert write(database, token, "diary") == 403
        assert not read(database, token, "diary")
        assert call(database, token, "GET", "/api/v2/authorizations").json()["authorizations"] == []
        assert call(database, token, "GET", "/api/v2/users").json().get("users", []) == []
        assert call(database, token, "POST", "/api/v2/buckets", "{}").status_code in {400, 401, 403}
        names = call(database, token, "GET", "/api/v2/buckets", org=ORG).json()["buckets"]
        assert {bucket["name"] for bucket in names} == {"envoy", "envoy_live"}


def test_again_changes_nothing(setup: Command, database: Influxd, tokens: Path):
    setup()
    before = list_granted(database), {file.name: file.read_text() for file in tokens.iterdir()}
    said = setup().output
    assert (list_granted(database), {file.name: file.read_text() for file in tokens.iterdir()}) == before
    assert said.splitlines() == [
        "bucket: envoy is there, kept without limit",
        "bucket: envoy_live is there, kept for 90 days",
        f"token: {tokens}/receiver is good (may write and read)",
        f"token: {tokens}/grafana is good (may read)",
    ]


def _lose(file: Path, _: Influxd) -> None:
    file.unlink()


def _corrupt(file: Path, _: Influxd) -> None:
    file.write_bytes(b"\xff\xfe")


def _revoke(file: Path, database: Influxd) -> None:
    known = list_granted(database)["envoy-relay receiver (bucket envoy)"]
    database.call("DELETE", f"/api/v2/authorizations/{known['id']}")


def _deactivate(file: Path, database: Influxd) -> None:
    known = list_granted(database)["envoy-relay receiver (bucket envoy)"]
    database.call("PATCH", f"/api/v2/authorizations/{known['id']}", {"status": "inactive"})


def _swap_for_the_administrator(file: Path, database: Influxd) -> None:
    """A token that may do more than it should is wrong as well."""
    known = database.call("GET", "/api/v2/authorizations").json()["authorizations"]
    file.write_text(known[0]["token"])


@pytest.mark.parametrize("damage", [_lose, _corrupt, _revoke, _deactivate, _swap_for_the_administrator])
def test_a_token_that_is_lost_is_replaced_and_the_old_one_is_worthless(
    setup: Command, database: Influxd, tokens: Path, damage: Any
):
    setup()
    file = tokens / "receiver"
    old, grafana = file.read_text(), (tokens / "grafana").read_text()
    damage(file, database)
    said = setup().output
    assert "receiver is replaced" in said or "receiver is new" in said
    new = file.read_text()
    assert new != old
    assert write(database, new, "envoy") == 204
    assert write(database, old, "envoy") == 401
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tokens / "grafana").read_text() == grafana
    assert len(list_granted(database)) == 2


def test_open_permissions_are_closed_again(setup: Command, tokens: Path):
    setup()
    tokens.chmod(0o755)
    (tokens / "receiver").chmod(0o644)
    setup()
    assert [path.stat().st_mode & 0o777 for path in (tokens, tokens / "receiver")] == [0o700, 0o600]


def test_a_changed_expiry_is_put_right(setup: Command, database: Influxd):
    setup()
    assert (
        "envoy_live is changed, kept for 30 days (before: kept for 90 days)" in setup(RECEIVER_METER_DAYS="30").output
    )
    assert list_expiries(database) == {"envoy": 0, "envoy_live": 30 * DAY_S}
    setup(RECEIVER_METER_DAYS="0")
    assert list_expiries(database) == {"envoy": 0, "envoy_live": 0}


def test_a_server_that_others_set_up_keeps_what_they_have(setup: Command, database: Influxd, tokens: Path):
    """Also a bucket of ours that somebody let expire: its history must not go."""
    database.onboard()
    database.make_bucket("envoy", days=7)
    database.make_bucket("diary", days=5)
    said = setup().output
    assert "new; has the organisation" not in said
    assert list_expiries(database) == {"unused": 0, "diary": 5 * DAY_S, "envoy": 0, "envoy_live": 90 * DAY_S}
    assert write(database, (tokens / "receiver").read_text(), "envoy") == 204


def test_one_bucket_for_everything(setup: Command, database: Influxd, tokens: Path):
    said = setup(INFLUXDB_V2_BUCKET="solar", RECEIVER_LIVE_BUCKET="solar").output
    assert "cannot forget them by itself" in said
    assert list_expiries(database) == {"solar": 0}
    assert write(database, (tokens / "receiver").read_text(), "solar") == 204
    assert write(database, (tokens / "grafana").read_text(), "solar") == 403


def test_grafanas_token_lies_where_it_is_wanted(setup: Command, database: Influxd, tokens: Path):
    """And nothing else does: in containers Grafana mounts that folder."""
    setup()
    before, folder = (tokens / "grafana").read_text(), tokens.with_name("grafana-tokens")
    setup(GRAFANA_TOKENS_DIR=str(folder))
    assert [path.name for path in folder.iterdir()] == ["grafana"]
    assert (folder.stat().st_mode & 0o777, (folder / "grafana").stat().st_mode & 0o777) == (0o700, 0o600)
    assert write(database, (folder / "grafana").read_text(), "envoy") == 403
    assert write(database, (tokens / "receiver").read_text(), "envoy") == 204
    assert (folder / "grafana").read_text() != before, "the one that lay beside the receiver's is worthless"
    setup(fails=True, GRAFANA_TOKENS_DIR=str(folder / "grafana"))


def test_two_receivers_of_one_organisation_leave_each_others_tokens_alone(
    setup: Command, database: Influxd, tokens: Path
):
    setup()
    first = (tokens / "receiver").read_text()
    setup(INFLUXDB_V2_BUCKET="other", RECEIVER_TOKENS_DIR=f"{tokens}-other")
    assert write(database, first, "envoy") == 204
    assert write(database, first, "other") == 403
