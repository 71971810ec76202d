"""Settings: every mistake names the setting and the remedy, and never the value."""

import os

import pytest

from scraper import settings
from scraper.errors import ScraperSettingError

SECRET = "canary-" + "s" * 40


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """No setting of the machine leaks into a test."""
    for name in list(os.environ):
        if name.startswith("ENVOY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "in_container", lambda: False)


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
        ({"RECEIVER_URL": "receiver.example"}, "ENVOY_RECEIVER_URL must look like"),
        ({"RECEIVER_URL": "http://receiver.example"}, "ENVOY_RECEIVER_INSECURE"),
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


def test_every_wrong_setting_is_named_at_once(monkeypatch):
    with pytest.raises(ScraperSettingError) as caught:
        load(monkeypatch, INVERTER_INTERVAL="x", STATUS_PORT="y")
    assert len(str(caught.value).splitlines()) == 2


def test_plain_http_is_for_this_machine_or_for_who_says_so(monkeypatch):
    for host in ("localhost", "127.0.0.1", "[::1]"):
        assert load(monkeypatch, RECEIVER_URL=f"http://{host}:8000/").receiver is not None
    assert load(monkeypatch, RECEIVER_URL="http://nas.lan:8000", RECEIVER_INSECURE="true").receiver is not None


def test_a_container_needs_the_address_and_the_message_says_why(monkeypatch):
    monkeypatch.setattr(settings, "in_container", lambda: True)
    with pytest.raises(ScraperSettingError, match="mDNS does not reach containers"):
        load(monkeypatch)
    assert load(monkeypatch, HOST="192.0.2.7").gateway.host == "192.0.2.7"


def test_a_container_on_the_network_of_its_host_may_look_for_the_gateway(monkeypatch):
    monkeypatch.setattr(settings, "in_container", lambda: True)
    assert load(monkeypatch, HOST="discover").gateway.host is None


def test_a_secret_file_is_read_anew_each_time(monkeypatch, tmp_path):
    """A token pasted into the file works at the next login, without a restart."""
    path = tmp_path / "token"
    path.write_text("one\n")
    token = load(monkeypatch, TOKEN_FILE=str(path)).gateway.token
    assert token() == "one"
    path.write_text("two\n")
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
