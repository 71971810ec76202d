"""The tables of the dashboard Panels, and what they share with its curves."""

from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models.common import BarGaugeDisplayMode, BarGaugeValueMode, TableBarGaugeCellOptions
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from grafana.source import panel_builders, style, transforms
from grafana.source.queries import ARRAY, PANEL, TIME, Query, query_table, select

UID = "envoy-panels"
"""Of the dashboard that these tables are on."""
CHOSEN_PANELS = (ARRAY, PANEL)
"""Conditions: the arrays and panels that are chosen at the top."""
BY_PANEL = 'GROUP BY "array", "panel"'
WEAK = 0.8
"""Below this share of its peers' energy a panel is called weak."""
_RECENT = "now-7d/d"
"""A week of whole days, and today."""
_PEERS = "Peers are the other panels of its array, or of the site where the sites file names no arrays."


def draw_ranking() -> tables.Panel:
    """Every panel, the weakest first."""
    columns = (
        'mean("ratio") AS "ratio", sum("energy") AS "energy", mean("peers") AS "peers", max("peak") AS "peak", '
        'sum("clipping_minutes") AS "clipping"'
    )
    panel = (
        panel_builders.make_table_panel(
            "Ranking against the peers",
            "Energy of the last seven days and today by that of the peers (their median): 100 % is as good as they "
            f"are. {_PEERS}",
            [_query_days(columns)],
            unit=style.NUMBER,
            width=24,
            height=14,
        )
        .time_from(_RECENT)
        .transformations(
            [
                transforms.sort_by("ratio"),
                transforms.order_columns(
                    "panel", "array", "ratio", "energy", "peers", "peak", "clipping",
                    panel="Panel", array="Array", ratio="Of its peers", energy="Energy", peers="Peers, per day",
                    peak="Highest power", clipping="Clipped",
                ),
            ]
        )
    )  # fmt: skip
    bar = TableBarGaugeCellOptions(mode=BarGaugeDisplayMode.BASIC, value_display_mode=BarGaugeValueMode.TEXT)
    panel.override_by_name(
        "Of its peers",
        style.override_field(unit=style.SHARE, decimals=0, min=0, max=1.2, custom__cellOptions=bar)
        + style.override_thresholds((None, "red"), (0.5, "orange"), (WEAK, "green")),
    )
    panel.override_by_name("Panel", _link_to_curve())
    panel.override_by_name("Energy", style.override_field(unit=style.WATT_HOUR, decimals=1))
    panel.override_by_name("Peers, per day", style.override_field(unit=style.WATT_HOUR, decimals=1))
    panel.override_by_name("Highest power", style.override_field(unit=style.WATT, decimals=0))
    panel.override_by_name("Clipped", style.override_field(unit=style.MINUTES, decimals=0))
    return panel


def _link_to_curve() -> list[DynamicConfigValue]:
    """From the name of a panel to this dashboard with that panel alone, and so to its curves."""
    url = (
        f"/d/{UID}?${{datasource:queryparam}}&${{gateway:queryparam}}&var-array=$__all"
        "&var-panel=${__value.text:percentencode}&${__url_time_range}"
    )
    return style.override_field(links=[{"title": "Curves of ${__value.text}", "url": url, "targetBlank": False}])


def _query_days(columns: str) -> Query:
    return query_table(select(columns, "panel_1d", *CHOSEN_PANELS, TIME, tail=BY_PANEL))


def draw_weak_panels() -> tables.Panel:
    """The panels of the ranking that are below `WEAK`."""
    panel = (
        panel_builders.make_table_panel(
            "Weak panels",
            f"Panels that gave less than {WEAK:.0%} of their peers over the last seven days and today. Empty: none.",
            [_query_days('mean("ratio") AS "ratio", max("peak") AS "peak"')],
            unit=style.NUMBER,
            width=12,
        )
        .time_from(_RECENT)
        .transformations(
            [
                transforms.keep_rows("ratio", "lower", WEAK),
                transforms.sort_by("ratio"),
                transforms.order_columns(
                    "panel", "array", "ratio", "peak",
                    panel="Panel", array="Array", ratio="Of its peers", peak="Highest power",
                ),
            ]
        )
    )  # fmt: skip
    panel.override_by_name("Panel", _link_to_curve())
    panel.override_by_name("Of its peers", style.override_field(unit=style.SHARE, decimals=0))
    panel.override_by_name("Highest power", style.override_field(unit=style.WATT, decimals=0))
    return panel


def draw_silent_panels() -> tables.Panel:
    """The panels that gave nothing by day."""
    query = query_table(
        select('sum("dead") * 15 AS "silent"', "panel_15m", *CHOSEN_PANELS, "time > now() - 3d", tail=BY_PANEL)
    )
    panel = panel_builders.make_table_panel(
        "Silent panels",
        "How long panels gave nothing while their peers produced, in the last three days. Empty: none.",
        [query],
        unit=style.NUMBER,
        width=12,
    ).transformations(
        [
            transforms.keep_rows("silent", "greater", 0),
            transforms.sort_by("silent", descending=True),
            transforms.order_columns("panel", "array", "silent", panel="Panel", array="Array", silent="Silent by day"),
        ]
    )
    panel.override_by_name("Panel", _link_to_curve())
    panel.override_by_name("Silent by day", style.override_field(unit=style.MINUTES, decimals=0))
    return panel


def draw_last_reports() -> tables.Panel:
    """When every panel last reported."""
    query = query_table(
        select(
            'last("last_report") AS "heard", last("reports") AS "reports"',
            "panel_1d", *CHOSEN_PANELS, "time > now() - 60d", tail='GROUP BY "panel", "array", "inverter"',
        )
    )  # fmt: skip
    panel = panel_builders.make_table_panel(
        "Last report of each panel",
        "When its inverter was last heard, by the report's own time, and how often on that day.",
        [query],
        unit=style.NUMBER,
        width=12,
        height=12,
    ).transformations(
        [
            transforms.sort_by("heard"),
            transforms.order_columns(
                "panel", "array", "inverter", "heard", "reports",
                panel="Panel", array="Array", inverter="Inverter", heard="Last report", reports="Reports that day",
            ),
        ]
    )  # fmt: skip
    panel.override_by_name("Panel", _link_to_curve())
    panel.override_by_name("Last report", style.override_field(unit=style.FROM_NOW))
    panel.override_by_name("Reports that day", style.override_field(decimals=0))
    return panel
