"""What the dashboards propose by themselves: the site's time zone, the nominal voltage, and ways to a panel's curve."""

from urllib.parse import parse_qs, urlsplit
from zoneinfo import available_timezones

import pytest

from tests.grafana.answers import choose_first
from tests.grafana.extraction import list_panels, read_dashboards

BOARDS = read_dashboards()


def find_words(board: str, name: str) -> str:
    return next(str(one["query"]) for one in BOARDS[board]["templating"]["list"] if one["name"] == name)


@pytest.mark.parametrize("board", ["energy.json", "battery.json"])
def test_the_zones_of_the_world_can_be_chosen_and_the_sites_comes_first(board):
    words = find_words(board, "tz")
    zones = words.split(",")
    assert {"America/Argentina/Ushuaia", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham"} <= set(zones)
    assert set(zones[1:]) <= available_timezones()
    assert len(zones) > 450
    assert choose_first(words, {"stored_tz": "Pacific/Chatham"}) == "Pacific/Chatham"
    assert choose_first(words, {"stored_tz": ""}) == "UTC", "a new installation has stored nothing yet"


def test_the_nominal_voltage_is_that_of_the_readings_else_230():
    words = find_words("phases.json", "nominal")
    assert choose_first(words, {"stored_nominal": "120"}) == "120"
    assert choose_first(words, {"stored_nominal": ""}) == "230"


def test_panels_with_money_name_its_currency():
    titles = [panel["title"] for panel in list_panels(BOARDS["energy.json"]) if "${currency:raw}" in panel["title"]]
    assert titles == [
        "Money since the billing day ${currency:raw}",
        "Cost, feed-in and savings per day ${currency:raw}",
    ]


def test_the_rows_of_each_table_of_panels_lead_to_the_curves_of_the_panel():
    tables = {
        panel["title"]: panel["fieldConfig"]["overrides"]
        for panel in list_panels(BOARDS["panels.json"])
        if panel["type"] == "table"
    }
    assert len(tables) == 4
    for title, overrides in tables.items():
        (links,) = (
            part["value"]
            for override in overrides
            if override["matcher"]["options"] == "Panel"
            for part in override["properties"]
            if part["id"] == "links"
        )
        address = urlsplit(links[0]["url"])
        assert address.path == f"/d/{BOARDS['panels.json']['uid']}", title
        assert parse_qs(address.query)["var-panel"] == ["${__value.text:percentencode}"]
