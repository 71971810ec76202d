"""Dashboard Energy: how much, when, and what it was worth."""

from grafana_foundation_sdk.builders import barchart, gauge, stat, timeseries
from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models.common import TableCellBackgroundDisplayMode, TableColoredBackgroundCellOptions
from grafana_foundation_sdk.models.dashboard import Dashboard, FieldColorModeId

from grafana.source import panel_builders, quantities, style, transforms, variables
from grafana.source.board import DashboardPage, build_dashboard
from grafana.source.queries import TIME, Query, query_table, select

PAGE = DashboardPage(
    uid="envoy-energy",
    title="Energy",
    description="Energy by day, week, month and year, what of it stayed at home, and what it was worth.",
    since="now-29d/d",
    refresh="5m",
)
_LATEST = "ORDER BY time DESC LIMIT 1"
_CURRENT = {
    "energy_1d": ("Today", "25h"),
    "energy_1w": ("This week", "170h"),
    "energy_1mo": ("This month", "745h"),
    "energy_1y": ("This year", "8785h"),
}
"""Windows that run now: word, and the longest time since one of them can have begun (an hour more: clocks go back)."""
_CURRENCY = " ${currency:raw}"
"""What titles of money end with. Units of fields cannot follow a variable."""
_SITE_DAYS = "Days, weeks, months and years are those of the site's time zone."


def make_dashboard() -> Dashboard:
    """The whole dashboard."""
    return build_dashboard(
        PAGE,
        [
            variables.make_datasource_variable(),
            variables.make_gateway_variable(),
            *variables.make_time_zone_variables(),
            variables.make_currency_variable(),
        ],
        [
            "So far",
            [_draw_so_far(quantities.PRODUCTION), _draw_so_far(quantities.LOAD)],
            [_draw_so_far(quantities.IMPORTED), _draw_so_far(quantities.EXPORTED)],
            "Since the billing day",
            [
                _draw_billing_energy(),
                _draw_billing_share(quantities.SELF_CONSUMPTION),
                _draw_billing_share(quantities.SELF_SUFFICIENCY),
            ],
            [_draw_billing_money()],
            "Days",
            [_draw_bars("energy_1d", "Energy per day", TIME, "time:DD MMM", width=24)],
            [_draw_shares_per_day(), _draw_money_per_day()],
            [_draw_base_load(), _draw_peaks()],
            [_draw_calendar()],
            "Weeks, months, years",
            [
                _draw_bars("energy_1w", "Energy per week", "time > now() - 26w", "time:[W]WW", width=12),
                _draw_bars("energy_1mo", "Energy per month", "time > now() - 104w", "time:MMM YYYY", width=12),
            ],
            [_draw_bars("energy_1y", "Energy per year", "time > 0", "time:YYYY", width=12), _draw_year_over_year()],
        ],
    )


def _draw_so_far(one: quantities.Quantity) -> stat.Panel:
    queries = [
        query_table(select(f'"{one.field}" AS "{word}"', kind, f"time > now() - {longest}", tail=_LATEST))
        for kind, (word, longest) in _CURRENT.items()
    ]
    return panel_builders.make_stat_panel(
        one.label, f"Energy so far. {_SITE_DAYS}", queries, unit=style.WATT_HOUR, width=12
    ).color_scheme(style.fix_colour(one.colour))


def _query_billing(columns: str) -> Query:
    return query_table(select(columns, "energy_billing", "time > now() - 745h", tail=_LATEST))


def _draw_billing_energy() -> stat.Panel:
    panel = panel_builders.make_stat_panel(
        "Energy since the billing day",
        "From the day of the month that the sites file names (`billing_day`, else the first) until now.",
        [_query_billing(quantities.list_columns(quantities.FLOWS))],
        unit=style.WATT_HOUR,
        width=16,
        height=6,
    )
    quantities.set_colours(panel, quantities.FLOWS)
    return panel


def _draw_billing_money() -> stat.Panel:
    panel = panel_builders.make_stat_panel(
        f"Money since the billing day{_CURRENCY}",
        "Cost of what was bought, payment for what was sold, and what the energy used at home would have cost: by the "
        "tariffs of the sites file, in their currency. No data without tariffs.",
        [_query_billing(quantities.list_columns(quantities.MONEY))],
        unit=style.NUMBER,
        width=24,
    ).decimals(2)
    quantities.set_colours(panel, quantities.MONEY)
    return panel


def _draw_billing_share(share: quantities.Quantity) -> gauge.Panel:
    return panel_builders.make_share_gauge(
        share.label, share.meaning, [_query_billing(quantities.list_columns([share]))], width=4
    )


def _draw_bars(kind: str, title: str, since: str, time_format: str, *, width: int) -> barchart.Panel:
    query = query_table(select(quantities.list_columns(quantities.FLOWS), kind, since))
    panel = (
        panel_builders.make_bar_chart(
            title,
            f"Energy from the meters' counters. {_SITE_DAYS} What flowed while nothing was heard is in the window that "
            "the whole gap lies in, else in none.",
            [query],
            unit=style.WATT_HOUR,
            width=width,
        )
        .x_field("Time")
        .x_tick_label_spacing(100)
        .override_by_name("Time", style.override_field(unit=time_format))
    )
    quantities.set_colours(panel, quantities.FLOWS)
    return panel


def _draw_shares_per_day() -> timeseries.Panel:
    panel = (
        panel_builders.make_curve(
            "Self-consumption and self-sufficiency per day",
            " ".join(f"{one.label}: {one.meaning}" for one in quantities.SHARES),
            [query_table(select(quantities.list_columns(quantities.SHARES), "energy_1d", TIME))],
            unit=style.SHARE,
            width=12,
        )
        .min(0)
        .max(1)
    )
    quantities.set_colours(panel, quantities.SHARES)
    return panel


def _draw_money_per_day() -> timeseries.Panel:
    panel = panel_builders.make_bars_over_time(
        f"Cost, feed-in and savings per day{_CURRENCY}",
        "By the tariffs of the sites file, in their currency. No data without tariffs.",
        [query_table(select(quantities.list_columns(quantities.MONEY), "energy_1d", TIME))],
        unit=style.NUMBER,
        width=12,
    ).decimals(2)
    quantities.set_colours(panel, quantities.MONEY)
    return panel


def _draw_base_load() -> timeseries.Panel:
    return panel_builders.make_bars_over_time(
        "Base load at night",
        "Lowest quarter-hour mean of the house between midnight and six: what never sleeps.",
        [query_table(select('"base_load" AS "Base load"', "energy_1d", TIME))],
        unit=style.WATT,
        width=12,
    ).color_scheme(style.fix_colour(style.LOAD))


def _draw_peaks() -> timeseries.Panel:
    highest = 'max("production_max") AS "Production", max("load_max") AS "House"'
    panel = panel_builders.make_bars_over_time(
        "Highest power per day",
        "Highest value measured on each day of the chosen time zone.",
        [query_table(select(highest, "site_1h", TIME, tail="GROUP BY time(1d) fill(none) tz('${tz:raw}')"))],
        unit=style.WATT,
        width=12,
    )
    quantities.set_colours(panel, (quantities.PRODUCTION, quantities.LOAD))
    return panel


def _draw_calendar() -> tables.Panel:
    days = {
        "1 Mon": "Mon",
        "2 Tue": "Tue",
        "3 Wed": "Wed",
        "4 Thu": "Thu",
        "5 Fri": "Fri",
        "6 Sat": "Sat",
        "7 Sun": "Sun",
    }
    week = "week\\weekday"
    query = query_table(select('"production", "week", "weekday"', "energy_1d", "time > now() - 53w"))
    return (
        panel_builders.make_table_panel(
            "Calendar of production",
            "Energy produced on each day of the last year: a row per ISO week, the stronger the colour the more.",
            [query],
            unit=style.WATT_HOUR,
            width=24,
            height=14,
        )
        .color_scheme(style.colour_by_gradient(FieldColorModeId.CONTINUOUS_GREENS))
        .min(0)
        .cell_options(TableColoredBackgroundCellOptions(mode=TableCellBackgroundDisplayMode.BASIC))
        .transformations(
            [
                *transforms.pivot("week", "weekday", "production"),
                transforms.sort_by(week, descending=True),
                transforms.order_columns(week, *days, without=(), **{week: "Week"}, **days),
            ]
        )
    )


def _draw_year_over_year() -> barchart.Panel:
    query = query_table(select('"production", "year", "month"', "energy_1mo", "time > 0"))
    return (
        panel_builders.make_bar_chart(
            "Production per month, year over year",
            "Each month of this year beside the same month of the years before.",
            [query],
            unit=style.WATT_HOUR,
            width=12,
        )
        .x_field("month\\year")
        .transformations([*transforms.pivot("month", "year", "production"), transforms.sort_by("month\\year")])
    )
