"""A dashboard from lines of panels: layout, ids, links between the dashboards, and all else that they share."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, Row
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import TimeZoneBrowser
from grafana_foundation_sdk.models.dashboard import Dashboard as DashboardModel
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType, GridPos
from grafana_foundation_sdk.models.dashboard import Panel as PanelModel

from grafana.source.variables import Variable

WIDTH = 24
"""Columns of Grafana's grid. On narrow screens Grafana stacks all panels by itself."""
TAG = "envoy-relay"
"""The tag of every dashboard; the links at the top find the other dashboards by it."""

Line = str | Sequence[Builder[PanelModel]]
"""Panels side by side, whose widths add up to 24, or the title of a row."""


@dataclass(frozen=True)
class DashboardPage:
    """What makes one dashboard differ from the others.

    Attributes:
        uid: Never changes: links and bookmarks hold it.
        title: What people see.
        description: One sentence on what it answers.
        since: Start of the first time range, e.g. `now/d`.
        until: End of that range.
        refresh: How often the dashboard asks again, e.g. `10s`.
    """

    uid: str
    title: str
    description: str
    since: str
    until: str = "now"
    refresh: str = "1m"


def build_dashboard(page: DashboardPage, variables: Sequence[Variable], lines: Sequence[Line]) -> DashboardModel:
    """The dashboard. Raises ValueError for a line that does not fill the grid's width."""
    board = (
        Dashboard(page.title)
        .uid(page.uid)
        .description(page.description)
        .tags([TAG])
        .time(page.since, page.until)
        .refresh(page.refresh)
        .timezone(TimeZoneBrowser)
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .variables(list(variables))
        .links([_make_links()])
        .build()
    )
    board.panels = []
    top = 0
    for line in lines:
        if isinstance(line, str):
            row = Row(line).grid_pos(GridPos(h=1, w=WIDTH, x=0, y=top)).build()
            row.id_val = len(board.panels) + 1
            board.panels.append(row)
            top += 1
        else:
            placed = _place_panels(line, top, first_id=len(board.panels) + 1)
            board.panels.extend(placed)
            top += max(_get_size(panel).h for panel in placed)
    return board


def _place_panels(line: Sequence[Builder[PanelModel]], top: int, first_id: int) -> list[PanelModel]:
    panels = [panel.build() for panel in line]
    left = 0
    for number, panel in enumerate(panels, start=first_id):
        size = _get_size(panel)
        panel.id_val = number
        panel.grid_pos = GridPos(h=size.h, w=size.w, x=left, y=top)
        left += size.w
    if left != WIDTH:
        raise ValueError(f"the panels {[panel.title for panel in panels]} are {left} columns wide; a line has {WIDTH}")
    return panels


def _get_size(panel: PanelModel) -> GridPos:
    if panel.grid_pos is None:
        raise ValueError(f"the panel {panel.title} has no size")
    return panel.grid_pos


def _make_links() -> DashboardLink:
    return (
        DashboardLink("Solar")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(False)
    )
