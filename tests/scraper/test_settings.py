"""Settings: every mistake names the setting and the remedy, and never the value."""

import os
import subprocess
import sys

import pytest

from scraper import settings
from scraper.errors import ScraperSettingError
from scraper.service.cloud_parts import make_cloud_parts
from shared.clock import SystemClock
from shared.files import write_private

SECRET = "canary-secret-2f9d8e6b0c47a153d2b68f9e0a7"


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """No setting of the machine leaks into a test."""
    for name in list(os.environ):
        if name.startswith("ENVOY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("scraper.settings.loading.is_in_container", lambda: False)


def load(monkeypatch, **values):
    for name, value in values.items():
        monkeypatch.setenv(f"ENVOY_{name}", value)
    return settings.load()


def test_the_defaults_need_no_setting(monkeypatch):
    """A person can run `check` before configuring anything."""
    loaded = load(monkeypatch)
    assert loaded.gateway.host is None
    assert loaded.receiver is None
    assert (loaded.inverter_interval, loaded.meter_source, loaded.post_interval) == (60, "auto", 10)


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"INVERTER_INTERVAL": "1"}, "ENVOY_INVERTER_INTERVAL"),
        ({"METER_SOURCE": "canary"}, "ENVOY_METER_SOURCE"),
        ({"SERIAL": "../canary"}, "ENVOY_SERIAL"),
        ({"TLS_FINGERPRINT": "canary"}, "ENVOY_TLS_FINGERPRINT"),
        ({"STATUS_PORT": "canary"}, "ENVOY_STATUS_PORT"),
        ({"CLOUD_URL": "http://enlighten.example"}, "ENVOY_CLOUD_URL must begin with https"),
        ({"CLOUD_SYSTEM": "canary"}, "ENVOY_CLOUD_SYSTEM must be the system's number"),
        ({"CLOUD_API_URL": "http://canary.example"}, "ENVOY_CLOUD_API_URL must begin with https"),
        ({"CLOUD_MAX_LAG": "canary"}, "ENVOY_CLOUD_MAX_LAG must be a time such as PT3H"),
        ({"CLOUD_MAX_LAG": "-PT1H"}, "ENVOY_CLOUD_MAX_LAG must be above 0"),
        ({"CLOUD_DEVICES": "/x/inv/canary"}, "ENVOY_CLOUD_DEVICES must look like"),
        ({"CLOUD_MONTH": "0"}, "ENVOY_CLOUD_MONTH must be a whole number from 1"),
        ({"RECEIVER_URL": "receiver.example"}, "ENVOY_RECEIVER_URL must look like"),
        ({"RECEIVER_URL": "http://receiver.example"}, "ENVOY_RECEIVER_INSECURE"),
        ({"RECEIVER_URL": "http://127.evil.example"}, "ENVOY_RECEIVER_INSECURE"),
        ({"RECEIVER_URL": "http://127.0.0.1.evil.example"}, "ENVOY_RECEIVER_INSECURE"),
        ({"RECEIVER_URL": "https://r.example", "RECEIVER_SECRET": "canary-short"}, "openssl rand -hex 32"),
        (
            {"RECEIVER_URL": "https://r.example", "RECEIVER_SECRET": SECRET, "RECEIVER_KEY_FILE": "/k"},
            "remove one of them",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy_and_not_echoed(monkeypatch, values, hint):
    with pytest.raises(ScraperSettingError) as caught:
        load(monkeypatch, **values)
    assert hint in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("name", ["STATE_DIR", "RECEIVER_KEY_FILE", "RECEIVER_CA_FILE", "TOKEN_FILE"])
def test_the_home_of_a_user_who_does_not_exist_is_a_sentence(monkeypatch, name):
    with pytest.raises(ScraperSettingError) as caught:
        load(monkeypatch, RECEIVER_URL="https://r.example", **{name: "~canary-nobody/x"})
    assert str(caught.value) == (
        f"ENVOY_{name} begins with ~ or is not set, and there is no such home directory here: set it to a whole path"
    )


def test_a_process_without_a_home_hears_which_setting_to_set(monkeypatch):
    """The default of a container whose user has no name."""
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    with pytest.raises(ScraperSettingError, match="ENVOY_STATE_DIR begins with ~ or is not set"):
        load(monkeypatch)


def test_every_wrong_setting_is_named_at_once(monkeypatch):
    with pytest.raises(ScraperSettingError) as caught:
        load(monkeypatch, INVERTER_INTERVAL="x", STATUS_PORT="y")
    assert len(str(caught.value).splitlines()) == 2


def test_plain_http_is_for_this_machine_or_for_who_says_so(monkeypatch):
    for host in ("localhost", "127.0.0.1", "[::1]"):
        assert load(monkeypatch, RECEIVER_URL=f"http://{host}:8000/").receiver is not None
    assert load(monkeypatch, RECEIVER_URL="http://nas.lan:8000", RECEIVER_INSECURE="true").receiver is not None


def test_a_container_needs_the_address_and_the_message_says_why(monkeypatch):
    monkeypatch.setattr("scraper.settings.loading.is_in_container", lambda: True)
    with pytest.raises(ScraperSettingError, match="mDNS does not reach containers"):
        load(monkeypatch)
    assert load(monkeypatch, HOST="192.0.2.7").gateway.host == "192.0.2.7"


def test_a_cloud_source_needs_no_gateway_in_a_container(monkeypatch):
    monkeypatch.setattr("scraper.settings.loading.is_in_container", lambda: True)
    keys = {"CLOUD_API_KEY": SECRET, "CLOUD_CLIENT_ID": SECRET, "CLOUD_CLIENT_SECRET": SECRET}
    devices = "/4711023/inv/sys=roof, /4711023/met/sys = meter"
    cloud = load(monkeypatch, SOURCE="cloud", CLOUD_SYSTEM="4711023", CLOUD_DEVICES=devices, **keys).cloud
    assert (cloud.system, cloud.month, cloud.minute, cloud.max_lag.total_seconds()) == (4711023, 1000, 10, 10_800)
    assert load(monkeypatch, CLOUD_MAX_LAG="5400").cloud.max_lag.total_seconds() == 5400
    assert SECRET not in repr(cloud)


def test_a_cloud_source_names_every_key_that_it_lacks(monkeypatch):
    """Settings can be read before: the commands that find the system out work without its number."""
    loaded = load(monkeypatch, SOURCE="cloud")
    with pytest.raises(ScraperSettingError) as caught:
        make_cloud_parts(loaded, SystemClock())
    lines = str(caught.value).splitlines()
    assert [line.split()[0] for line in lines] == [
        f"ENVOY_CLOUD_{name}" for name in ("API_KEY", "CLIENT_ID", "CLIENT_SECRET")
    ]


def test_a_container_on_the_network_of_its_host_may_look_for_the_gateway(monkeypatch):
    monkeypatch.setattr("scraper.settings.loading.is_in_container", lambda: True)
    assert load(monkeypatch, HOST="discover").gateway.address is None


def test_an_empty_value_counts_as_not_set(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("ENVOY_HOST=10.0.0.9\nENVOY_STATUS_PORT=\n")
    loaded = load(monkeypatch, HOST="", TOKEN="")
    assert (loaded.gateway.host, loaded.status_port) == ("10.0.0.9", 8001)
    assert not loaded.gateway.token.is_set


@pytest.mark.parametrize(
    ("text", "meaning"), [("true", True), ("YES", True), ("1", True), ("off", False), ("n", False)]
)
def test_yes_and_no_may_be_written_in_every_usual_way(monkeypatch, text, meaning):
    assert load(monkeypatch, KEEP_ALIVE=text).gateway.keep_alive is meaning


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("INVERTER_INTERVAL", "nan", "ENVOY_INVERTER_INTERVAL must be a number from 10 to 3600"),
        ("HTTP_PORT", "80.5", "ENVOY_HTTP_PORT must be a whole number from 1 to 65535"),
        ("LOG_LEVEL", "canary", "ENVOY_LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR"),
        ("KEEP_ALIVE", "canary", "ENVOY_KEEP_ALIVE must be true or false"),
        ("SERIAL", "../canary", "ENVOY_SERIAL must be a serial number, e.g. 122300001234 (letters, digits and -)"),
        ("HTTP_PORT", "tcp://10.0.0.1:80", "ENVOY_HTTP_PORT was set by Kubernetes for a service of this name: set enableServiceLinks: false in the pod"),
        ("TOKN", "canary", "ENVOY_TOKN is no setting of the scraper: did you mean ENVOY_TOKEN?"),
        ("XYZZY", "canary", "ENVOY_XYZZY is no setting of the scraper: remove it; .env.example lists the settings"),
    ],
)  # fmt: skip
def test_the_sentence_says_what_is_expected(monkeypatch, name, text, sentence):
    with pytest.raises(ScraperSettingError) as caught:
        load(monkeypatch, **{name: text})
    assert str(caught.value) == sentence


def test_a_misspelt_setting_in_dotenv_is_refused(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("ENVOY_RECEIVER_SECRT=canary\n")
    with pytest.raises(ScraperSettingError, match="did you mean ENVOY_RECEIVER_SECRET"):
        load(monkeypatch)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ENVY_TOKEN", "ENVOY_TOKEN"),
        ("EVNOY_HOST", "ENVOY_HOST"),
        ("ENVYO_CLUOD_URL", "ENVOY_CLOUD_URL"),
        ("ENVY_TOKN", "ENVOY_TOKEN"),
        ("ENOVY_HOTS", "ENVOY_HOST"),
    ],
)
def test_a_slip_in_the_first_part_of_a_name_is_refused(monkeypatch, name, meant):
    monkeypatch.setenv(name, "canary")
    with pytest.raises(ScraperSettingError, match=f"^{name} is no setting of the scraper: did you mean {meant}[?]$"):
        load(monkeypatch)


def test_what_kubernetes_adds_for_services_is_no_setting(monkeypatch):
    """For services called `envoy`, `envoy-receiver` and `envoy-scraper`."""
    for name in ("", "RECEIVER_", "SCRAPER_"):
        monkeypatch.setenv(f"ENVOY_{name}SERVICE_HOST", "10.0.0.1")
        monkeypatch.setenv(f"ENVOY_{name}SERVICE_PORT", "8000")
        monkeypatch.setenv(f"ENVOY_{name}SERVICE_PORT_HTTP", "8000")
        monkeypatch.setenv(f"ENVOY_{name}PORT", "tcp://10.0.0.1:8000")
        monkeypatch.setenv(f"ENVOY_{name}PORT_8000_TCP", "tcp://10.0.0.1:8000")
        monkeypatch.setenv(f"ENVOY_{name}PORT_8000_TCP_ADDR", "10.0.0.1")
    settings.load()


def test_dotenv_that_is_not_text_is_named(monkeypatch, tmp_path):
    (tmp_path / ".env").write_bytes(b"ENVOY_TOKEN=\xff\xfe")
    with pytest.raises(ScraperSettingError, match="it is not text"):
        load(monkeypatch)


def test_the_running_scraper_imports_neither_pydantic_nor_a_command_line(monkeypatch):
    """They would cost a Raspberry Pi tens of megabytes for as long as the scraper runs."""
    code = (
        "import atexit, sys; from scraper.__main__ import main; sys.argv[1:] = ['run']; "
        "atexit.register(lambda: print(*(name for name, module in sys.modules.items() if module))); main()"
    )
    monkeypatch.setenv("ENVOY_HOST", "127.0.0.1")
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ended.stderr.startswith("envoy-scraper: ENVOY_RECEIVER_URL is not set"), ended.stderr
    loaded = set(ended.stdout.split())
    assert "scraper.service.app" in loaded
    assert loaded.isdisjoint({"pydantic", "pydantic_core", "pydantic_settings", "typer", "click", "rich"})


def test_a_secret_file_is_read_again_each_time(monkeypatch, tmp_path):
    """A token pasted into the file works at the next login, without a restart."""
    path = tmp_path / "token"
    write_private(path, b"one\n")
    token = load(monkeypatch, TOKEN_FILE=str(path)).gateway.token
    assert token() == "one"
    write_private(path, b"two\n")
    assert token() == "two"


def test_a_secret_file_that_cannot_be_read_is_named(monkeypatch, tmp_path):
    token = load(monkeypatch, TOKEN_FILE=str(tmp_path / "missing")).gateway.token
    with pytest.raises(ScraperSettingError, match="ENVOY_TOKEN_FILE"):
        token()


def test_secrets_do_not_show_in_repr(monkeypatch):
    loaded = load(monkeypatch, TOKEN=SECRET, RECEIVER_URL="https://r.example", RECEIVER_SECRET=SECRET)
    assert "canary" not in repr(loaded)
    assert loaded.gateway.token() == SECRET


def test_settings_are_read_from_dotenv_beside_the_receivers(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("ENVOY_HOST=10.0.0.9\nRECEIVER_PORT=8000\n")
    assert load(monkeypatch).gateway.host == "10.0.0.9"


def test_the_file_of_a_secret_that_is_needed_only_later_is_looked_at_at_the_start(monkeypatch, tmp_path):
    path = tmp_path / "password"
    write_private(path, b"canary")
    assert load(monkeypatch, INSTALLER_PASSWORD_FILE=str(path)).gateway.installer_password() == "canary"
    path.chmod(0o644)
    with pytest.raises(ScraperSettingError, match=r"^ENVOY_INSTALLER_PASSWORD_FILE: .* run: chmod g-w,o= ") as refused:
        load(monkeypatch, INSTALLER_PASSWORD_FILE=str(path))
    assert "canary" not in str(refused.value)
