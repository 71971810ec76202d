"""The time zone that `/home` names, of real gateways and of nonsense."""

import json
import os
from pathlib import Path

import pytest

from scraper.gateway.parse.home import parse_time_zone

CAPTURES = Path(os.environ.get("GATEWAY_CAPTURES", "../shared/gateway-captures"))


@pytest.mark.parametrize(
    ("capture", "zone"),
    [("7.6.175", "Europe/Amsterdam"), ("8.3.5169_with_generator", "US/Central"), ("8.3.5169_ACB_inventory", "Europe/London")],
)  # fmt: skip
def test_real_gateways_name_their_zone(capture: str, zone: str) -> None:
    path = CAPTURES / capture / "home"
    if not path.exists():
        pytest.skip("no captures: set GATEWAY_CAPTURES")
    assert parse_time_zone(json.loads(path.read_text())) == zone


@pytest.mark.parametrize(
    "document", [None, [], {}, {"timezone": None}, {"timezone": 7}, {"timezone": "<b>"}, {"timezone": "a" * 200}]
)
def test_nonsense_names_none(document: object) -> None:
    assert parse_time_zone(document) is None
