"""The steps of an alert rule: InfluxQL first, then Grafana's own expressions, down to one 0 or 1 per set of labels.

Grafana joins the results of two steps by their labels, which are the tags of GROUP BY. So every query gives one column
only (two would share their labels, which Grafana refuses), and rules that combine queries group them by the same tags.
"""

from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.builders import alerting, expr
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.alerting import RelativeTimeRange
from grafana_foundation_sdk.models.common import DataSourceRef

from grafana.source.queries import PLUGIN, QueryBuilder
from grafana.source.variables import MAIN_UID

EXPRESSIONS = "__expr__"
"""Uid and type of the data source that stands for Grafana's expressions."""
_EXPRESSIONS = DataSourceRef(type_val=EXPRESSIONS, uid=EXPRESSIONS)

Reducer = Literal["sum", "mean", "min", "max", "count", "last"]


@dataclass(frozen=True)
class AlertQuery(Dataquery):
    """InfluxQL of one rule. Rules know no dashboard variables: the data source is named by its uid."""

    text: str
    ref_id: str

    def to_json(self) -> dict[str, object]:
        """The JSON of the InfluxDB data source."""
        return {
            "datasource": DataSourceRef(type_val=PLUGIN, uid=MAIN_UID),
            # the two that Grafana puts into every alert query
            "intervalMs": 1000,
            "maxDataPoints": 43200,
            "query": self.text,
            "rawQuery": True,
            "refId": self.ref_id,
            "resultFormat": "time_series",
        }


def ask_influxql(ref_id: str, text: str, *, since_s: int, until_s: int = 0) -> alerting.Query:
    """Ask the database.

    Args:
        ref_id: Letter of this step.
        text: InfluxQL with `$timeFilter`.
        since_s: Start of the time range, seconds before now.
        until_s: End of it, seconds before now.
    """
    return (
        alerting.Query(ref_id)
        .datasource_uid(MAIN_UID)
        .relative_time_range(RelativeTimeRange(since_s, until_s))
        .model(QueryBuilder(AlertQuery(text, ref_id)))
    )


def reduce(ref_id: str, of: str, reducer: Reducer) -> alerting.Query:
    """One number per series of the step `of`; values that are no numbers are left out."""
    settings = expr.ExprTypeReduceSettings().mode("dropNN")
    return _make_expression(ref_id, expr.TypeReduce().expression(of).reducer(reducer).settings(settings).ref_id(ref_id))


def compute_formula(ref_id: str, formula: str) -> alerting.Query:
    """A formula over the steps before (`$A`); comparisons give 1 or 0."""
    return _make_expression(ref_id, expr.TypeMath().expression(formula).ref_id(ref_id))


def compare_with_limit(ref_id: str, of: str, kind: Literal["gt", "lt"], limit: float) -> alerting.Query:
    """1 where the step `of` is above (`gt`) or below (`lt`) the limit, else 0: what a rule ends with.

    Not a formula: of a value that is no number a threshold makes 0, a formula makes an alarm.
    """
    evaluator = expr.ExprTypeThresholdConditionsEvaluator().type(kind).params([limit])
    condition = expr.ExprTypeThresholdConditions().evaluator(evaluator)
    return _make_expression(ref_id, expr.TypeThreshold().expression(of).conditions([condition]).ref_id(ref_id))


def _make_expression(ref_id: str, model: expr.TypeReduce | expr.TypeMath | expr.TypeThreshold) -> alerting.Query:
    # Grafana writes this range into rules for steps that ask nothing
    return (
        alerting.Query(ref_id)
        .datasource_uid(EXPRESSIONS)
        .relative_time_range(RelativeTimeRange(0, 0))
        .model(model.datasource(_EXPRESSIONS))
    )
