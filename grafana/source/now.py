"""Dashboard Now: what flows at this moment, and how today went so far."""

from grafana_foundation_sdk.builders.stat import Panel
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.source import parts, variables
from grafana.source.board import Page, build
from grafana.source.queries import select, table

PAGE = Page(
    uid="envoy-now",
    title="Now",
    description="What flows at this moment, and how today went so far.",
    since="now/d",
    refresh="10s",
)


def dashboard() -> Dashboard:
    """The whole dashboard."""
    return build(PAGE, [variables.datasource(), variables.live(), variables.gateway()], [[_flow()]])


def _flow() -> Panel:
    columns = 'last("production") AS "Production", last("load") AS "House"'
    query = table(select(columns, "site_1m", "time > now() - 10m"))
    return parts.stat_panel("Power now", "Mean power of the last whole minute.", [query], unit=parts.WATT, width=24)
