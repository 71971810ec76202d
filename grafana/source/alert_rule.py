"""One alert rule, in the words of `alerts`, as the SDK builds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.builders import alerting

FOLDER = "Envoy"
"""Where Grafana shows rules and dashboards."""
GROUP = "envoy-relay"
RUNBOOK = "docs/alerts.md"


@dataclass(frozen=True)
class AlertRule:
    """One rule.

    Attributes:
        uid: Never changes.
        title: What people see.
        severity: Label by which notifications can be told apart.
        hold_for: How long the condition must hold before the rule fires.
        summary: One plain sentence with the value.
        advice: What to do first.
        steps: Queries and expressions; the last one is the condition.
    """

    uid: str
    title: str
    severity: Literal["critical", "warning"]
    hold_for: str
    summary: str
    advice: str
    steps: Sequence[alerting.Query]

    def build(self) -> alerting.Rule:
        """The rule in the form that the SDK builds."""
        return (
            alerting.Rule(self.title)
            .uid(self.uid)
            .queries(list(self.steps))
            .condition(self.steps[-1].build().ref_id or "")
            .for_val(self.hold_for)
            .no_data_state("OK")
            .exec_err_state("Error")
            .labels({"severity": self.severity})
            .annotations({
                "summary": self.summary,
                "description": self.advice,
                "runbook": f"{RUNBOOK}#{self.title.lower().replace(' ', '-')}",
            })
            .folder_uid(FOLDER)
            .rule_group(GROUP)
            .org_id(1)
        )  # fmt: skip
