"""Every query in the generated files: of panels, of variables, of alert rules."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

GRAFANA = Path(__file__).parents[2] / "grafana"
MAIN_UID, LIVE_UID = "envoy-influxdb", "envoy-influxdb-live"


class ExtractedQuery(NamedTuple):
    """One query as a file has it.

    Attributes:
        place: For people: file, panel, letter.
        text: InfluxQL with macros and variables.
        source: Uid of the data source, or the variable that holds it.
        format: `table`, `time_series`; "" for queries of variables.
        alias: Name of its series.
        since: Start of its time range, as Grafana writes it.
        until: End of it.
        least_interval: The panel's shortest interval, e.g. `1m`; "" for none.
        points: Windows that the panel asks for at most; a screen's width, if it does not say.
    """

    location: str
    text: str
    source: str
    format: str
    alias: str = ""
    since: str = "now-1h"
    until: str = "now"
    least_interval: str = ""
    points: int = 1000


class VariableQuery(NamedTuple):
    """One variable that asks the database for its values."""

    dashboard: str
    name: str
    query: ExtractedQuery
    takes_all: bool
    regex: str = ""


def read_dashboards() -> dict[str, dict[str, Any]]:
    """The generated dashboards by file name."""
    return {path.name: json.loads(path.read_text()) for path in sorted((GRAFANA / "dashboards").glob("*.json"))}


def list_panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All panels that show something, also those of collapsed rows."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels", ())
        else:
            yield panel


def list_panel_queries(name: str, board: dict[str, Any], panel: dict[str, Any]) -> list[ExtractedQuery]:
    """The queries of one panel."""
    since, until = board["time"]["from"], board["time"]["to"]
    if "timeFrom" in panel:
        since, until = f"now-{panel['timeFrom'].removeprefix('now-')}", "now"
    return [
        ExtractedQuery(
            location=f"{name}: {panel['title']}: {target['refId']}",
            text=target["query"],
            source=target["datasource"]["uid"],
            format=target["resultFormat"],
            alias=target.get("alias", ""),
            since=since,
            until=until,
            least_interval=panel.get("interval", ""),
            points=round(panel.get("maxDataPoints", 1000)),
        )
        for target in panel.get("targets", ())
    ]


def list_variable_queries(name: str, board: dict[str, Any]) -> list[VariableQuery]:
    """The variables of one dashboard that ask the database, in order."""
    return [
        VariableQuery(
            name,
            variable["name"],
            ExtractedQuery(
                f"{name}: variable {variable['name']}",
                variable["query"]["query"],
                variable["datasource"]["uid"],
                format="",
            ),
            takes_all=variable["includeAll"],
            regex=variable.get("regex", ""),
        )
        for variable in board["templating"]["list"]
        if variable["type"] == "query"
    ]


def list_fixed_variables(board: dict[str, Any]) -> dict[str, str]:
    """The variables of one dashboard that have a value from the start."""
    return {
        variable["name"]: variable["current"]["value"]
        for variable in board["templating"]["list"]
        if variable["type"] in {"custom", "datasource"} and variable["current"]["value"]
    }


def list_proposed_choices(board: dict[str, Any]) -> dict[str, str]:
    """The words of each choice that begins with what the database proposes."""
    return {
        variable["name"]: variable["query"]
        for variable in board["templating"]["list"]
        if variable["type"] == "custom" and not variable["current"]["value"]
    }


def list_alert_queries() -> list[ExtractedQuery]:
    """The queries of all alert rules; expressions between them are not for the database."""
    return [
        ExtractedQuery(
            location=f"{path.name}: {rule['title']}: {step['refId']}",
            text=step["model"]["query"],
            source=step["datasourceUid"],
            format=step["model"]["resultFormat"],
            alias=step["model"].get("alias", ""),
            since=f"now-{step['relativeTimeRange']['from']}s",
            until=f"now-{step['relativeTimeRange']['to']}s",
        )
        for path in sorted((GRAFANA / "provisioning" / "alerting").glob("*.yaml"))
        for group in yaml.safe_load(path.read_text()).get("groups", ())
        for rule in group["rules"]
        for step in rule["data"]
        if step["datasourceUid"] != "__expr__"
    ]
