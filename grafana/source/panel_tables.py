"""The tables of the dashboard Panels, and what they share with its curves."""

from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models.common import BarGaugeDisplayMode, BarGaugeValueMode, TableBarGaugeCellOptions

from grafana.source import panel_builders as parts
from grafana.source import style, transforms
from grafana.source.queries import ARRAY, PANEL, TIME, Query, select, table

CHOSEN = (ARRAY, PANEL)
"""Conditions: the arrays and panels that are chosen at the top."""
BY_PANEL = 'GROUP BY "array", "panel"'
WEAK = 0.8
"""Below this share of its peers' energy a panel is called weak."""
_RECENT = "now-7d/d"
"""A week of whole days, and today."""
_PEERS = "Peers are the other panels of its array, or of the site where the sites file names no arrays."


def ranking() -> tables.Panel:
    """Every panel, the weakest first."""
    columns = (
        'mean("ratio") AS "ratio", sum("energy") AS "energy", mean("peers") AS "peers", max("peak") AS "peak", '
        'sum("clipping_minutes") AS "clipping"'
    )
    panel = (
        parts.table_panel(
            "Ranking against the peers",
            "Energy of the last seven days and today by that of the peers (their median): 100 % is as good as they "
            f"are. {_PEERS}",
            [_of_days(columns)],
            unit=style.NUMBER,
            width=24,
            height=14,
        )
        .time_from(_RECENT)
        .transformations(
            [
                transforms.sorted_by("ratio"),
                transforms.ordered_columns(
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
        style.looks(unit=style.SHARE, decimals=0, min=0, max=1.2, custom__cellOptions=bar)
        + style.graded((None, "red"), (0.5, "orange"), (WEAK, "green")),
    )
    panel.override_by_name("Energy", style.looks(unit=style.WATT_HOUR, decimals=1))
    panel.override_by_name("Peers, per day", style.looks(unit=style.WATT_HOUR, decimals=1))
    panel.override_by_name("Highest power", style.looks(unit=style.WATT, decimals=0))
    panel.override_by_name("Clipped", style.looks(unit=style.MINUTES, decimals=0))
    return panel


def _of_days(columns: str) -> Query:
    return table(select(columns, "panel_1d", *CHOSEN, TIME, tail=BY_PANEL))


def weak() -> tables.Panel:
    """Those of the ranking that are below `WEAK`."""
    panel = (
        parts.table_panel(
            "Weak panels",
            f"Panels that gave less than {WEAK:.0%} of their peers over the last seven days and today. Empty: none.",
            [_of_days('mean("ratio") AS "ratio", max("peak") AS "peak"')],
            unit=style.NUMBER,
            width=12,
        )
        .time_from(_RECENT)
        .transformations(
            [
                transforms.only_where("ratio", "lower", WEAK),
                transforms.sorted_by("ratio"),
                transforms.ordered_columns(
                    "panel", "array", "ratio", "peak",
                    panel="Panel", array="Array", ratio="Of its peers", peak="Highest power",
                ),
            ]
        )
    )  # fmt: skip
    panel.override_by_name("Of its peers", style.looks(unit=style.SHARE, decimals=0))
    panel.override_by_name("Highest power", style.looks(unit=style.WATT, decimals=0))
    return panel


def silent() -> tables.Panel:
    """Those that gave nothing by day."""
    query = table(select('sum("dead") * 15 AS "silent"', "panel_15m", *CHOSEN, "time > now() - 3d", tail=BY_PANEL))
    panel = parts.table_panel(
        "Silent panels",
        "How long panels gave nothing while their peers produced, in the last three days. Empty: none.",
        [query],
        unit=style.NUMBER,
        width=12,
    ).transformations(
        [
            transforms.only_where("silent", "greater", 0),
            transforms.sorted_by("silent", descending=True),
            transforms.ordered_columns(
                "panel", "array", "silent", panel="Panel", array="Array", silent="Silent by day"
            ),
        ]
    )
    panel.override_by_name("Silent by day", style.looks(unit=style.MINUTES, decimals=0))
    return panel


def last_reports() -> tables.Panel:
    """When every panel was last heard."""
    query = table(
        select(
            'last("last_report") AS "heard", last("reports") AS "reports"',
            "panel_1d", *CHOSEN, "time > now() - 60d", tail='GROUP BY "panel", "array", "inverter"',
        )
    )  # fmt: skip
    panel = parts.table_panel(
        "Last report of each panel",
        "When its inverter was last heard, by the report's own time, and how often on that day.",
        [query],
        unit=style.NUMBER,
        width=12,
        height=12,
    ).transformations(
        [
            transforms.sorted_by("heard"),
            transforms.ordered_columns(
                "panel", "array", "inverter", "heard", "reports",
                panel="Panel", array="Array", inverter="Inverter", heard="Last report", reports="Reports that day",
            ),
        ]
    )  # fmt: skip
    panel.override_by_name("Last report", style.looks(unit=style.FROM_NOW))
    panel.override_by_name("Reports that day", style.looks(decimals=0))
    return panel
