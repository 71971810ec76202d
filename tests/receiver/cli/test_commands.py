"""The commands as people run them: plain words, exit status, no traceback and no secret."""

import contextlib
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from receiver.cli import app
from receiver.cli.terminal import draw_qr_code
from tests.receiver.service import GATEWAY, OTHER, make_public_key

SECRET = "canary-secret-7c1e94b05ad8f36229be014d7a"


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory of this test's own, free ports, no `.env`; returns the state directory."""
    for name in [name for name in os.environ if name.startswith("RECEIVER_")]:
        monkeypatch.delenv(name)
    state = tmp_path / "state"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECEIVER_STATE_DIR", str(state))
    monkeypatch.setenv("RECEIVER_PORT", "0")
    monkeypatch.setenv("RECEIVER_STATUS_PORT", "0")
    return state


def call(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert "Traceback" not in result.output
    return result


def run_to_its_end() -> subprocess.CompletedProcess[str]:
    """`envoy-receiver run` as a process of its own, for it sets up logging."""
    ended = subprocess.run(
        [sys.executable, "-m", "receiver", "run"], capture_output=True, text=True, check=False, timeout=60
    )
    assert "Traceback" not in ended.stderr
    return ended


def test_keys_come_are_listed_and_go():
    line = str(make_public_key(Ed25519PrivateKey.generate()))
    assert "no keys yet" in call("keys", "list").output
    added = call("keys", "add", line, "--serial", OTHER)
    key_id = make_public_key(Ed25519PrivateKey.generate()).key_id if added.exit_code else added.output.split()[1]
    assert added.output == f"key {key_id} may now write for {GATEWAY}, {OTHER}\n"
    assert call("keys", "list").output.split() == [key_id, "active", f"{GATEWAY},", OTHER]
    assert call("keys", "revoke", key_id).exit_code == 0
    assert "revoked" in call("keys", "list").output


def let_in(serial: str = GATEWAY) -> None:
    """A scraper's key, so that the receiver knows its gateway."""
    assert call("keys", "add", str(make_public_key(Ed25519PrivateKey.generate(), serial))).exit_code == 0


def test_a_link_opens_the_page_with_a_code_that_browsers_do_not_send(monkeypatch: pytest.MonkeyPatch):
    """It stands in the fragment. Standard output is the address alone, so that it can be piped."""
    let_in()
    monkeypatch.setenv("RECEIVER_PUBLIC_URL", "https://relay.example.org")
    made = call("token", "create", "--gateway", GATEWAY, "--link")
    assert re.fullmatch(r"https://relay\.example\.org/#t=[0-9A-Za-z]{16}\n", made.stdout)
    assert "good until" in made.stderr
    assert "this machine only" not in made.stderr


def test_a_link_has_a_name_and_is_listed_and_revoked():
    let_in()
    made = call("token", "create", "--link", "--name", "parents")
    assert "this address works on this machine only" in made.stderr
    listed = call("token", "list").stdout
    assert re.search(rf"link +active .*{GATEWAY}  parents$", listed.strip())
    assert made.stdout.strip().partition("#t=")[2] not in listed
    number = listed.split()[0]
    assert call("token", "revoke", number).stdout == f"link {number} is revoked\n"
    assert "revoked" in call("token", "list").stdout


def test_a_token_is_for_all_known_gateways_or_for_one_that_is_known():
    nobody = call("token", "create", "--link")
    assert nobody.exit_code == 1
    assert "no gateway is known yet" in nobody.stderr
    let_in()
    let_in(OTHER)
    assert call("token", "create", "--link").exit_code == 0
    assert f"{GATEWAY}, {OTHER}" in call("token", "list").stdout
    misspelt = call("token", "create", "--gateway", "122300009999")
    assert misspelt.exit_code == 1
    assert f"knows no gateway 122300009999; it knows {GATEWAY}, {OTHER}" in misspelt.stderr
    assert call("token", "create", "--gateway", "*").exit_code == 0


def test_a_terminal_shows_the_link_as_a_hyperlink_and_a_qr_code_that_fits(monkeypatch: pytest.MonkeyPatch):
    """Read back from the picture that the terminal shows. 24 lines of 80 characters must hold address and code."""
    let_in()
    monkeypatch.setenv("RECEIVER_PUBLIC_URL", "https://solar.some-long-name.example.org")
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "receiver", "token", "create", "--link"]
    with subprocess.Popen(command, stdout=follower, stderr=follower):
        os.close(follower)
        shown = b""
        with contextlib.suppress(OSError):  # the terminal is gone when the command has ended
            while piece := os.read(leader, 65536):
                shown += piece
    os.close(leader)
    lines = shown.decode().replace("\r\n", "\n").splitlines()
    (address,) = [line for line in lines if "#t=" in line]
    clickable = re.fullmatch("\x1b]8;;(\\S+)\x1b\\\\(\\S+)\x1b]8;;\x1b\\\\", address)
    assert clickable is not None
    assert clickable[1] == clickable[2]
    picture = draw_qr_code(clickable[1])
    assert picture.strip() in "\n".join(lines)
    assert len(lines) < 24
    assert max(len(re.sub("\x1b\\[[0-9;]*m", "", line)) for line in picture.splitlines()) <= 80


def test_a_key_line_may_be_pasted_without_quotes():
    assert call("keys", "add", *str(make_public_key(Ed25519PrivateKey.generate())).split()).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("keys", "add", "nonsense"), "not a key line"),
        (("keys", "revoke", "0000"), "no key of that id"),
        (("token", "revoke", "0000"), "no token of that id"),
        (("token", "create", "--gateway", "a b"), "--gateway takes the serial number"),
        (("token", "create", "--gateway", "*", "--gateway", "1"), "'\\*' alone"),
    ],
)
def test_a_failure_is_a_sentence_and_a_status(arguments: tuple[str, ...], message: str):
    result = call(*arguments)
    assert result.exit_code == 1
    assert re.search(message, result.stderr)
    assert result.stderr.count("\n") == 1


def test_a_token_is_shown_once_and_kept_nowhere(environment: Path):
    let_in()
    created = call("token", "create", "--gateway", GATEWAY, "--days", "7")
    token = created.stdout.strip()
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token)
    listed = call("token", "list").output
    jti = listed.split()[0]
    assert "active" in listed
    assert GATEWAY in listed
    assert token not in listed
    for file in environment.iterdir():
        assert token.split(".")[2].encode() not in file.read_bytes()
        assert file.stat().st_mode & 0o777 == 0o600
    assert call("token", "revoke", jti).exit_code == 0
    assert "revoked" in call("token", "list").output


def test_a_token_or_link_is_revoked_by_its_name_where_one_alone_has_it():
    let_in()
    for options in (("--name", "parents", "--link"), ("--name", "script"), ("--name", "script", "--link"), ()):
        assert call("token", "create", "--gateway", GATEWAY, *options).exit_code == 0
    rows = [line.split() for line in call("token", "list").stdout.splitlines()]
    scripts = [row[0] for row in rows if row[-1] == "script"]
    (parents,) = [row[0] for row in rows if row[-1] == "parents"]
    assert call("token", "revoke", "parents").stdout == f"link {parents} is revoked\n"
    several = call("token", "revoke", "script")
    assert several.exit_code == 1
    assert all(number in several.stderr for number in scripts)
    assert call("token", "revoke", scripts[0]).exit_code == 0
    assert call("token", "revoke", "script").exit_code == 0, "one of this name is left"
    assert call("token", "revoke", "").exit_code == 1, "no name is no name"


def test_check_says_what_works_and_what_to_do(monkeypatch: pytest.MonkeyPatch):
    """Nobody may send yet: the exit status says so; with a secret all is well."""
    result = call("check")
    assert result.exit_code == 1
    assert [line for line in result.output.splitlines() if line.startswith("FAIL")] == [
        line for line in result.output.splitlines() if "nobody may send yet" in line
    ]
    monkeypatch.setenv("RECEIVER_SECRET", SECRET)
    monkeypatch.setenv("RECEIVER_GATEWAYS", GATEWAY)
    result = call("check")
    assert result.exit_code == 0, result.output
    assert "canary" not in result.output


def test_check_says_which_gateways_are_linked_to_the_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sites = tmp_path / "sites.yaml"
    sites.write_text("122300001234: {cloud: system-4711023}\n")
    monkeypatch.setenv("RECEIVER_SITES_FILE", str(sites))
    said = "gateway 122300001234 is linked to system-4711023, of which nothing has come yet"
    assert f"ok    cloud: {said}: compare it with ENVOY_CLOUD_SYSTEM of its scraper" in call("check").output


def test_check_finds_open_directories_and_taken_ports(environment: Path, monkeypatch: pytest.MonkeyPatch):
    environment.mkdir(mode=0o755)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("RECEIVER_PORT", str(taken.getsockname()[1]))
        result = call("check")
    assert result.exit_code == 1
    assert f"chmod 700 {environment}" in result.output
    assert "no receiver answers there: set RECEIVER_HOST and RECEIVER_PORT" in result.output


def test_check_finds_a_state_directory_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RECEIVER_STATE_DIR", str(tmp_path / "file" / "state"))
    result = call("check")
    assert result.exit_code == 1
    assert "set RECEIVER_STATE_DIR" in result.output


def test_run_ends_with_a_sentence_where_it_cannot_start(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("RECEIVER_PORT", str(taken.getsockname()[1]))
        ended = run_to_its_end()
    assert ended.returncode == 1
    assert "set RECEIVER_HOST and RECEIVER_PORT" in ended.stderr
    monkeypatch.setenv("RECEIVER_SECERT", SECRET)
    ended = run_to_its_end()
    assert ended.returncode == 1
    assert ended.stderr == (
        "envoy-receiver: RECEIVER_SECERT is no setting of the receiver: did you mean RECEIVER_SECRET?\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_running_receiver_stops_cleanly(number: signal.Signals, monkeypatch: pytest.MonkeyPatch):
    """It answers on both ports, and a signal ends it with status 0 and without a traceback."""
    process = subprocess.Popen([sys.executable, "-m", "receiver", "run"], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        ready = process.stderr.readline()
        port, status_port = (int(re.search(rf'"{name}": (\d+)', ready)[1]) for name in ("port", "status_port"))  # type: ignore[index]
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        assert httpx.get(f"http://127.0.0.1:{port}/metrics").status_code == 404
        assert httpx.get(f"http://127.0.0.1:{status_port}/readyz").status_code == 200
        assert "receiver_batches" in httpx.get(f"http://127.0.0.1:{status_port}/metrics").text
        process.send_signal(number)
        assert process.wait(20) == 0
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_check_says_where_the_page_is_and_that_a_name_was_forgotten(monkeypatch: pytest.MonkeyPatch):
    """A compose file without RELAY_DOMAIN hands on no RECEIVER_PUBLIC_URL."""
    assert "works on this machine only" in call("check").output
    assert "RELAY_DOMAIN" in call("check").output
    monkeypatch.setenv("RECEIVER_PUBLIC_URL", "https://relay.example.org")
    assert "page: https://relay.example.org/\n" in call("check").output
