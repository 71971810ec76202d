"""The provisioning files hold what Grafana's own readers know: keys, values and references.

The sets of keys are those of `pkg/services/provisioning` (`datasources/types.go`, `dashboards/types.go`,
`alerting/rules_types.go`), which silently ignore what they do not know.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.models import alerting, expr

from grafana.generated import HERE
from grafana.source.provisioning import TOKEN_FILE
from receiver.settings.stores import GRAFANA_TOKEN
from tests.grafana.extraction import LIVE_UID, MAIN_UID
from tests.grafana.grafana_files import interpolate

FILES = {str(path.relative_to(HERE / "provisioning")): path for path in (HERE / "provisioning").rglob("*.*")}
DATA_SOURCES = yaml.safe_load(FILES["datasources/envoy.yaml"].read_text())
PROVIDERS = yaml.safe_load(FILES["dashboards/envoy.yaml"].read_text())
RULES_FILE = yaml.safe_load(FILES["alerting/rules.yaml"].read_text())
(GROUP,) = RULES_FILE["groups"]
RULES: dict[str, dict[str, Any]] = {rule["uid"]: rule for rule in GROUP["rules"]}

RULE_KEYS = {
    "uid", "title", "condition", "data", "dashboardUid", "panelId", "noDataState", "execErrState", "for", "annotations",
    "labels", "isPaused", "keepFiringFor", "missing_series_evals_to_resolve", "notification_settings", "record",
}  # fmt: skip
QUERY_KEYS = {"refId", "queryType", "relativeTimeRange", "datasourceUid", "model"}
INFLUXQL_KEYS = {"datasource", "intervalMs", "maxDataPoints", "query", "rawQuery", "refId", "resultFormat"}
EXPRESSIONS: dict[str, type[expr.TypeReduce | expr.TypeMath | expr.TypeThreshold]] = {
    "reduce": expr.TypeReduce,
    "math": expr.TypeMath,
    "threshold": expr.TypeThreshold,
}
_DURATION = re.compile(r"(\d+h)?(\d+m)?(\d+s)?")

every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def test_there_is_a_file_for_each_of_grafanas_readers_and_no_other() -> None:
    assert set(FILES) == {"datasources/envoy.yaml", "dashboards/envoy.yaml", "alerting/rules.yaml"}
    assert all(yaml.safe_load(path.read_text())["apiVersion"] == 1 for path in FILES.values())


def test_data_sources_speak_influxql_with_the_token_that_setup_writes(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc-_==\n")
    text = FILES["datasources/envoy.yaml"].read_text().replace(TOKEN_FILE, str(tmp_path / "token"))
    environment = {"INFLUXDB_V2_URL": "http://db:8086", "INFLUXDB_V2_BUCKET": "sun", "RECEIVER_LIVE_BUCKET": "sun_live"}
    main, live = interpolate(yaml.safe_load(text), environment)["datasources"]
    assert Path(TOKEN_FILE).name == GRAFANA_TOKEN
    assert (main["uid"], main["jsonData"]["dbName"], main["isDefault"]) == (MAIN_UID, "sun", True)
    assert (live["uid"], live["jsonData"]["dbName"], live["isDefault"]) == (LIVE_UID, "sun_live", False)
    for one in (main, live):
        assert (one["type"], one["access"], one["url"]) == ("influxdb", "proxy", "http://db:8086")
        assert (one["jsonData"]["version"], one["jsonData"]["httpHeaderName1"]) == ("InfluxQL", "Authorization")
        assert one["secureJsonData"] == {"httpHeaderValue1": "Token abc-_=="}


def test_a_missing_token_stops_grafana_instead_of_showing_empty_panels() -> None:
    with pytest.raises(FileNotFoundError):
        interpolate(DATA_SOURCES, {})


def test_data_sources_have_known_keys_only() -> None:
    for one in DATA_SOURCES["datasources"]:
        assert one.keys() <= {
            "name", "uid", "type", "access", "url", "isDefault", "editable", "jsonData", "secureJsonData",
        }  # fmt: skip
        assert one["jsonData"].keys() == {"version", "dbName", "httpMode", "httpHeaderName1", "timeInterval"}
        assert not one["editable"]


def test_dashboards_come_from_files_and_stay_as_the_files_say() -> None:
    (provider,) = PROVIDERS["providers"]
    assert provider.keys() <= {
        "name", "orgId", "folder", "type", "disableDeletion", "updateIntervalSeconds", "allowUiUpdates", "options",
    }  # fmt: skip
    assert (provider["type"], provider["allowUiUpdates"]) == ("file", False)
    assert provider["folder"] == GROUP["folder"], "rules and dashboards stand in one folder"
    assert provider["options"].keys() <= {"path", "foldersFromFilesStructure"}


def test_the_group_is_evaluated_every_minute() -> None:
    assert GROUP.keys() == {"orgId", "name", "folder", "interval", "rules"}
    assert GROUP["interval"] == "1m"
    assert len({rule["title"] for rule in RULES.values()}) == len(RULES)


@every_rule
def test_rules_have_known_keys_and_values(rule: dict[str, Any]) -> None:
    assert rule.keys() <= RULE_KEYS
    assert re.fullmatch(r"[a-z-]{1,40}", rule["uid"])
    assert rule["for"]
    assert _DURATION.fullmatch(rule["for"])
    assert (rule["noDataState"], rule["execErrState"]) == ("OK", "Error")
    assert rule["labels"]["severity"] in {"critical", "warning"}
    whole = {**rule, "folderUID": "x", "ruleGroup": "x", "orgID": 1, "data": []}
    assert alerting.Rule.from_json(whole).to_json() == whole


@every_rule
def test_steps_refer_to_earlier_steps_and_end_with_a_threshold(rule: dict[str, Any]) -> None:
    known: set[str] = set()
    for step in rule["data"]:
        assert step.keys() <= QUERY_KEYS
        model = step["model"]
        assert model["refId"] == step["refId"] not in known
        if step["datasourceUid"] == "__expr__":
            assert EXPRESSIONS[model["type"]].from_json(model).datasource is not None
            used = set(re.findall(r"\$(\w+)", model["expression"])) or {model["expression"]}
            assert used <= known
        else:
            assert step["datasourceUid"] == model["datasource"]["uid"] == MAIN_UID
            assert model.keys() == INFLUXQL_KEYS
            assert step["relativeTimeRange"]["from"] > step["relativeTimeRange"]["to"] >= 0
            assert "$timeFilter" in model["query"]
        known.add(step["refId"])
    assert rule["data"][-1]["refId"] == rule["condition"]
    assert rule["data"][-1]["model"]["type"] == "threshold"


@every_rule
def test_what_people_read_survives_the_replacement_of_variables(rule: dict[str, Any]) -> None:
    """Annotations and labels are searched for `$NAME`; the queries are not."""
    for texts in (rule["annotations"], rule["labels"]):
        assert interpolate(texts, {}) == texts
    references = re.findall(r"\.(Labels|Values)\.(\w+)", str(rule["annotations"]))
    steps = {step["refId"]: step["model"] for step in rule["data"]}
    tags = set(re.findall(r'"(\w+)"', steps["A"]["query"].rpartition("GROUP BY")[2]))
    for kind, name in references:
        if kind == "Labels":
            assert name in tags
        else:
            assert steps[name]["type"] in {"reduce", "math"}, "only numbers have a value in a template"


@every_rule
def test_every_alert_is_explained_where_it_points_to(rule: dict[str, Any]) -> None:
    name, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (HERE.parent / name).read_text(), re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
