"""What Grafana reads at its start: data sources, where the dashboards lie, alert rules.

`$NAME` and `$__file{PATH}` in these files are replaced by Grafana (never in the queries of rules). A token file that
is missing stops Grafana's start with its path in the message.
"""

import json
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.source.alert_rule import FOLDER, GROUP, AlertRule
from grafana.source.alerts import list_alerts
from grafana.source.queries import PLUGIN
from grafana.source.variables import LIVE_NAME, LIVE_UID, MAIN_NAME, MAIN_UID
from receiver.contact_points import (
    Channel,
    build_template,
    dump_yaml,
    make_ntfy_channel,
    make_telegram_channel,
    make_webhook_channel,
)

TOKEN_FILE = "/run/tokens/grafana"  # noqa: S105 (a path)
"""Where `envoy-receiver setup` leaves the token that may only read."""
DASHBOARDS = "/var/lib/grafana/dashboards"
"""Where the dashboards are mounted."""
_HEAD = "# Made by `python -m grafana`; change grafana/source/ instead.\n"
_NOT_IN_FILES = ("folderUID", "orgID", "ruleGroup")
"""What the API wants on every rule and files say once per group."""
TEMPLATE_CHANNELS = (
    make_ntfy_channel("${NTFY_URL}", "${NTFY_TOKEN}"),
    make_telegram_channel("${TELEGRAM_BOT_TOKEN}", "${TELEGRAM_CHAT_ID}"),
    make_webhook_channel("${WEBHOOK_URL}", "${WEBHOOK_TOKEN}"),
)
"""What `envoy-receiver setup` would write, with Grafana's variables in place of values."""


def make_files() -> dict[str, str]:
    """Path under `grafana/` to content."""
    documents = {
        "datasources/envoy.yaml": describe_data_sources(),
        "dashboards/envoy.yaml": describe_dashboards(),
        "alerting/rules.yaml": describe_rules(),
    }
    made = {f"provisioning/{name}": _HEAD + dump_yaml(document) for name, document in documents.items()}
    return made | {f"contact-points/{one.name}.yaml": _render_template(one) for one in TEMPLATE_CHANNELS}


def _render_template(channel: Channel) -> str:
    return (
        f"{_HEAD}# For installations without `envoy-receiver setup`: put this file into Grafana's\n"
        "# provisioning/alerting and the variables into Grafana's environment. Only a token may be empty there.\n"
        + dump_yaml(build_template(channel))
    )


def describe_data_sources() -> dict[str, Any]:
    """The two buckets in InfluxQL; both names may be of one bucket."""
    return {
        "apiVersion": 1,
        "datasources": [
            _describe_data_source(MAIN_NAME, MAIN_UID, "${INFLUXDB_V2_BUCKET}"),
            _describe_data_source(LIVE_NAME, LIVE_UID, "${RECEIVER_LIVE_BUCKET}"),
        ],
    }


def _describe_data_source(name: str, uid: str, bucket: str) -> dict[str, Any]:
    return {
        "name": name,
        "uid": uid,
        "type": PLUGIN,
        "access": "proxy",
        "url": "${INFLUXDB_V2_URL}",
        "isDefault": uid == MAIN_UID,
        "editable": False,
        "jsonData": {
            "version": "InfluxQL",
            "dbName": bucket,
            "httpMode": "POST",
            "httpHeaderName1": "Authorization",
            "timeInterval": "60s",
        },
        # InfluxDB 2 takes its tokens in InfluxQL as well, under this word
        "secureJsonData": {"httpHeaderValue1": f"Token $__file{{{TOKEN_FILE}}}"},
    }


def describe_dashboards() -> dict[str, Any]:
    """Where the dashboards are; changes made in the browser are not kept, so that upgrades arrive."""
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": "envoy-relay",
                "orgId": 1,
                "folder": FOLDER,
                "type": "file",
                "disableDeletion": True,
                "updateIntervalSeconds": 30,
                "allowUiUpdates": False,
                "options": {"path": DASHBOARDS, "foldersFromFilesStructure": False},
            }
        ],
    }


def describe_rules() -> dict[str, Any]:
    """The alert rules as one group."""
    group = {
        "orgId": 1,
        "name": GROUP,
        "folder": FOLDER,
        "interval": "1m",
        "rules": [_describe_rule(alert) for alert in list_alerts()],
    }
    return {"apiVersion": 1, "groups": [group]}


def _describe_rule(alert: AlertRule) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(JSONEncoder().encode(alert.build().build()))
    return {key: value for key, value in made.items() if key not in _NOT_IN_FILES}
