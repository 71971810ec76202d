"""Dashboard Panels: what every solar panel gives, compared with its peers."""

from grafana_foundation_sdk.builders import common, stat, statetimeline, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueTextMode,
    LineInterpolation,
    StackingMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import Dashboard, FieldColorModeId

from grafana.source import panel_builders, panel_tables, style, variables
from grafana.source.board import DashboardPage, build_dashboard
from grafana.source.panel_tables import BY_PANEL, CHOSEN_PANELS
from grafana.source.queries import INVERTER, TIME, query_series, query_table, select
from shared.fields import REPORT_SPEAKS_MS

PAGE = DashboardPage(
    uid=panel_tables.UID,
    title="Panels",
    description="What every solar panel gives, compared with its peers: which ones are weak, clipped or silent.",
    since="now/d",
    refresh="1m",
)
_EVEN = 'GROUP BY time($__interval), "array", "panel"'
"""All windows of `panel_15m` are of one length, so their plain mean is right."""
"""Reports further apart are not joined by a line."""


def make_dashboard() -> Dashboard:
    """The whole dashboard."""
    return build_dashboard(
        PAGE,
        [
            variables.make_datasource_variable(),
            variables.make_gateway_variable(),
            variables.make_array_variable(),
            variables.make_panel_variable(),
            variables.make_inverter_variable(),
        ],
        [
            [_draw_reporting(), _draw_silent_now(), _draw_sum_now()],
            [_draw_map_of_the_day()],
            [_draw_energy_per_day()],
            [panel_tables.draw_ranking()],
            [panel_tables.draw_weak_panels(), panel_tables.draw_silent_panels()],
            "Curves of the chosen panels",
            [_draw_curves()],
            [_draw_raw()],
            "Limits and reports",
            [_draw_clipping(), panel_tables.draw_last_reports()],
        ],
    )


def _draw_reporting() -> stat.Panel:
    """Two queries: the gateway's own count says how many there should be."""
    each = select('last("power") AS "power"', "inverter", "time > now() - 30m", tail='GROUP BY "inverter"')
    queries = [
        query_table(f'SELECT count("power") AS "Reporting" FROM ({each})'),  # noqa: S608 (a query of this module)
        query_table(select('last("inverters_known") AS "Known"', "gateway", "time > now() - 1d")),
    ]
    return panel_builders.make_stat_panel(
        "Inverters reporting",
        "How many inverters reported in the last 30 minutes, and how many the gateway lists. They sleep at night.",
        queries,
        unit=style.NUMBER,
        width=8,
    ).text_mode(BigValueTextMode.VALUE_AND_NAME)


def _draw_silent_now() -> stat.Panel:
    each = select(
        'last("dead") AS "dead"', "panel_15m", "time > now() - 1h", *CHOSEN_PANELS, tail='GROUP BY "inverter"'
    )
    return (
        panel_builders.make_stat_panel(
            "Silent by day",
            "Panels that give nothing in the last quarter-hour while their peers produce.",
            [query_table(f'SELECT sum("dead") AS "Silent" FROM ({each})')],  # noqa: S608 (a query of this module)
            unit=style.NUMBER,
            width=8,
        )
        .color_scheme(style.colour_by_threshold())
        .thresholds(style.make_thresholds((None, "green"), (1, "red")))
    )


def _draw_sum_now() -> stat.Panel:
    each = select(
        'last("power") AS "power"', "panel_15m", "time > now() - 1h", *CHOSEN_PANELS, tail='GROUP BY "inverter"'
    )
    return panel_builders.make_stat_panel(
        "Power of the chosen panels",
        "Sum of the means of their last whole quarter-hour.",
        [query_table(f'SELECT sum("power") AS "Power" FROM ({each})')],  # noqa: S608 (a query of this module)
        unit=style.WATT,
        width=8,
    ).color_scheme(style.fix_colour(style.PRODUCTION))


def _draw_map_of_the_day() -> statetimeline.Panel:
    query = query_series(
        select('mean("power")', "panel_15m", *CHOSEN_PANELS, TIME, tail=f"{_EVEN} fill(null)"), alias="$tag_panel"
    )
    return (
        panel_builders.make_rows_over_time(
            "Power over the day",
            "One row per panel, the brighter the more: shade wanders through the rows, a defect stays in one. "
            "No colour where nothing is known.",
            [query],
            unit=style.WATT,
            width=24,
            height=16,
        )
        .interval("15m")
        .show_value(VisibilityMode.NEVER)
        .color_scheme(style.colour_by_gradient(FieldColorModeId.CONTINUOUS_YL_RD))
    )


def _draw_energy_per_day() -> statetimeline.Panel:
    query = query_series(select('"energy"', "panel_1d", *CHOSEN_PANELS, TIME, tail=BY_PANEL), alias="$tag_panel")
    return (
        panel_builders.make_rows_over_time(
            "Energy per day",
            "Energy of each panel on each of the last days, in the time zone of the site; the last is today so far.",
            [query],
            unit=style.WATT_HOUR,
            width=24,
            height=16,
        )
        .time_from("now-13d/d")
        .show_value(VisibilityMode.AUTO)
        .decimals(2)
        .color_scheme(style.colour_by_gradient(FieldColorModeId.CONTINUOUS_GREENS))
    )


def _draw_curves() -> timeseries.Panel:
    query = query_series(
        select('mean("power")', "panel_15m", *CHOSEN_PANELS, TIME, tail=f"{_EVEN} fill(null)"), alias="$tag_panel"
    )
    return panel_builders.make_curve(
        "Power of each panel",
        "Means of quarter-hours. Choose few panels at the top to tell them apart.",
        [query],
        unit=style.WATT,
        width=24,
        height=11,
    ).interval("15m")


def _draw_raw() -> timeseries.Panel:
    query = query_series(
        select('"power"', "inverter", INVERTER, TIME, tail='GROUP BY "inverter"'), alias="$tag_inverter"
    )
    return (
        panel_builders.make_curve(
            "Reports as they came",
            "Every report of the inverters of the chosen panels, by serial: mean power of the minutes before it.",
            [query],
            unit=style.WATT,
            width=24,
        )
        .line_interpolation(LineInterpolation.STEP_BEFORE)
        .insert_nulls(REPORT_SPEAKS_MS)
    )


def _draw_clipping() -> timeseries.Panel:
    query = query_series(
        select('"clipping_minutes"', "panel_1d", *CHOSEN_PANELS, TIME, tail=BY_PANEL), alias="$tag_panel"
    )
    return (
        panel_builders.make_bars_over_time(
            "Clipping per day",
            "Minutes in which an inverter was at its limit, so that the panel could have given more.",
            [query],
            unit=style.MINUTES,
            width=12,
            height=12,
        )
        .time_from("now-29d/d")
        .stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    )
