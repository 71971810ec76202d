"""The time zone that `/home` names, of real gateways and of nonsense."""

import json
import os
from pathlib import Path

import pytest

from scraper.gateway.parse.home import count_batteries, parse_time_zone

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


@pytest.mark.parametrize(
    ("heard", "count"),
    [
        ({"acb": {"num": 2}, "encharge": [{"num": 0}]}, 2),
        ({"acb": {"num": 0}, "encharge": [{"num": 3, "level": 5}]}, 3),
        ({"acb": {"num": 1}, "encharge": {"num": 2}}, 3),
        ({"acb": {"num": "x"}, "encharge": [None, {"num": -1}]}, 0),
        ({"pcu": {"num": 24}}, 0),
        (None, 0),
    ],
)
def test_batteries_are_counted_by_the_devices_that_are_heard(heard: object, count: int) -> None:
    assert count_batteries({"comm": heard}) == count


@pytest.mark.parametrize("document", [None, [], {}, "comm"])
def test_nonsense_has_no_batteries(document: object) -> None:
    assert count_batteries(document) == 0
