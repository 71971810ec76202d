"""Panels as our dashboards show them: every one with title, description, unit and a data source variable.

The functions return the SDK's builders, on which a dashboard sets whatever else it needs.
"""

from collections.abc import Sequence
from typing import Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import (
    barchart,
    common,
    gauge,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    DataSourceRef,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    LineInterpolation,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)

from grafana.source import style
from grafana.source.queries import Query, assign_ref_ids

NO_DATA = "no data"
"""What a panel shows where there is no value."""
_ROWS_PER_PAGE = 30


class _PanelBuilder(Protocol):
    """What the SDK's builders of all kinds of panels have in common."""

    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def datasource(self, datasource: DataSourceRef) -> Self: ...
    def targets(self, targets: list[Builder[Dataquery]]) -> Self: ...
    def unit(self, unit: str) -> Self: ...
    def no_value(self, no_value: str) -> Self: ...
    def span(self, w: int) -> Self: ...
    def height(self, h: int) -> Self: ...


_AnyPanel = TypeVar("_AnyPanel", bound=_PanelBuilder)


def _set_common_options(
    panel: _AnyPanel,
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    unit: str,
    width: int,
    height: int,
) -> _AnyPanel:
    """Set what every panel of ours must have."""
    return (
        panel.title(title)
        .description(description)
        .datasource(queries[0].source.reference)
        .targets(assign_ref_ids(tuple(queries)))
        .unit(unit)
        .no_value(NO_DATA)
        .span(width)
        .height(height)
    )


def make_stat_panel(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 4
) -> stat.Panel:
    """The newest value of every column or series as a big number."""
    return (
        _set_common_options(stat.Panel(), title, description, queries, unit=unit, width=width, height=height)
        .color_scheme(style.colour_by_name())
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.AUTO)
        .orientation(VizOrientation.AUTO)
        .reduce_options(take_last_value())
    )


def make_curve(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 9
) -> timeseries.Panel:
    """Lines over time. Gaps stay gaps: nothing is drawn across what is not known."""
    return (
        _set_common_options(timeseries.Panel(), title, description, queries, unit=unit, width=width, height=height)
        .color_scheme(style.colour_by_name())
        .line_width(1)
        .fill_opacity(0)
        .line_interpolation(LineInterpolation.LINEAR)
        .show_points(VisibilityMode.AUTO)
        .span_nulls(False)
        .legend(make_legend())
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )


def make_bars_over_time(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 9
) -> timeseries.Panel:
    """Bars over time, one group per window."""
    return (
        make_curve(title, description, queries, unit=unit, width=width, height=height)
        .draw_style(GraphDrawStyle.BARS)
        .line_width(0)
        .fill_opacity(80)
        .show_points(VisibilityMode.NEVER)
        .stacking(common.StackingConfig().mode(StackingMode.NONE))
    )


def make_rows_over_time(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 9
) -> statetimeline.Panel:
    """One row per series and a cell per value; a higher value has a stronger colour."""
    return (
        _set_common_options(statetimeline.Panel(), title, description, queries, unit=unit, width=width, height=height)
        .min(0)
        .merge_values(False)
        .row_height(0.9)
        .per_page(_ROWS_PER_PAGE)
        .line_width(0)
        .fill_opacity(90)
        .legend(common.VizLegendOptions().show_legend(False).display_mode(LegendDisplayMode.HIDDEN))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.SINGLE))
    )


def make_bar_chart(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 9
) -> barchart.Panel:
    """Bars side by side over the first text column."""
    return (
        _set_common_options(barchart.Panel(), title, description, queries, unit=unit, width=width, height=height)
        .color_scheme(style.colour_by_name())
        .orientation(VizOrientation.VERTICAL)
        .stacking(StackingMode.NONE)
        .show_value(VisibilityMode.NEVER)
        .legend(make_legend())
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )


def make_gauge_panel(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 6
) -> gauge.Panel:
    """The newest value on a dial."""
    return (
        _set_common_options(gauge.Panel(), title, description, queries, unit=unit, width=width, height=height)
        .show_threshold_markers(True)
        .reduce_options(take_last_value())
    )


def make_share_gauge(
    title: str, description: str, queries: Sequence[Query], *, width: int, height: int = 6
) -> gauge.Panel:
    """A share, 0 to 100 %, on a dial that is green for high shares."""
    return (
        make_gauge_panel(title, description, queries, unit=style.SHARE, width=width, height=height)
        .min(0)
        .max(1)
        .decimals(0)
        .color_scheme(style.colour_by_threshold())
        .thresholds(style.make_thresholds((None, "orange"), (0.3, "yellow"), (0.6, "green")))
    )


def make_table_panel(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 9
) -> table.Panel:
    """Rows and columns; `unit` is of the columns without an override."""
    panel = _set_common_options(table.Panel(), title, description, queries, unit=unit, width=width, height=height)
    return panel.no_value("")  # any text would stand in every empty cell


def take_last_value(fields: str = "") -> common.ReduceDataOptions:
    """The newest value of the numeric columns, or of those whose name matches `fields` (a regular expression)."""
    return common.ReduceDataOptions().values(False).calcs(["lastNotNull"]).fields(fields)


def make_legend() -> common.VizLegendOptions:
    """Names under the panel."""
    return (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
    )
