"""Dashboard Battery: how full the batteries are, what they do, and how the house stands to the grid."""

from grafana_foundation_sdk.builders import gauge, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models.common import BigValueTextMode, VisibilityMode
from grafana_foundation_sdk.models.dashboard import Dashboard, FieldColorModeId

from grafana.source import panel_builders, quantities, style, transforms, variables
from grafana.source.board import DashboardPage, build_dashboard
from grafana.source.queries import EACH_HOUR, EXPIRED, TIME, query_series, query_table, select

PAGE = DashboardPage(
    uid="envoy-battery",
    title="Battery",
    description="How full the batteries are, what they take and give, and whether the house is on the grid.",
    since="now-2d",
    refresh="1m",
)
_NOW = "time > now() - 15m"
_EVEN = "GROUP BY time($__interval) fill(null)"
_RISE = select(
    'non_negative_difference(last("state_of_charge")) AS "rise"', "storage", TIME, tail="GROUP BY time(5m) fill(none)"
)
"""Every rise of the charge: added up, a hundred of them are one full cycle."""


def make_dashboard() -> Dashboard:
    """The whole dashboard."""
    return build_dashboard(
        PAGE,
        [
            variables.make_datasource_variable(),
            variables.make_gateway_variable(),
            variables.make_minutes_variable(),
            *variables.make_time_zone_variables(),
        ],
        [
            [_draw_charge_now(), _draw_storage_now(), _draw_grid_now()],
            [_draw_charge()],
            [_draw_power()],
            [_draw_energy_per_day(), _draw_cycles_per_day()],
            [_draw_batteries()],
            "Grid",
            [_draw_connected(), _draw_outages()],
        ],
    )


def _draw_charge_now() -> gauge.Panel:
    query = query_table(select('last("state_of_charge") AS "Charge"', "storage", _NOW))
    return (
        panel_builders.make_gauge_panel(
            "State of charge",
            "How full the batteries are together; no data after fifteen minutes of silence.",
            [query],
            unit=style.PERCENT,
            width=6,
        )
        .min(0)
        .max(100)
        .decimals(0)
        .color_scheme(style.colour_by_threshold())
        .thresholds(style.make_thresholds((None, "red"), (15, "orange"), (30, "green")))
    )


def _draw_storage_now() -> stat.Panel:
    columns = (
        'last("energy_available") AS "Energy", last("capacity") AS "Capacity", last("reserve") AS "Reserve", '
        'last("batteries") AS "Batteries", last("measured") AS "With power"'
    )
    panel = panel_builders.make_stat_panel(
        "Batteries",
        "Energy in them, what they hold when they are full, the share that is kept for an outage, how many there are, "
        "and how many of them give their power.",
        [query_table(select(columns, "storage", _NOW))],
        unit=style.NUMBER,
        width=12,
        height=6,
    )
    for name in ("Energy", "Capacity"):
        panel.override_by_name(name, style.override_field(unit=style.WATT_HOUR, colour=style.BATTERY))
    panel.override_by_name("Reserve", style.override_field(unit=style.PERCENT, decimals=0))
    return panel


def _draw_grid_now() -> stat.Panel:
    return (
        panel_builders.make_stat_panel(
            "Grid",
            "connected, islanded (cut off from the grid) or generator (cut off, a generator feeds the house). No data "
            "without a system controller.",
            [query_table(select('last("mode") AS "Mode"', "grid", _NOW))],
            unit=style.NUMBER,
            width=6,
            height=6,
        )
        .reduce_options(panel_builders.take_last_value("/^Mode$/"))
        .text_mode(BigValueTextMode.VALUE)
    )


def _draw_charge() -> timeseries.Panel:
    columns = 'last("state_of_charge") AS "Charge", last("reserve") AS "Reserve"'
    panel = (
        panel_builders.make_curve(
            "Charge and reserve",
            "How full the batteries are together, and the share that is kept for an outage. Nothing heard, no line.",
            [query_table(select(columns, "storage", TIME, tail=_EVEN))],
            unit=style.PERCENT,
            width=24,
            height=10,
        )
        .min(0)
        .max(100)
        .interval("2m")
    )
    panel.override_by_name("Charge", style.override_field(colour=style.BATTERY, custom__fillOpacity=20))
    panel.override_by_name("Reserve", style.override_field(colour="orange"))
    return panel


def _draw_power() -> timeseries.Panel:
    mean, name = 'mean("battery")', quantities.BATTERY.label
    panel = panel_builders.make_curve(
        "Power",
        "Mean power of all batteries together: + discharge, - charge. From a storage meter, else from the batteries. "
        "Of a time whose minutes have expired, by hours.",
        [
            query_series(select(mean, "site_1m", TIME, tail=_EVEN), name),
            query_series(select(mean, "site_1h", TIME, EXPIRED, tail=EACH_HOUR), name),
        ],
        unit=style.WATT,
        width=24,
    ).interval("1m")
    return panel.color_scheme(style.fix_colour(style.BATTERY))


def _draw_energy_per_day() -> timeseries.Panel:
    shown = (quantities.DISCHARGED, quantities.CHARGED)
    panel = panel_builders.make_bars_over_time(
        "Energy per day",
        "What went into the batteries and came out of them, in the site's time zone: from counters where there are "
        "some, else from their power.",
        [query_table(select(quantities.list_columns(shown), "energy_1d", TIME))],
        unit=style.WATT_HOUR,
        width=12,
    ).time_from("now-29d/d")
    quantities.set_colours(panel, shown)
    return panel


def _draw_cycles_per_day() -> timeseries.Panel:
    text = f'SELECT sum("rise") / 100 AS "Cycles" FROM ({_RISE}) WHERE {TIME} '  # noqa: S608 (constants)
    return (
        panel_builders.make_bars_over_time(
            "Full cycles per day",
            "Every rise of the charge, added up: 100 % is one full cycle. Days of the chosen time zone.",
            [query_table(text + "GROUP BY time(1d) fill(none) tz('${tz:raw}')")],
            unit=style.NUMBER,
            width=12,
        )
        .time_from("now-29d/d")
        .decimals(2)
        .color_scheme(style.fix_colour(style.BATTERY))
    )


def _draw_batteries() -> tables.Panel:
    fields = (
        ("state_of_charge", "Charge", style.PERCENT, 0),
        ("power", "Power", style.WATT, 0),
        ("energy_available", "Energy", style.WATT_HOUR, 1),
        ("capacity", "Capacity", style.WATT_HOUR, 1),
        ("temperature", "Temperature", style.CELSIUS, 0),
        ("cell_temperature", "Warmest cell", style.CELSIUS, 0),
        ("communicating", "Reporting", style.NUMBER, 0),
        ("last_report", "Last report", style.FROM_NOW, 0),
        ("status", "Status", style.NUMBER, 0),
    )
    columns = ", ".join(f'last("{field}") AS "{label}"' for field, label, _, _ in fields)
    panel = panel_builders.make_table_panel(
        "Each battery",
        "Its last values of the last hour. Power: + discharge, - charge. Reporting: 1 while it talks to the gateway.",
        [query_table(select(columns, "battery", "time > now() - 1h", tail='GROUP BY "battery"'))],
        unit=style.NUMBER,
        width=24,
    ).with_transformation(transforms.order_columns("battery", *(label for _, label, _, _ in fields), battery="Battery"))
    for _, label, unit, decimals in fields:
        if unit != style.NUMBER:
            panel.override_by_name(label, style.override_field(unit=unit, decimals=decimals))
    return panel


def _draw_connected() -> statetimeline.Panel:
    query = query_table(select('last("connected") AS "On the grid"', "grid", TIME, tail=_EVEN))
    return (
        panel_builders.make_rows_over_time(
            "On the grid",
            "1 while the main relay is closed, 0 while the house is cut off. No colour where nothing is known.",
            [query],
            unit=style.NUMBER,
            width=12,
        )
        .interval("10m")
        .show_value(VisibilityMode.NEVER)
        .max(1)
        .color_scheme(style.colour_by_gradient(FieldColorModeId.CONTINUOUS_YL_RD))
    )


def _draw_outages() -> tables.Panel:
    query = query_table(
        select(
            '"reason", "end"', "event", "\"type\" = 'outage'", "time > now() - 52w", tail="ORDER BY time DESC LIMIT 100"
        )
    )
    panel = panel_builders.make_table_panel(
        "Outages of the grid",
        "When the house was cut off from the grid in the last year. One without an end lasts.",
        [query],
        unit=style.NUMBER,
        width=12,
    ).transformations(
        [transforms.order_columns("Time", "end", "reason", without=(), Time="Start", end="End", reason="Reason")]
    )
    panel.override_by_name("End", style.override_field(unit=style.DATE_TIME))
    return panel
