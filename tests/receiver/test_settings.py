"""Settings: what is wrong is said at start, by name and with a remedy, and never with the value."""

from pathlib import Path

import pytest

from receiver import settings
from receiver.errors import ReceiverSettingError
from receiver.settings import InfluxDB, ReceiverSettings, Sqlite
from receiver.settings.declarations import DEMO_SECRET
from shared.files import write_private

SECRET = "canary-secret-7c1e94b05ad8f36229be014d7a"


@pytest.fixture(autouse=True)
def _empty_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """No `.env` of the developer and no setting of this shell."""
    import os  # noqa: PLC0415

    for name in [name for name in os.environ if name.startswith(("RECEIVER_", "INFLUXDB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_nothing_need_be_set():
    loaded = settings.load()
    assert (loaded.host, loaded.port) == ("127.0.0.1", 8000)
    assert (loaded.status_host, loaded.status_port) == ("127.0.0.1", 8002)
    assert loaded.store == Sqlite(loaded.state_dir / "readings.sqlite")
    assert loaded.keys_file == loaded.state_dir / "keys"


def test_the_environment_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECEIVER_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("RECEIVER_STORE", f"sqlite:///{tmp_path}/store.sqlite")
    monkeypatch.setenv("RECEIVER_SECRET", SECRET)
    monkeypatch.setenv("RECEIVER_GATEWAYS", "122300001234, 122300005678,")
    monkeypatch.setenv("RECEIVER_TRUSTED_PROXIES", "10.0.0.1")
    loaded = settings.load()
    assert loaded.store == Sqlite(tmp_path / "store.sqlite")
    assert loaded.secret == SECRET.encode()
    assert loaded.gateways == ("122300001234", "122300005678")
    assert loaded.trusted_proxies == ("10.0.0.1",)
    assert SECRET not in repr(loaded)


def test_env_file_and_secret_file_are_read(tmp_path: Path):
    write_private(tmp_path / "secret", (SECRET + "\n").encode())
    (tmp_path / ".env").write_text("ENVOY_HOST=envoy.local\nRECEIVER_SECRET_FILE=secret\nRECEIVER_GATEWAYS=1\n")
    assert settings.load().secret == SECRET.encode()


def test_influxdb_is_chosen_by_name_and_has_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECEIVER_STORE", "influxdb")
    monkeypatch.setenv("RECEIVER_STATE_DIR", str(tmp_path))
    loaded = settings.load()
    assert loaded.meter_days == 90
    assert isinstance(loaded.store, InfluxDB)
    assert loaded.store.model_dump() == {
        "url": "http://127.0.0.1:8086", "org": "home", "token": None, "bucket": "envoy", "live_bucket": "envoy_live",
        "tokens_dir": tmp_path / "tokens", "grafana_tokens_dir": tmp_path / "tokens", "admin_user": "admin", "admin_password": None, "admin_token": None,
    }  # fmt: skip


def test_the_settings_of_influxdb_are_read_and_their_secrets_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_private(tmp_path / "password", b"canary-password\n")
    (tmp_path / ".env").write_text(
        "RECEIVER_STORE=influxdb\nRECEIVER_LIVE_BUCKET=solar\nRECEIVER_METER_DAYS=0\nINFLUXDB_V2_URL=https://db/influx/\n"
        "INFLUXDB_V2_ORG=o\nINFLUXDB_V2_BUCKET=solar\nINFLUXDB_V2_TOKEN=canary-token\n"
        "INFLUXDB_ADMIN_PASSWORD_FILE=password\nINFLUXDB_ADMIN_TOKEN=canary-admin\n"
    )
    loaded = settings.load()
    assert loaded.meter_days == 0
    assert isinstance(loaded.store, InfluxDB)
    assert (loaded.store.url, loaded.store.org) == ("https://db/influx", "o")
    assert (loaded.store.bucket, loaded.store.live_bucket) == ("solar", "solar")
    assert loaded.store.token == "canary-token"
    assert loaded.store.admin_password == "canary-password"
    assert "canary" not in repr(loaded)


@pytest.mark.parametrize("named", [False, True])
def test_the_token_that_setup_wrote_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, named: bool):
    """Also before it was written: `setup` itself reads these settings."""
    tokens = tmp_path / "tokens"
    monkeypatch.setenv("RECEIVER_STORE", "influxdb")
    monkeypatch.setenv("RECEIVER_TOKENS_DIR", str(tokens))
    if named:
        monkeypatch.setenv("INFLUXDB_V2_TOKEN_FILE", str(tokens / "receiver"))
    before = settings.load().store
    tokens.mkdir()
    write_private(tokens / "receiver", b"canary\n")
    after = settings.load().store
    assert isinstance(before, InfluxDB)
    assert isinstance(after, InfluxDB)
    assert (before.token, after.token) == (None, "canary")


def test_what_kubernetes_adds_by_itself_is_no_setting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECEIVER_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("RECEIVER_PORT_8000_TCP", "tcp://10.0.0.1:8000")
    settings.load()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"RECEIVER_SECRET": "canary-short", "RECEIVER_GATEWAYS": "1"}, "RECEIVER_SECRET is shorter than 32 bytes.*openssl"),
        ({"RECEIVER_READ_SECRET": "canary-short"}, "RECEIVER_READ_SECRET is shorter than 32 bytes"),
        ({"RECEIVER_READ_SECRET": "ab" * 32}, "RECEIVER_READ_SECRET is easy to guess: it repeats itself"),
        (
            {"RECEIVER_SECRET": SECRET, "RECEIVER_READ_SECRET": SECRET, "RECEIVER_GATEWAYS": "1"},
            "RECEIVER_READ_SECRET equals RECEIVER_SECRET",
        ),
        ({"RECEIVER_SECRET": DEMO_SECRET.decode(), "RECEIVER_GATEWAYS": "1"}, "published secret of the demo"),
        ({"RECEIVER_READ_SECRET": DEMO_SECRET.decode()}, "published secret of the demo"),
        ({"RECEIVER_SECRET": SECRET}, "RECEIVER_SECRET is set without RECEIVER_GATEWAYS"),
        ({"RECEIVER_GATEWAYS": "1"}, "RECEIVER_GATEWAYS is set without RECEIVER_SECRET"),
        ({"RECEIVER_SECRET": SECRET, "RECEIVER_GATEWAYS": "canary;1"}, "RECEIVER_GATEWAYS must be serial numbers"),
        ({"RECEIVER_SECRET_FILE": "/nowhere/secret"}, "RECEIVER_SECRET_FILE: /nowhere/secret cannot be read"),
        ({"RECEIVER_STORE": "postgres://canary@db"}, "RECEIVER_STORE must be influxdb, or look like sqlite:///PATH"),
        ({"RECEIVER_METER_DAYS": "-1"}, "RECEIVER_METER_DAYS must be a whole number from 0 to 36500$"),
        ({"RECEIVER_STORE": "influxdb", "INFLUXDB_V2_URL": "influxdb:8086"}, "INFLUXDB_V2_URL must look like http://"),
        ({"RECEIVER_STORE": "influxdb", "INFLUXDB_V2_URL": "http://a:canary@db"}, "INFLUXDB_V2_URL .* without a password"),
        ({"RECEIVER_STORE": "influxdb", "INFLUXDB_V2_URL": "http://db:canary"}, "INFLUXDB_V2_URL must look like"),
        ({"RECEIVER_STORE": "influxdb", "INFLUXDB_V2_TOKEN_FILE": "/nowhere/t"}, "INFLUXDB_V2_TOKEN_FILE: /nowhere/t cannot"),
        ({"RECEIVER_STORE": "influxdb", "INFLUXDB_V2_TOKEN_FILE": "/dev/null"}, "INFLUXDB_V2_TOKEN_FILE: /dev/null is empty"),
        ({"RECEIVER_STORE": "influxdb", "INFLUXDB_ADMIN_TOKEN_FILE": "/nowhere/t"}, "INFLUXDB_ADMIN_TOKEN_FILE: "),
        ({"RECEIVER_OPEN_LIVE": "canary"}, "RECEIVER_OPEN_LIVE must be networks separated by commas"),
        ({"RECEIVER_PUBLIC_URL": "relay.canary"}, "RECEIVER_PUBLIC_URL must look like https://"),
        ({"RECEIVER_PUBLIC_URL": "https://a:canary@relay"}, "RECEIVER_PUBLIC_URL .* without user name, password"),
        ({"RECEIVER_PORT": "99999"}, "RECEIVER_PORT must be a whole number from 0 to 65535$"),
        ({"RECEIVER_PORT": "canary"}, "RECEIVER_PORT must be a whole number from 0 to 65535$"),
        ({"RECEIVER_PORT": "tcp://10.0.0.1:8000"}, "enableServiceLinks: false"),
        ({"RECEIVER_LOG_LEVEL": "canary"}, "RECEIVER_LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR$"),
        ({"RECEIVER_DOCS": "canary"}, "RECEIVER_DOCS must be true or false$"),
        ({"RECEIVER_GATEWAY_RATE": "canary"}, "RECEIVER_GATEWAY_RATE must be a number of at least 1$"),
        ({"RECEIVER_SECERT": "canary"}, "RECEIVER_SECERT is no setting.*did you mean RECEIVER_SECRET?"),
        ({"RECEIVER_XYZZY": "canary"}, "RECEIVER_XYZZY is no setting of the receiver: remove it; .env.example lists"),
        ({"INFLUXDB_V2_TOKN": "canary"}, "INFLUXDB_V2_TOKN is no setting of the receiver: did you mean INFLUXDB_V2_TOKEN?"),
        ({"INFLUXDB_TOKEN": "canary"}, "INFLUXDB_TOKEN is no setting of the receiver: did you mean INFLUXDB_V2_TOKEN?"),
        ({"NTFY_ULR": "canary"}, "NTFY_ULR is no setting of the receiver: did you mean NTFY_URL?"),
        ({"WEBHOOK_ULR": "canary"}, "did you mean WEBHOOK_URL?"),
        ({"GRAFANA_TOKENS_DRI": "canary"}, "did you mean GRAFANA_TOKENS_DIR?"),
        ({"RECIEVER_PORT": "canary"}, "RECIEVER_PORT is no setting of the receiver: did you mean RECEIVER_PORT?"),
    ],
)  # fmt: skip
def test_problems_name_the_setting_and_the_remedy(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], message: str
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ReceiverSettingError, match=message) as error:
        settings.load()
    assert "canary" not in str(error.value)


def test_a_choice_that_may_be_left_out_names_its_values(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECEIVER_LINES_DIALECT", "canary")
    wanted = (
        "RECEIVER_LINES_DIALECT must be one of influxdb1, influxdb2, influxdb3, victoriametrics, questdb, telegraf$"
    )
    with pytest.raises(ReceiverSettingError, match=wanted):
        settings.load_outputs()


NOBODY = "~canary-nobody/x"


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"RECEIVER_STATE_DIR": NOBODY}, "RECEIVER_STATE_DIR"),
        ({"RECEIVER_STATE_DIR": NOBODY, "RECEIVER_STORE": "influxdb"}, "RECEIVER_STATE_DIR"),
        ({"RECEIVER_STORE": f"sqlite:///{NOBODY}"}, "RECEIVER_STORE"),
        ({"RECEIVER_KEYS_FILE": NOBODY}, "RECEIVER_KEYS_FILE"),
        ({"RECEIVER_SITES_FILE": NOBODY}, "RECEIVER_SITES_FILE"),
        ({"RECEIVER_SECRET_FILE": NOBODY}, "RECEIVER_SECRET_FILE"),
        ({"RECEIVER_STORE": "influxdb", "RECEIVER_TOKENS_DIR": NOBODY}, "RECEIVER_TOKENS_DIR"),
        ({"RECEIVER_STORE": "influxdb", "INFLUXDB_V2_TOKEN_FILE": NOBODY}, "INFLUXDB_V2_TOKEN_FILE"),
    ],
)
def test_the_home_of_a_user_who_does_not_exist_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], name: str
):
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(ReceiverSettingError) as error:
        settings.load()
    assert str(error.value) == (
        f"{name} begins with ~ or is not set, and there is no such home directory here: set it to a whole path"
    )


def test_a_process_without_a_home_hears_which_setting_to_set(monkeypatch: pytest.MonkeyPatch):
    """The default of a container whose user has no name."""
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    with pytest.raises(ReceiverSettingError, match="RECEIVER_STATE_DIR begins with ~ or is not set"):
        settings.load()


def test_a_misspelt_setting_in_dotenv_is_refused(tmp_path: Path):
    (tmp_path / ".env").write_text("RECEIVER_SECRT=canary\n")
    with pytest.raises(ReceiverSettingError, match="did you mean RECEIVER_SECRET"):
        settings.load()


def test_a_setting_of_a_contact_is_refused_where_it_is_misspelt(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TELEGRAM_CHATID", "canary")
    for load in (settings.load, settings.load_contacts):
        with pytest.raises(ReceiverSettingError, match="did you mean TELEGRAM_CHAT_ID"):
            load()


@pytest.mark.parametrize(
    "name",
    ["INFLUXDB_HTTP_AUTH_ENABLED", "INFLUXDB_DB", "INFLUXDB_USER", "INFLUXDB_PASSWORD", "INFLUXDB_V2_TIMEOUT",
     "INFLUXD_ENGINE_PATH", "INFLUX_TOKEN", "SMTP_HOST", "SMTP_PORT", "NTFY_TOPIC", "GF_SMTP_USER", "RELAY_TLS"],
)  # fmt: skip
def test_a_setting_of_another_program_is_not_refused(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv(name, "1")
    monkeypatch.setenv("NTFY_PORT_80_TCP", "tcp://10.0.0.1:80")  # by Kubernetes, for a service
    settings.load()
    settings.load_contacts()


def test_the_parts_read_no_environment(monkeypatch: pytest.MonkeyPatch):
    """The declarations are plain models: only `load` looks into the environment."""
    monkeypatch.setenv("RECEIVER_PORT", "9")
    assert ReceiverSettings().port == 8000
    assert settings.load().port == 9


def test_the_page_is_where_the_receiver_listens_unless_a_public_address_is_told(monkeypatch: pytest.MonkeyPatch):
    assert settings.load().public_url == "http://127.0.0.1:8000"
    monkeypatch.setenv("RECEIVER_HOST", "0.0.0.0")  # noqa: S104 (nothing listens here)
    assert settings.load().public_url == "http://127.0.0.1:8000"
    monkeypatch.setenv("RECEIVER_PUBLIC_URL", "https://relay.example.org/envoy/")
    assert settings.load().public_url == "https://relay.example.org/envoy"


def test_a_default_that_rests_on_a_wrong_setting_adds_no_riddle(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECEIVER_PORT", "99999")
    with pytest.raises(ReceiverSettingError) as error:
        settings.load()
    assert str(error.value).splitlines() == ["RECEIVER_PORT must be a whole number from 0 to 65535"]
