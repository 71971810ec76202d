"""Every query of every generated file and of the pages of queries, run against a real InfluxDB with simulated days.

One test asks them all, because the days take half a minute to make and each worker of a test run would make its own.
"""

import asyncio
import copy
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.grafana import queries_page
from tests.grafana.answers import DashboardClient
from tests.grafana.extraction import list_alert_queries, list_panel_queries, list_panels, read_dashboards
from tests.grafana.simulated_days import LoadedDays, load_days
from tests.grafana.substitution import Value
from tests.influxd.server import run_influxd

DAYS = 2.0


@pytest.fixture(scope="module")
def loaded_days(tmp_path_factory) -> Iterator[LoadedDays]:
    """Days of a house with a battery, and months of energies before."""
    with run_influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield asyncio.run(load_days(server, tmp_path_factory.mktemp("journal"), days=DAYS))


def test_every_query_answers_with_the_columns_that_its_panel_uses(loaded_days):
    """No panel, variable, alert or query of the page is without data; no column is empty; no name is misspelt."""
    problems: list[str] = []
    with httpx.Client(timeout=30) as http:
        client = DashboardClient(loaded_days, http)
        for name, board in read_dashboards().items():
            values = client.find_values(name, board)
            values |= {"minutes": "0s"} if "minutes" in values else {}  # hours answer beside minutes, too
            for panel in list_panels(board):
                problems += _find_panel_problems(client, name, board, panel, values)
        _check_that_broken_panels_are_found(client)
        for query in list_alert_queries():
            answer = client.run(query, {})
            if not answer.names - {"Time"}:
                problems.append(f"{query.location} has no data: {client.make_statement(query, {})}")
        for example in queries_page.read_examples():
            problems += queries_page.find_problems(example, queries_page.run(example, loaded_days, http))
    assert not problems, "\n".join(problems)


def _check_that_broken_panels_are_found(client: DashboardClient) -> None:
    """What this test is there to find, it finds: no rows, an empty column, a name that nothing has."""
    (board,) = (board for board in read_dashboards().values() if board["uid"] == "envoy-now")
    values = client.find_values("now", board)
    for change, complaint in (
        (('"site_1m"', '"site_2m"'), "has no data"),
        (('last("load")', 'last("laod")'), "has nothing in ['House']"),
        (('AS "House"', 'AS "Home"'), "speaks of ['House']"),
        (("${gateway:regex}", "${gatway:regex}"), "asks the database for ${gatway"),
    ):
        broken = copy.deepcopy(next(panel for panel in list_panels(board) if panel["title"] == "Power now"))
        broken["targets"][0]["query"] = broken["targets"][0]["query"].replace(*change)
        assert any(complaint in problem for problem in _find_panel_problems(client, "now", board, broken, values)), (
            complaint
        )


def _find_panel_problems(
    client: DashboardClient, name: str, board: dict[str, Any], panel: dict[str, Any], values: dict[str, Value]
) -> list[str]:
    problems, names = [], set()
    for query in list_panel_queries(name, board, panel):
        answer = client.run(query, values)
        names |= answer.names
        if not answer.names - {"Time"}:
            problems.append(f"{query.location} has no data: {client.make_statement(query, values)}")
        elif answer.empty:
            problems.append(
                f"{query.location} has nothing in {sorted(answer.empty)}: {client.make_statement(query, values)}"
            )
        unreplaced = re.search(r"\$(?!/)\{?\w+", client.make_statement(query, values))
        if unreplaced:
            problems.append(f"{query.location} asks the database for {unreplaced[0]}")
    missing = _list_names_used(panel) - names - _list_made_by_transformations(panel)
    if missing and panel.get("targets"):
        problems.append(f"{name}: {panel['title']} speaks of {sorted(missing)}, but its queries give {sorted(names)}")
    return problems


def _list_names_used(panel: dict[str, Any]) -> set[str]:
    """Names of fields that the panel's overrides and transformations speak of."""
    used = {
        override["matcher"]["options"]
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"]["id"] == "byName"
    }
    used |= {panel.get("options", {}).get("xField", "Time")} - {"Time"}
    for step in panel.get("transformations", ()):
        options = step["options"]
        if step["id"] == "organize":
            used |= options["indexByName"].keys() | options["renameByName"].keys() | options["excludeByName"].keys()
        elif step["id"] == "groupBy":
            used |= options["fields"].keys()
        elif step["id"] == "groupingToMatrix":
            used |= {options["rowField"], options["columnField"], options["valueField"]}
        elif step["id"] == "filterFieldsByName":
            used |= set(options["include"]["names"])
        elif step["id"] == "sortBy":
            used |= {sort["field"] for sort in options["sort"]}
    return used


def _list_made_by_transformations(panel: dict[str, Any]) -> set[str]:
    made: set[str] = set()
    for step in panel.get("transformations", ()):
        options = step["options"]
        if step["id"] == "groupBy":
            made |= {
                f"{field} ({aggregation})"
                for field, how in options["fields"].items()
                for aggregation in how["aggregations"]
            }
        elif step["id"] == "groupingToMatrix":
            made |= {f"{options['rowField']}\\{options['columnField']}"} | _WEEKDAYS
        elif step["id"] == "organize":
            made |= set(options["renameByName"].values())
    return made


_WEEKDAYS = {"1 Mon", "2 Tue", "3 Wed", "4 Thu", "5 Fri", "6 Sat", "7 Sun"}
