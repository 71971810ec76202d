"""The status port answers probes and shows metrics."""

import socket

import httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge

from shared import status_server
from shared.status_server import StatusServer


@pytest.fixture
def problem():
    return []


@pytest.fixture
def server(problem):
    registry = CollectorRegistry()
    Gauge("outbox_rows", "Rows waiting.", registry=registry).set(7)
    server = StatusServer("127.0.0.1", 0, registry=registry, ready=lambda: problem[0] if problem else None)
    server.start()
    yield server
    server.stop()


def test_metrics_are_shown(server):
    assert "outbox_rows 7.0" in httpx.get(f"http://127.0.0.1:{server.port}/metrics").text


def test_ready_says_what_is_wrong_and_liveness_does_not_care(server, problem):
    problem.append("the gateway does not answer")
    ready = httpx.get(f"http://127.0.0.1:{server.port}/readyz")
    assert (ready.status_code, ready.text) == (503, "the gateway does not answer\n")
    assert httpx.get(f"http://127.0.0.1:{server.port}/healthz").status_code == 200


def test_an_unknown_path_is_not_found(server):
    assert httpx.get(f"http://127.0.0.1:{server.port}/etc/passwd").status_code == 404


def test_a_port_in_use_is_an_error_at_start(server):
    second = StatusServer("127.0.0.1", server.port, registry=CollectorRegistry())
    with pytest.raises(OSError):
        second.start()


def test_a_connection_that_says_nothing_is_closed_without_a_traceback(server, monkeypatch, capsys):
    monkeypatch.setattr(status_server._QuietHandler, "timeout", 0.05)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as silent:
        assert silent.recv(1) == b"", "it was closed"
    assert capsys.readouterr().err == ""
