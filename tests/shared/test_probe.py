"""The health check of the images: says whether a service answers, and weighs next to nothing."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from shared.probe import is_alive
from shared.status_server import StatusServer


@pytest.fixture
def status() -> Iterator[StatusServer]:
    """A service that lives but is not ready."""
    server = StatusServer("127.0.0.1", 0, registry=CollectorRegistry(), ready=lambda: "the gateway is away")
    server.start()
    yield server
    server.stop()


def test_a_service_that_answers_is_alive(status: StatusServer) -> None:
    assert is_alive(f"http://127.0.0.1:{status.port}/healthz")


def test_an_answer_that_says_no_is_no(status: StatusServer) -> None:
    assert not is_alive(f"http://127.0.0.1:{status.port}/readyz")


def test_a_port_where_nobody_listens_is_no(status: StatusServer) -> None:
    status.stop()
    assert not is_alive(f"http://127.0.0.1:{status.port}/healthz")


def test_it_never_asks_a_proxy(status: StatusServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert is_alive(f"http://127.0.0.1:{status.port}/healthz")


@pytest.mark.parametrize(("path", "expected"), [("healthz", 0), ("readyz", 1)])
def test_the_command_says_it_by_its_exit_status(status: StatusServer, path: str, expected: int) -> None:
    command = [sys.executable, "-m", "shared.probe", f"http://127.0.0.1:{status.port}/{path}"]
    assert subprocess.run(command, check=False).returncode == expected


def test_it_imports_nothing_but_the_standard_library() -> None:
    """It starts a Python every half minute, also on a Raspberry Pi."""
    code = "import sys; before = set(sys.modules); import shared.probe; print(*(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    foreign = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names)
    assert foreign == {"shared"}
