"""Evaluates an alert rule as Grafana would (query, compute, wait, notify), on a real InfluxDB, at any time of day."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.grafana import expressions
from tests.grafana.expressions import Labels, Numbers, SeriesValues
from tests.influxd.server import ADMIN_TOKEN, ORG, Influxd

MINUTE, HOUR, DAY = 60, 3600, 86_400
Rule = Mapping[str, Any]
_UNITS = {"s": 1, "m": MINUTE, "h": HOUR}


@dataclass(frozen=True)
class AlarmBucket:
    """One bucket of one server.

    Attributes:
        server: Running.
        bucket: Its name.
    """

    server: Influxd
    bucket: str

    def write(self, *lines: str) -> None:
        """Store lines of line protocol, timestamps in seconds."""
        answer = httpx.post(
            f"{self.server.url}/api/v2/write",
            params={"org": ORG, "bucket": self.bucket, "precision": "s"},
            headers={"authorization": f"Token {ADMIN_TOKEN}"},
            content="\n".join(lines).encode(),
        )
        assert answer.status_code == httpx.codes.NO_CONTENT, answer.text

    def ask(self, text: str, since_s: int, until_s: int) -> SeriesValues:
        """Run a query as Grafana's data source does in its mode POST; one column per query, or Grafana refuses."""
        times = f"time >= {since_s * 1000}ms and time <= {until_s * 1000}ms"
        answer = httpx.post(
            f"{self.server.url}/query",
            params={"db": self.bucket, "epoch": "ms"},
            headers={"authorization": f"Token {ADMIN_TOKEN}"},
            data={"q": text.replace("$timeFilter", times)},
        )
        (result,) = answer.raise_for_status().json()["results"]
        assert "error" not in result, result
        series: SeriesValues = {}
        for one in result.get("series", []):
            assert len(one["columns"]) == 2, f"{one['columns']}: a second column would have the labels of the first"
            labels: Labels = frozenset(one.get("tags", {}).items())
            assert labels not in series, f"two series for {set(labels)}"
            series[labels] = [value for _, value in one["values"]]
            assert all(value is None or isinstance(value, (int, float)) for value in series[labels])
        return series


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of one rule.

    Attributes:
        met: The labels for which the condition holds.
        steps: Step to its numbers.
    """

    met: set[Labels]
    steps: dict[str, Numbers]


def evaluate(bucket: AlarmBucket, rule: Rule, now_s: int) -> Evaluation:
    """Query and compute once. A condition without any result is "no data", which is no alarm for our rules."""
    series: dict[str, SeriesValues] = {}
    numbers: dict[str, Numbers] = {}
    for step in rule["data"]:
        name, model, reach = step["refId"], step["model"], step["relativeTimeRange"]
        match model.get("type"):
            case None:
                series[name] = bucket.ask(model["query"], now_s - reach["from"], now_s - reach["to"])
            case "reduce":
                numbers[name] = expressions.reduce(
                    series[model["expression"]], model["reducer"], model["settings"]["mode"]
                )
            case "math":
                numbers[name] = expressions.compute_formula(model["expression"], numbers)
            case "threshold":
                (condition,) = model["conditions"]
                ((limit,), kind) = condition["evaluator"]["params"], condition["evaluator"]["type"]
                numbers[name] = expressions.compare_with_limit(numbers[model["expression"]], kind, limit)
    assert rule["noDataState"] == "OK"
    return Evaluation({labels for labels, value in numbers[rule["condition"]].items() if value != 0}, numbers)


def find_alarms(bucket: AlarmBucket, rule: Rule, start_s: int, stop_s: int) -> set[Labels]:
    """The labels for which an alarm is sent between two times: the condition holds for as long as `for` says."""
    lasting, since, sent = parse_duration_s(rule["for"]), dict[Labels, int](), set[Labels]()
    for now_s in range(start_s, stop_s + 1, MINUTE):
        met = evaluate(bucket, rule, now_s).met
        since = {labels: since.get(labels, now_s) for labels in met}
        sent |= {labels for labels, first in since.items() if now_s - first >= lasting}
    return sent


def render_summaries(bucket: AlarmBucket, rule: Rule, now_s: int) -> list[str]:
    """The summaries of the alarms, with their labels and values put in."""
    found = evaluate(bucket, rule, now_s)
    return sorted(_render(rule["annotations"]["summary"], labels, found.steps) for labels in found.met)


def _render(template: str, labels: Labels, steps: Mapping[str, Numbers]) -> str:
    def render_action(match: re.Match[str]) -> str:
        words = match[1].split()
        last = words[-1].split(".")
        if last[1] == "Labels":
            return dict(labels)[last[2]]
        assert (last[1], last[3]) == ("Values", "Value")
        value = steps[last[2]][labels]
        return f"{value / DAY:.0f} days" if words[0] == "humanizeDuration" else words[1].strip('"') % value

    return re.sub(r"\{\{ (.+?) \}\}", render_action, template)


def parse_duration_s(duration: str) -> int:
    """The seconds of a duration as rules write it, e.g. `10m`."""
    return int(duration[:-1]) * _UNITS[duration[-1]]


def list_gateways(labels: Iterable[Labels]) -> set[str]:
    """The gateways of some labels."""
    return {dict(one)["gateway"] for one in labels}
