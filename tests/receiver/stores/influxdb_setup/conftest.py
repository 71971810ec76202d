"""A real InfluxDB that nobody has set up, and the command as people run it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from receiver.cli import app
from shared.files import write_private
from tests.influxd.server import ADMIN_PASSWORD, ADMIN_TOKEN, ORG, Influxd, run_influxd

Command = Callable[..., Result]
SECRETS = ("canary", ADMIN_PASSWORD, ADMIN_TOKEN)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Influxd]:
    """A server of this test's own, as its image starts it the first time."""
    with run_influxd(tmp_path / "influxd", onboarded=False) as server:
        yield server


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """The directory of the tokens."""
    return tmp_path / "tokens"


@pytest.fixture
def command(tmp_path: Path, tokens: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`envoy-receiver ARGUMENTS` with settings for `database`; no secret may ever be printed."""
    for name in [name for name in os.environ if name.startswith(("RECEIVER_", "INFLUXDB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    write_private(tmp_path / "password", (ADMIN_PASSWORD + "\n").encode())
    write_private(tmp_path / "admin", (ADMIN_TOKEN + "\n").encode())
    for name, value in {
        "RECEIVER_STORE": "influxdb",
        "RECEIVER_STATE_DIR": str(tmp_path / "state"),
        "RECEIVER_TOKENS_DIR": str(tokens),
        "INFLUXDB_V2_ORG": ORG,
        "INFLUXDB_ADMIN_PASSWORD_FILE": "password",
        "INFLUXDB_ADMIN_TOKEN_FILE": "admin",
    }.items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str, fails: bool = False) -> Result:
        result = CliRunner().invoke(app, arguments)
        assert "Traceback" not in result.output
        assert bool(result.exit_code) == fails, result.output
        held = [file.read_text() for file in tokens.glob("*")] if tokens.is_dir() else []
        assert [secret for secret in (*SECRETS, *held) if secret in result.output] == []
        return result

    return call


@pytest.fixture
def setup(command: Command, database: Influxd, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`envoy-receiver setup` for `database`, with further settings as arguments."""

    def call(*, fails: bool = False, **settings: str) -> Result:
        monkeypatch.setenv("INFLUXDB_V2_URL", database.url)
        for name, value in settings.items():
            if value:
                monkeypatch.setenv(name, value)
            else:
                monkeypatch.delenv(name, raising=False)
        return command("setup", fails=fails)

    return call
