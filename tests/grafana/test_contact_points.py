"""Contact points exist only when their settings are complete, and never stop Grafana's start."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from grafana_foundation_sdk.models import alerting
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from grafana.generated import HERE
from receiver.cli import app
from receiver.contact_points import (
    FILE,
    build_document,
    dump_yaml,
    escape_dollar_signs,
    make_ntfy_channel,
    make_telegram_channel,
    make_webhook_channel,
    write_contact_points,
)
from shared.files import write_private
from tests.grafana.grafana_files import GrafanaWouldNotStartError, interpolate, load_contact_points

BOT = "123456:canary-bot-token"
TOKEN = "canary-tk-0123"
Setup = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "alerting"


@pytest.fixture
def setup(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """`envoy-receiver setup` with settings as arguments; it stores in SQLite, so only contact points are set up."""
    for name in [name for name in os.environ if name.startswith(("RECEIVER_", "INFLUXDB_", "GRAFANA_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def call(*, fails: bool = False, **settings: str) -> Result:
        known = {"RECEIVER_STATE_DIR": str(tmp_path / "state"), "GRAFANA_ALERTING_DIR": str(folder), **settings}
        result = CliRunner().invoke(app, ["setup"], env=known)
        assert bool(result.exit_code) == fails, result.output
        assert "canary" not in result.output
        return result

    return call


def test_nothing_set_writes_nothing(setup: Setup, folder: Path) -> None:
    assert "shown in Grafana only" in setup().output
    assert not (folder / FILE).exists()


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"TELEGRAM_BOT_TOKEN": BOT}, "TELEGRAM_CHAT_ID"),
        ({"TELEGRAM_CHAT_ID": "-100123"}, "TELEGRAM_BOT_TOKEN"),
        ({"NTFY_TOKEN": TOKEN}, "NTFY_URL"),
        ({"WEBHOOK_TOKEN": TOKEN}, "WEBHOOK_URL"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_half_set_says_in_one_sentence_what_is_missing(
    setup: Setup, folder: Path, given: dict[str, str], missing: str
) -> None:
    (name,) = given
    assert setup(fails=True, **given).output == (
        f"envoy-receiver: {name} is set without {missing}: set both, or neither\n"
    )
    assert not folder.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"NTFY_URL": "ntfy.sh/roof"},
        {"NTFY_URL": "https://ntfy.sh/"},
        {"NTFY_URL": "https://ntfy.sh/roof?tpl=1"},
        {"WEBHOOK_URL": "example.org"},
        {"WEBHOOK_URL": "https://[broken/"},
        {"TELEGRAM_BOT_TOKEN": BOT, "TELEGRAM_CHAT_ID": "my friends"},
    ],
    ids=str,
)
def test_what_cannot_be_right_is_named(setup: Setup, folder: Path, wrong: dict[str, str]) -> None:
    assert list(wrong)[-1] in setup(fails=True, **wrong).output
    assert not folder.exists()


def test_a_channel_without_a_place_for_its_file_is_named(setup: Setup) -> None:
    wanted = {"NTFY_URL": "https://n.org/a", "ALARM_SENDER": "grafana", "GRAFANA_ALERTING_DIR": ""}
    assert "GRAFANA_ALERTING_DIR is missing" in setup(fails=True, **wanted).output


def test_grafana_tells_nothing_where_the_receiver_does(setup: Setup, folder: Path) -> None:
    """Both would tell people everything twice."""
    assert "sent by the receiver" in setup(NTFY_URL="https://n.org/a", ALARM_SENDER="receiver").output
    assert not (folder / "contact-points.yaml").exists()
    setup(NTFY_URL="https://n.org/a")
    assert (folder / "contact-points.yaml").exists()
    setup(NTFY_URL="https://n.org/a", ALARM_SENDER="receiver")
    assert "deleteContactPoints" in (folder / "contact-points.yaml").read_text()


def test_complete_settings_become_what_grafana_loads(setup: Setup, folder: Path, tmp_path: Path) -> None:
    write_private(tmp_path / "bot", (BOT + "\n").encode())
    output = setup(
        NTFY_URL="https://ntfy.sh/roof/", NTFY_TOKEN=TOKEN,
        TELEGRAM_BOT_TOKEN_FILE="bot", TELEGRAM_CHAT_ID="-1001234567890",
        WEBHOOK_URL="https://example.org/a?b=$c",
    ).output  # fmt: skip
    assert "alarms: go to ntfy and telegram and webhook" in output
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    (one, two, three), (policy,) = load_contact_points(folder, {"c": "not this"})
    assert (one["uid"], one["settings"]["authorization_credentials"]) == ("envoy-ntfy", TOKEN)
    assert one["settings"]["url"] == (
        "https://ntfy.sh/roof?tpl=yes&title=%7B%7B.title%7D%7D&message=%7B%7B.message%7D%7D"
    )
    assert (two["settings"]["bottoken"], two["settings"]["chatid"]) == (BOT, "-1001234567890")
    assert three["settings"]["url"] == "https://example.org/a?b=$c"
    assert "authorization_credentials" not in three["settings"]
    assert policy["receiver"] == one["name"] == two["name"] == three["name"]
    assert "deleteContactPoints" not in yaml.safe_load((folder / FILE).read_text())


def test_a_channel_that_is_taken_away_is_forgotten_and_the_last_one_undone_once(setup: Setup, folder: Path) -> None:
    setup(NTFY_URL="https://ntfy.sh/roof", WEBHOOK_URL="https://example.org/")
    setup(NTFY_URL="https://ntfy.sh/roof")
    removed = yaml.safe_load((folder / FILE).read_text())["deleteContactPoints"]
    assert [one["uid"] for one in removed] == ["envoy-telegram", "envoy-webhook"]
    assert "forgets" in setup().output
    undone = yaml.safe_load((folder / FILE).read_text())
    assert undone["resetPolicies"] == [1]
    assert len(undone["deleteContactPoints"]) == 3
    assert load_contact_points(folder, {}) == ([], [])
    assert "shown in Grafana only" in setup().output
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(setup: Setup, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    output = setup(
        fails=True, NTFY_URL="https://ntfy.sh/roof", GRAFANA_ALERTING_DIR=str(tmp_path / "file/alerting")
    ).output
    assert "GRAFANA_ALERTING_DIR" in output


def test_running_it_again_changes_nothing(folder: Path) -> None:
    write_contact_points(folder, [make_ntfy_channel("https://ntfy.sh/roof")])
    before = (folder / FILE).read_bytes()
    write_contact_points(folder, [make_ntfy_channel("https://ntfy.sh/roof")])
    assert (folder / FILE).read_bytes() == before


@given(secret=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_a_secret_reaches_grafana_as_it_is(secret: str) -> None:
    """Dollar signs, quotes, colons: whatever YAML and Grafana's replacement would make of them."""
    made = build_document([escape_dollar_signs(make_webhook_channel("https://example.org/", secret))])
    read = interpolate(yaml.safe_load(dump_yaml(made)), {})
    (receiver,) = read["contactPoints"][0]["receivers"]
    assert receiver["settings"]["authorization_credentials"] == secret


def test_the_sdk_knows_every_key() -> None:
    made = build_document(
        [
            make_ntfy_channel("https://ntfy.sh/roof", TOKEN),
            make_telegram_channel(BOT, "1"),
            make_webhook_channel("https://example.org/"),
        ]
    )
    for receiver in made["contactPoints"][0]["receivers"]:
        assert alerting.ContactPoint.from_json(receiver).to_json() == receiver
    (policy,) = made["policies"]
    assert {"orgId": 1, **alerting.NotificationPolicy.from_json(policy).to_json()} == policy


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("ntfy", {"NTFY_URL": "https://ntfy.sh/roof", "NTFY_TOKEN": ""}),
        ("telegram", {"TELEGRAM_BOT_TOKEN": BOT, "TELEGRAM_CHAT_ID": "-100123"}),
        ("webhook", {"WEBHOOK_URL": "https://example.org/", "WEBHOOK_TOKEN": TOKEN}),
    ],
)
def test_the_templates_load_with_their_variables(name: str, environment: dict[str, str], folder: Path) -> None:
    folder.mkdir()
    (folder / "contact.yaml").write_text((HERE / f"contact-points/{name}.yaml").read_text())
    (receiver,), (policy,) = load_contact_points(folder, environment)
    assert receiver["uid"] == f"envoy-{name}"
    assert policy["receiver"] == receiver["name"]


@pytest.mark.parametrize("name", ["telegram", "webhook"])
def test_why_there_is_no_file_without_settings(name: str, folder: Path) -> None:
    """The same file with empty variables would stop Grafana's start."""
    folder.mkdir()
    (folder / "contact.yaml").write_text((HERE / f"contact-points/{name}.yaml").read_text())
    with pytest.raises(GrafanaWouldNotStartError):
        load_contact_points(folder, {})
