"""What `make run` chose counts where nothing else is set, and only for its own installation."""

from pathlib import Path

import pytest

from shared.environment import UnreadableSettingError
from shared.local_settings import LOCAL_FILE, add_local_settings, write_local_settings

URL = "http://127.0.0.1:8000"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    write_local_settings(tmp_path, {"ENVOY_RECEIVER_URL": URL, "ENVOY_RECEIVER_SECRET_FILE": "/s"})
    return tmp_path


def read(state: Path, **given: str) -> dict[str, str]:
    return add_local_settings({"ENVOY_STATE_DIR": str(state), **given}, "ENVOY_STATE_DIR")


def test_the_choice_fills_what_is_not_set(state: Path) -> None:
    assert (state / LOCAL_FILE).stat().st_mode & 0o777 == 0o600
    assert read(state, ENVOY_RECEIVER_URL="")["ENVOY_RECEIVER_URL"] == URL
    assert read(state)["ENVOY_RECEIVER_SECRET_FILE"] == "/s"


def test_another_receiver_takes_nothing_of_the_choice(state: Path) -> None:
    other = read(state, ENVOY_RECEIVER_URL="https://relay.example")
    assert (other["ENVOY_RECEIVER_URL"], "ENVOY_RECEIVER_SECRET_FILE" in other) == ("https://relay.example", False)


def test_a_secret_or_key_that_is_set_replaces_the_chosen_secret(state: Path) -> None:
    for given in ({"ENVOY_RECEIVER_SECRET": "x"}, {"ENVOY_RECEIVER_KEY_FILE": "/k"}):
        assert "ENVOY_RECEIVER_SECRET_FILE" not in read(state, **given)


def test_a_choice_that_others_can_read_or_that_is_damaged_is_refused(state: Path) -> None:
    (state / LOCAL_FILE).chmod(0o644)
    with pytest.raises(UnreadableSettingError, match="chmod 600"):
        read(state)
    (state / LOCAL_FILE).chmod(0o600)
    (state / LOCAL_FILE).write_text("{")
    with pytest.raises(UnreadableSettingError, match="make run"):
        read(state)
