"""The example for a Traefik that is there already, as far as it can be judged without one.

Traefik is not built here: its module needs some six hundred others.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.wire import MAX_BYTES

ROOT = Path(__file__).parents[2]
HTTP: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "traefik.yml").read_text())["http"]


def test_every_name_that_a_router_uses_is_there() -> None:
    for router in HTTP["routers"].values():
        assert router["service"] in HTTP["services"]
        assert set(router.get("middlewares", [])) <= HTTP["middlewares"].keys()
        assert router["tls"], "no router serves plain http"


def test_only_posts_are_held_back_and_the_largest_batch_passes() -> None:
    """Traefik's buffering holds back answers as well, so it must not stand before live events."""
    buffered = {name: router for name, router in HTTP["routers"].items() if router.get("middlewares")}
    assert all("Method(`POST`)" in router["rule"] for router in buffered.values())
    limits = HTTP["middlewares"]["envoy-whole-body"]["buffering"]
    assert MAX_BYTES < limits["maxRequestBodyBytes"] < limits["memRequestBodyBytes"]


@pytest.mark.parametrize("file", ["nginx.conf", "traefik.yml"])
def test_the_examples_meet_the_ports_of_the_compose_file(file: str) -> None:
    published = re.findall(r"\$\{RELAY_(?:RECEIVER|GRAFANA)_BIND:-(\S+?)\}", (ROOT / "docker-compose.yml").read_text())
    assert len(published) == 2
    text = (ROOT / "deploy" / file).read_text()
    assert all(address in text for address in published)
