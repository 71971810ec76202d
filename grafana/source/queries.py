"""InfluxQL queries of panels: raw text, in the shape that Grafana's InfluxDB data source reads.

The SDK has no query type for InfluxDB, so this is one as its documentation tells to write it. The text is given to the
database as it stands, after Grafana replaced variables and `$timeFilter`, `$__interval`.

House rules: never `mean()` or `integral()` over the raw kinds (they are exception-reported: uneven, with gaps); means
over roll-ups of equal windows are right. Variables always carry their format (`${gateway:regex}`), so that what is sent
does not depend on the guesses of one Grafana version.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef

PLUGIN = "influxdb"
"""Id of Grafana's own InfluxDB data source."""

GATEWAY = '"gateway" =~ /^${gateway:regex}$/'
"""Condition: the chosen gateway."""
PHASE = '"phase" =~ /^${phase:regex}$/'
"""Condition: the chosen phases."""
PANEL = '"panel" =~ /^${panel:regex}$/'
"""Condition: the chosen panels (by name, where the sites file names them)."""
ARRAY = '"array" =~ /^${array:regex}$/'
"""Condition: the chosen arrays of panels."""
INVERTER = '"inverter" =~ /^${inverter:regex}$/'
"""Condition: the inverters of the chosen panels."""


class DataSource(StrEnum):
    """Which data source answers a query: the name of the dashboard variable that holds its uid."""

    MAIN = "datasource"
    """Bucket with everything but raw `meter`."""
    LIVE = "live"
    """Bucket with raw `meter`."""

    @property
    def reference(self) -> DataSourceRef:
        """How panels and queries name the data source."""
        return DataSourceRef(type_val=PLUGIN, uid=f"${{{self.value}}}")


@dataclass(frozen=True)
class Query(Dataquery):
    """One query of one panel.

    Attributes:
        text: InfluxQL with Grafana's variables.
        format: `table` (one frame, tags as columns) or `time_series` (one frame per series and column).
        alias: Name of a series: text with `$tag_NAME`, `$col`. Only for time series.
        source: Which data source answers.
        ref_id: Letter within its panel, from `assign_ref_ids`.
        hidden: Not run for display.
    """

    text: str
    format: Literal["table", "time_series"]
    alias: str = ""
    source: DataSource = DataSource.MAIN
    ref_id: str = "A"
    hidden: bool = False

    def to_json(self) -> dict[str, object]:
        """The JSON of the InfluxDB data source (its `InfluxQuery` type)."""
        payload: dict[str, object] = {
            "datasource": self.source.reference,
            "query": self.text,
            "rawQuery": True,
            "refId": self.ref_id,
            "resultFormat": self.format,
        }
        if self.alias:
            payload["alias"] = self.alias
        if self.hidden:
            payload["hide"] = True
        return payload


class QueryBuilder(Builder[Dataquery]):
    """A query in the form that the SDK's panel builders take."""

    def __init__(self, query: Dataquery) -> None:
        self._query = query

    def build(self) -> Dataquery:
        """The query itself."""
        return self._query


TIME = "$timeFilter"
"""Condition: the dashboard's time range."""
EXPIRED = "time < now() - ${minutes:raw}"
"""Condition: the time of which minutes are no longer kept; hours stand for it."""
EACH_HOUR = "GROUP BY time(1h) fill(null)"
"""Every hour, also where the windows of the screen are shorter: between them nothing would be drawn."""


def select(columns: str, kind: str, *conditions: str, tail: str = "") -> str:
    """InfluxQL over one kind of the chosen gateway.

    Args:
        columns: What stands between SELECT and FROM.
        kind: Measurement.
        conditions: Further conditions, e.g. `TIME`.
        tail: GROUP BY, ORDER BY, LIMIT.
    """
    where = " AND ".join((GATEWAY, *conditions))
    return f'SELECT {columns} FROM "{kind}" WHERE {where} {tail}'.strip()  # noqa: S608 (constants of this package)


def query_series(text: str, alias: str = "", *, source: DataSource = DataSource.MAIN) -> Query:
    """A query whose answer is drawn over time."""
    return Query(text, "time_series", alias, source)


def query_table(text: str, *, source: DataSource = DataSource.MAIN) -> Query:
    """A query whose answer is one table: time, tags of GROUP BY, columns."""
    return Query(text, "table", source=source)


def assign_ref_ids(queries: tuple[Query, ...]) -> list[Builder[Dataquery]]:
    """The queries of one panel, each with a reference letter of its own."""
    return [QueryBuilder(replace(query, ref_id=chr(ord("A") + number))) for number, query in enumerate(queries)]
