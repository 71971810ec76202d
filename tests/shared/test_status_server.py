"""The status port answers probes and shows metrics."""

import httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge

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
