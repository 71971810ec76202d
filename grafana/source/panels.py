"""Dashboard Panels: what every solar panel gives, beside its peers."""

from grafana_foundation_sdk.builders import common, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BarGaugeValueMode,
    BigValueTextMode,
    LineInterpolation,
    StackingMode,
    TableBarGaugeCellOptions,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import Dashboard, FieldColorModeId

from grafana.source import parts, style, transforms, variables
from grafana.source.board import Page, build
from grafana.source.queries import ARRAY, INVERTER, PANEL, TIME, Query, select, series, table

PAGE = Page(
    uid="envoy-panels",
    title="Panels",
    description="What every solar panel gives, beside its peers: which ones are weak, clipped or silent.",
    since="now/d",
    refresh="1m",
)
WEAK = 0.8
"""Below this share of its peers' energy a panel is called weak."""
_CHOSEN = (ARRAY, PANEL)
_BY_PANEL = 'GROUP BY "array", "panel"'
_EVEN = 'GROUP BY time($__interval), "array", "panel"'
"""All windows of `panel_15m` are of one length, so their plain mean is right."""
_RECENT_DAYS, _RECENT = "8d", "now-7d/d"
"""A week of whole days and today. Days of the site begin up to a day before those of the browser."""
_REPORT_GAP_MS = 30 * 60_000
"""Reports further apart are not joined by a line."""
_PEERS = "Peers are the other panels of its array, or of the site where the sites file names no arrays."


def dashboard() -> Dashboard:
    """The whole dashboard."""
    return build(
        PAGE,
        [
            variables.datasource(), variables.gateway(), variables.array(), variables.panel(), variables.inverter(),
            variables.time_zone(),
        ],
        [
            [_reporting(), _silent_now(), _sum_now()],
            [_map_of_the_day()],
            [_energy_per_day()],
            [_ranking()],
            [_weak(), _silent()],
            "Curves of the chosen panels",
            [_curves()],
            [_raw()],
            "Limits and reports",
            [_clipping(), _last_reports()],
        ],
    )  # fmt: skip


def _reporting() -> stat.Panel:
    """Two queries: the gateway's own count says how many there should be."""
    each = select('last("power") AS "power"', "inverter", "time > now() - 30m", tail='GROUP BY "inverter"')
    queries = [
        table(f'SELECT count("power") AS "Reporting" FROM ({each})'),  # noqa: S608 (a query of this module)
        table(select('last("inverters_known") AS "Known"', "gateway", "time > now() - 1d")),
    ]
    return parts.stat_panel(
        "Inverters reporting",
        "How many inverters reported in the last 30 minutes, and how many the gateway lists. They sleep at night.",
        queries,
        unit=style.NUMBER,
        width=8,
    ).text_mode(BigValueTextMode.VALUE_AND_NAME)


def _silent_now() -> stat.Panel:
    each = select('last("dead") AS "dead"', "panel_15m", "time > now() - 1h", *_CHOSEN, tail='GROUP BY "inverter"')
    return (
        parts.stat_panel(
            "Silent by day",
            "Panels that give nothing in the last quarter-hour while their peers produce.",
            [table(f'SELECT sum("dead") AS "Silent" FROM ({each})')],  # noqa: S608 (a query of this module)
            unit=style.NUMBER,
            width=8,
        )
        .color_scheme(style.by_threshold())
        .thresholds(style.thresholds((None, "green"), (1, "red")))
    )


def _sum_now() -> stat.Panel:
    each = select('last("power") AS "power"', "panel_15m", "time > now() - 1h", *_CHOSEN, tail='GROUP BY "inverter"')
    return parts.stat_panel(
        "Power of the chosen panels",
        "Sum of the means of their last whole quarter-hour.",
        [table(f'SELECT sum("power") AS "Power" FROM ({each})')],  # noqa: S608 (a query of this module)
        unit=style.WATT,
        width=8,
    ).color_scheme(style.fixed(style.PRODUCTION))


def _map_of_the_day() -> statetimeline.Panel:
    query = series(select('mean("power")', "panel_15m", *_CHOSEN, TIME, tail=f"{_EVEN} fill(null)"), alias="$tag_panel")
    return (
        parts.rows_over_time(
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
        .color_scheme(style.gradient(FieldColorModeId.CONTINUOUS_YL_RD))
    )


def _energy_per_day() -> statetimeline.Panel:
    query = series(select('"energy"', "panel_1d", *_CHOSEN, TIME, tail=_BY_PANEL), alias="$tag_panel")
    return (
        parts.rows_over_time(
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
        .color_scheme(style.gradient(FieldColorModeId.CONTINUOUS_GREENS))
    )


def _ranking() -> tables.Panel:
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
    return table(select(columns, "panel_1d", *_CHOSEN, TIME, tail=_BY_PANEL))


def _weak() -> tables.Panel:
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


def _silent() -> tables.Panel:
    query = table(select('sum("dead") * 15 AS "silent"', "panel_15m", *_CHOSEN, "time > now() - 3d", tail=_BY_PANEL))
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


def _curves() -> timeseries.Panel:
    query = series(select('mean("power")', "panel_15m", *_CHOSEN, TIME, tail=f"{_EVEN} fill(null)"), alias="$tag_panel")
    return parts.curve(
        "Power of each panel",
        "Means of quarter-hours. Choose few panels at the top to tell them apart.",
        [query],
        unit=style.WATT,
        width=24,
        height=11,
    ).interval("15m")


def _raw() -> timeseries.Panel:
    query = series(select('"power"', "inverter", INVERTER, TIME, tail='GROUP BY "inverter"'), alias="$tag_inverter")
    return (
        parts.curve(
            "Reports as they came",
            "Every report of the inverters of the chosen panels, by serial: mean power of the minutes before it.",
            [query],
            unit=style.WATT,
            width=24,
        )
        .line_interpolation(LineInterpolation.STEP_BEFORE)
        .insert_nulls(_REPORT_GAP_MS)
    )


def _clipping() -> timeseries.Panel:
    query = series(select('"clipping_minutes"', "panel_1d", *_CHOSEN, TIME, tail=_BY_PANEL), alias="$tag_panel")
    return (
        parts.bars_over_time(
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


def _last_reports() -> tables.Panel:
    query = table(
        select(
            'last("last_report") AS "heard", last("reports") AS "reports"',
            "panel_1d", *_CHOSEN, "time > now() - 60d", tail='GROUP BY "panel", "array", "inverter"',
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
