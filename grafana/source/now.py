"""Dashboard Now: what flows at this moment, how old that is, and how today went so far."""

from grafana_foundation_sdk.builders import gauge, stat, timeseries
from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models.common import BigValueColorMode, BigValueTextMode
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.source import panel_builders, quantities, style, transforms, variables
from grafana.source.board import DashboardPage, build_dashboard
from grafana.source.queries import EACH_HOUR, EXPIRED, TIME, DataSource, query_table, select

PAGE = DashboardPage(
    uid="envoy-now",
    title="Now",
    description="What flows at this moment, how old that is, and how today went so far.",
    since="now/d",
    refresh="10s",
)
_TODAY = "time > now() - 25h"
"""A site's day began at most 25 hours ago (clocks go back once a year), whatever the browser's time zone is."""


def make_dashboard() -> Dashboard:
    """The whole dashboard."""
    return build_dashboard(
        PAGE,
        [
            variables.make_datasource_variable(),
            variables.make_live_variable(),
            variables.make_gateway_variable(),
            variables.make_minutes_variable(),
        ],
        [
            [_draw_flow(), _draw_age()],
            [_draw_curve()],
            [
                _draw_energy_today(),
                _draw_share_today(quantities.SELF_CONSUMPTION),
                _draw_share_today(quantities.SELF_SUFFICIENCY),
            ],
            [_draw_phases()],
        ],
    )


def _draw_flow() -> stat.Panel:
    shown = (*quantities.FLOWS, quantities.BATTERY)
    query = query_table(select(quantities.list_columns(shown, "last"), "site_1m", "time > now() - 10m"))
    panel = panel_builders.make_stat_panel(
        "Power now",
        "Mean power of the last whole minute, as the sites file corrects and nets it. Import is bought, export is "
        "sold. Battery: + discharges, - charges; it says no data where there is none. "
        "After ten minutes of silence all of it says no data.",
        [query],
        unit=style.WATT,
        width=18,
        height=5,
    )
    quantities.set_colours(panel, shown)
    return panel


def _draw_age() -> stat.Panel:
    """InfluxQL has no age of a value: the panel shows the time of the last one, and Grafana says how long ago it is.

    The columns with the values are removed first: an override that names the times would name them too.
    """
    recently = "time > now() - 30d"
    queries = [
        query_table(select('last("power")', "meter", recently), source=DataSource.LIVE),
        query_table(select('last("power")', "inverter", recently)),
        query_table(select('last("poll_seconds")', "gateway", recently)),
    ]
    panel = (
        panel_builders.make_stat_panel(
            "Last heard",
            "How long ago the newest reading of the meters and of any inverter was taken, and when the scraper last "
            "spoke about itself. The clock that counts is the browser's.",
            queries,
            unit=style.FROM_NOW,
            width=6,
            height=5,
        )
        .with_transformation(transforms.keep_columns("Time"))
        .reduce_options(panel_builders.take_last_value("/.*/"))
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .color_mode(BigValueColorMode.NONE)
    )
    for letter, name in zip("ABC", ("Meters", "Inverters", "Scraper"), strict=True):
        panel.override_by_query(letter, style.override_field(label=name))
    return panel


def _draw_curve() -> timeseries.Panel:
    shown = (quantities.PRODUCTION, quantities.LOAD, quantities.NET, quantities.BATTERY)
    tail = "GROUP BY time($__interval) fill(null)"
    columns = quantities.list_columns(shown, "mean")
    panel = panel_builders.make_curve(
        "Power",
        "Mean power. Grid: + import, - export. Battery: + discharge, - charge. Nothing heard, no line. "
        "Of a time whose minutes have expired, by hours.",
        [
            query_table(select(columns, "site_1m", TIME, tail=tail)),
            query_table(select(columns, "site_1h", TIME, EXPIRED, tail=EACH_HOUR)),
        ],
        unit=style.WATT,
        width=24,
        height=10,
    ).interval("1m")
    quantities.set_colours(panel, shown)
    panel.override_by_name(
        quantities.PRODUCTION.label, style.override_field(colour=quantities.PRODUCTION.colour, custom__fillOpacity=20)
    )
    return panel


def _draw_energy_today() -> stat.Panel:
    shown = (*quantities.FLOWS, quantities.DISCHARGED, quantities.CHARGED)
    query = query_table(select(quantities.list_columns(shown), "energy_1d", _TODAY, tail="ORDER BY time DESC LIMIT 1"))
    panel = panel_builders.make_stat_panel(
        "Energy today",
        "Since midnight in the time zone of the site, from the meters' counters.",
        [query],
        unit=style.WATT_HOUR,
        width=16,
        height=6,
    )
    quantities.set_colours(panel, shown)
    return panel


def _draw_share_today(share: quantities.Quantity) -> gauge.Panel:
    query = query_table(
        select(quantities.list_columns([share]), "energy_1d", _TODAY, tail="ORDER BY time DESC LIMIT 1")
    )
    return panel_builders.make_share_gauge(f"{share.label} today", share.meaning, [query], width=4)


def _draw_phases() -> tables.Panel:
    """Grafana puts the tags of a table in any order, so the panel sets the order of the columns."""
    fields = (
        ("power", "Power", style.WATT, 0),
        ("voltage", "Voltage", style.VOLT, 1),
        ("current", "Current", style.AMPERE, 2),
        ("power_factor", "Power factor", style.NUMBER, 2),
        ("frequency", "Frequency", style.HERTZ, 2),
    )
    columns = ", ".join(f'last("{field}") AS "{label}"' for field, label, _, _ in fields)
    query = query_table(
        select(columns, "meter", "time > now() - 5m", tail='GROUP BY "meter", "phase"'),
        source=DataSource.LIVE,
    )
    panel = panel_builders.make_table_panel(
        "Phases now",
        "The last values of each meter and phase as measured, not older than five minutes. "
        "net-consumption: + import, - export. storage: + discharge, - charge.",
        [query],
        unit=style.NUMBER,
        width=24,
    ).with_transformation(transforms.order_columns("meter", "phase", *(label for _, label, _, _ in fields)))
    for _, label, unit, decimals in fields:
        panel.override_by_name(label, style.override_field(unit=unit, decimals=decimals))
    return panel
