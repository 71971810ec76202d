"""Panels as our dashboards show them: every one with title, description, unit and a data source variable.

Colours are Grafana's names, so that they follow the theme, dark or light; nothing has a background of its own. The
helpers return the SDK's builders: what a dashboard needs beyond them, it calls on those.
"""

from collections.abc import Sequence
from typing import Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import (
    barchart,
    bargauge,
    common,
    gauge,
    stat,
    statetimeline,
    table,
    text,
    timeseries,
)
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
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
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.text import TextMode

from grafana.source.queries import Query, lettered

NO_DATA = "no data"
"""What a panel says where nothing is known."""

PRODUCTION, LOAD, IMPORTED, EXPORTED, BATTERY = "yellow", "blue", "red", "green", "purple"
"""One colour per quantity, the same on every dashboard."""
PHASE_COLOURS = {"a": "orange", "b": "purple", "c": "blue"}

WATT, VAR, VOLT_AMPERE, VOLT, AMPERE, HERTZ = "watt", "voltampreact", "voltamp", "volt", "amp", "rothz"
WATT_HOUR = "watth"
SHARE = "percentunit"
FROM_NOW = "dateTimeFromNow"
DATE_TIME = "dateTimeAsIso"
SECONDS, MINUTES = "s", "m"
BYTES = "bytes"
NUMBER = "none"
"""Unit ids of Grafana (`valueFormats/categories.ts`); W and Wh are scaled to kW and kWh by Grafana itself."""

Step = tuple[float | None, str]
"""A threshold: from this value on (None: from the lowest), this colour."""


class _Panel(Protocol):
    """What the SDK's builders of all kinds of panels have in common."""

    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def datasource(self, datasource: DataSourceRef) -> Self: ...
    def targets(self, targets: list[Builder[Dataquery]]) -> Self: ...
    def unit(self, unit: str) -> Self: ...
    def no_value(self, no_value: str) -> Self: ...
    def span(self, w: int) -> Self: ...
    def height(self, h: int) -> Self: ...


_AnyPanel = TypeVar("_AnyPanel", bound=_Panel)


def _framed(
    panel: _AnyPanel,
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    unit: str,
    width: int,
    height: int,
) -> _AnyPanel:
    """What every panel of ours must have."""
    return (
        panel.title(title)
        .description(description)
        .datasource(queries[0].source.reference)
        .targets(lettered(tuple(queries)))
        .unit(unit)
        .no_value(NO_DATA)
        .span(width)
        .height(height)
    )


def stat_panel(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 4
) -> stat.Panel:
    """The newest value of every column or series as a big number."""
    return (
        _framed(stat.Panel(), title, description, queries, unit=unit, width=width, height=height)
        .color_scheme(palette())
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.AUTO)
        .orientation(VizOrientation.AUTO)
        .reduce_options(last_value())
    )


def curve(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 9
) -> timeseries.Panel:
    """Lines over time. Gaps stay gaps: nothing is drawn across what is not known."""
    return (
        _framed(timeseries.Panel(), title, description, queries, unit=unit, width=width, height=height)
        .color_scheme(palette())
        .line_width(1)
        .fill_opacity(0)
        .line_interpolation(LineInterpolation.LINEAR)
        .show_points(VisibilityMode.AUTO)
        .span_nulls(False)
        .legend(legend())
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )


def bars_over_time(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 9
) -> timeseries.Panel:
    """Bars over time, one group per window."""
    return (
        curve(title, description, queries, unit=unit, width=width, height=height)
        .draw_style(GraphDrawStyle.BARS)
        .line_width(0)
        .fill_opacity(80)
        .show_points(VisibilityMode.NEVER)
        .stacking(common.StackingConfig().mode(StackingMode.NONE))
    )


def rows_over_time(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 9
) -> statetimeline.Panel:
    """One row per series, a cell per value, the more the stronger its colour."""
    return (
        _framed(statetimeline.Panel(), title, description, queries, unit=unit, width=width, height=height)
        .min(0)
        .merge_values(False)
        .row_height(0.9)
        .per_page(_ROWS_PER_PAGE)
        .line_width(0)
        .fill_opacity(90)
        .legend(common.VizLegendOptions().show_legend(False).display_mode(LegendDisplayMode.HIDDEN))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.SINGLE))
    )


_ROWS_PER_PAGE = 30


def bar_chart(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 9
) -> barchart.Panel:
    """Bars side by side over the first text column."""
    return (
        _framed(barchart.Panel(), title, description, queries, unit=unit, width=width, height=height)
        .color_scheme(palette())
        .orientation(VizOrientation.VERTICAL)
        .stacking(StackingMode.NONE)
        .show_value(VisibilityMode.NEVER)
        .legend(legend())
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )


def bar_gauge(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 9
) -> bargauge.Panel:
    """One horizontal bar per value."""
    return (
        _framed(bargauge.Panel(), title, description, queries, unit=unit, width=width, height=height)
        .color_scheme(palette())
        .orientation(VizOrientation.HORIZONTAL)
        .reduce_options(last_value())
    )


def gauge_panel(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 6
) -> gauge.Panel:
    """The newest value on a dial."""
    return (
        _framed(gauge.Panel(), title, description, queries, unit=unit, width=width, height=height)
        .show_threshold_markers(True)
        .reduce_options(last_value())
    )


SHARE_MEANINGS = {
    "self_consumption": "Share of the production that was used at home and not sold.",
    "autarky": "Share of what the house used that was not bought.",
}


def share_gauge(title: str, description: str, queries: Sequence[Query], *, width: int, height: int = 6) -> gauge.Panel:
    """A share, 0 to 100 %, on a dial: the more the greener."""
    return (
        gauge_panel(title, description, queries, unit=SHARE, width=width, height=height)
        .min(0)
        .max(1)
        .decimals(0)
        .color_scheme(by_threshold())
        .thresholds(thresholds((None, "orange"), (0.3, "yellow"), (0.6, "green")))
    )


def table_panel(
    title: str, description: str, queries: Sequence[Query], *, unit: str, width: int, height: int = 9
) -> table.Panel:
    """Rows and columns; `unit` is of the columns without an override."""
    return _framed(table.Panel(), title, description, queries, unit=unit, width=width, height=height)


def note(title: str, markdown: str, *, width: int, height: int = 4) -> text.Panel:
    """Text for people."""
    return text.Panel().title(title).mode(TextMode.MARKDOWN).content(markdown).span(width).height(height)


def last_value(fields: str = "") -> common.ReduceDataOptions:
    """The newest value of the numeric columns, or of those whose name matches `fields` (a regular expression)."""
    return common.ReduceDataOptions().values(False).calcs(["lastNotNull"]).fields(fields)


def every_row(fields: str = "", *, limit: int = 50) -> common.ReduceDataOptions:
    """Each row of the table is a value of its own."""
    return common.ReduceDataOptions().values(True).calcs([]).fields(fields).limit(limit)


def legend() -> common.VizLegendOptions:
    """Names under the panel."""
    return (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
    )


def palette() -> FieldColor:
    """A colour per series, by its name: the same wherever it appears."""
    return FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME)


def by_threshold() -> FieldColor:
    """The colour of the threshold that the value reached."""
    return FieldColor().mode(FieldColorModeId.THRESHOLDS)


def gradient(mode: FieldColorModeId) -> FieldColor:
    """A colour by the value between minimum and maximum."""
    return FieldColor().mode(mode)


def thresholds(*steps: Step) -> ThresholdsConfig:
    """Absolute thresholds; the first one starts at None."""
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(value, colour) for value, colour in steps])


def looks(
    *,
    label: str | None = None,
    colour: str | None = None,
    unit: str | None = None,
    decimals: int | None = None,
    **further: object,
) -> list[DynamicConfigValue]:
    """What an override changes about one field.

    Args:
        label: Name that people see.
        colour: Name of a colour.
        unit: Id of a unit.
        decimals: Digits after the point.
        further: Other properties by their id, with `__` for the dot: `custom__fillOpacity=10`.
    """
    values: dict[str, object] = {}
    if label is not None:
        values["displayName"] = label
    if colour is not None:
        values["color"] = {"mode": FieldColorModeId.FIXED, "fixedColor": colour}
    if unit is not None:
        values["unit"] = unit
    if decimals is not None:
        values["decimals"] = decimals
    values |= {name.replace("__", "."): value for name, value in further.items()}
    return [DynamicConfigValue(name, value) for name, value in values.items()]


def fixed(colour: str) -> FieldColor:
    """One colour."""
    return FieldColor().mode(FieldColorModeId.FIXED).fixed_color(colour)


def graded(*steps: Step) -> list[DynamicConfigValue]:
    """What an override changes so that thresholds colour one field."""
    return [
        DynamicConfigValue("color", {"mode": FieldColorModeId.THRESHOLDS}),
        DynamicConfigValue("thresholds", thresholds(*steps).build()),
    ]
