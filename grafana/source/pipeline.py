"""Dashboard Pipeline: how the readings get here, from the gateway's login to the last acknowledged batch."""

from collections.abc import Iterable, Sequence

from grafana_foundation_sdk.builders import stat, timeseries
from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models.common import LineInterpolation
from grafana_foundation_sdk.models.dashboard import Dashboard, ValueMap, ValueMappingResult

from grafana.source import panel_builders, style, transforms, variables
from grafana.source.board import DashboardPage, build_dashboard
from grafana.source.queries import TIME, Query, query_table, select
from grafana.source.style import Step
from shared.units import DAY_S

PAGE = DashboardPage(
    uid="envoy-pipeline",
    title="Pipeline",
    description="How the readings get here: gateway, login, scraper, outbox, delivery, and what happened on the way.",
    since="now-24h",
    refresh="1m",
)
_LAST_WEEK = "time > now() - 7d"
"""Panels show the state of the scraper's last report, for a week."""
_EVERY = "GROUP BY time($__interval) fill(null)"
_GOOD_BELOW: Sequence[Step] = ((None, "green"), (1, "red"))


def make_dashboard() -> Dashboard:
    """The whole dashboard."""
    return build_dashboard(
        PAGE,
        [variables.make_datasource_variable(), variables.make_heard_gateway_variable()],
        [
            [_draw_versions(), _draw_token(), _draw_last_heard()],
            [
                _draw_state("Meter stream", "Whether the meter stream delivers.", "stream_connected",
                            {1: ("connected", "green"), 0: ("not connected", "orange")}),
                _draw_state("Login", "Blocked: the scraper waits for a person, see `envoy-scraper check`.",
                            "login_blocked", {0: ("works", "green"), 1: ("blocked", "red")}),
                _draw_state("Certificate", "Changed: no login is sent until `envoy-scraper trust` accepts the new one.",
                            "certificate_changed", {0: ("as pinned", "green"), 1: ("changed", "red")}),
                _draw_number("Refused", "Readings that the receiver refused and the scraper keeps.", "dead_letters",
                             _GOOD_BELOW),
                _draw_number("Lost", "Readings lost for good since the scraper's state was made.", "lost_rows",
                             _GOOD_BELOW),
                _draw_count("Starts", "Starts of the scraper in the last seven days.", "start"),
            ],
            [_draw_lag(), _draw_readings()],
            [_draw_outbox_rows(), _draw_outbox_bytes()],
            [_draw_poll(), _draw_clock()],
            [_draw_events()],
            "All gateways",
            [_draw_gateways()],
        ],
    )  # fmt: skip


def _draw_versions() -> stat.Panel:
    names = {"firmware": "Firmware", "role": "Role", "version": "Scraper"}
    columns = ", ".join(f'last("{field}") AS "{label}"' for field, label in names.items())
    return panel_builders.make_stat_panel(
        "Who speaks",
        "Firmware of the gateway, rights of the login, version of the scraper.",
        [query_table(select(columns, "gateway", _LAST_WEEK))],
        unit=style.NUMBER,
        width=12,
    ).reduce_options(panel_builders.take_last_value(f"/^({'|'.join(names.values())})$/"))


def _draw_token() -> stat.Panel:
    return (
        _draw_last(
            "Token", "How long the gateway's token is good. No data: a login without a token.", "token_expires_in"
        )
        .unit(style.SECONDS)
        .decimals(0)
        .color_scheme(style.colour_by_threshold())
        .thresholds(style.make_thresholds((None, "red"), (14 * DAY_S, "green")))
        .span(6)
    )


def _draw_last_heard() -> stat.Panel:
    return panel_builders.make_stat_panel(
        "Last heard",
        "How long ago the scraper last spoke about itself. The clock that counts is the browser's.",
        [query_table(select('last("poll_seconds")', "gateway", "time > now() - 30d"))],
        unit=style.FROM_NOW,
        width=6,
    ).reduce_options(panel_builders.take_last_value("/^Time$/"))


def _draw_last(title: str, description: str, field: str) -> stat.Panel:
    query = query_table(select(f'last("{field}") AS "{title}"', "gateway", _LAST_WEEK))
    return panel_builders.make_stat_panel(title, description, [query], unit=style.NUMBER, width=4)


def _draw_state(title: str, description: str, field: str, words: dict[int, tuple[str, str]]) -> stat.Panel:
    results = {str(value): ValueMappingResult(text=text, color=colour) for value, (text, colour) in words.items()}
    return _draw_last(title, description, field).mappings([ValueMap(results)])


def _draw_number(title: str, description: str, field: str, steps: Sequence[Step]) -> stat.Panel:
    return (
        _draw_last(title, description, field)
        .decimals(0)
        .color_scheme(style.colour_by_threshold())
        .thresholds(style.make_thresholds(*steps))
    )


def _draw_count(title: str, description: str, event: str) -> stat.Panel:
    query = query_table(select(f'count("reason") AS "{title}"', "event", f"\"type\" = '{event}'", _LAST_WEEK))
    return panel_builders.make_stat_panel(title, description, [query], unit=style.NUMBER, width=4)


def _draw_curve(title: str, description: str, columns: str, *, unit: str, kind: str = "gateway") -> timeseries.Panel:
    query = query_table(select(columns, kind, TIME, tail=_EVERY))
    return panel_builders.make_curve(title, description, [query], unit=unit, width=12, height=8).interval("1m")


def _draw_lag() -> timeseries.Panel:
    return _draw_curve(
        "Delivery lag",
        "How old the newest reading of a batch was when it arrived: the worst of each window. About the post interval "
        "is normal.",
        'max("lag") AS "Lag"',
        unit=style.SECONDS,
        kind="delivery",
    )


def _draw_readings() -> timeseries.Panel:
    panel = _draw_curve(
        "Readings stored and refused",
        "How many readings of this gateway the receiver stored and refused in each window.",
        'sum("readings") AS "Stored", sum("rejected") AS "Refused"',
        unit=style.NUMBER,
        kind="delivery",
    )
    panel.override_by_name("Stored", style.override_field(colour="green"))
    panel.override_by_name("Refused", style.override_field(colour="red"))
    return panel


def _draw_outbox_rows() -> timeseries.Panel:
    return _draw_curve(
        "Outbox",
        "Readings that wait at the scraper: the most of each window. It grows while the receiver cannot be reached.",
        'max("outbox_rows") AS "Waiting"',
        unit=style.NUMBER,
    )


def _draw_outbox_bytes() -> timeseries.Panel:
    return _draw_curve(
        "Outbox on disk",
        "Size of the outbox file. It shrinks later than its content; at the quota the oldest readings are dropped.",
        'max("outbox_bytes") AS "Size"',
        unit=style.BYTES,
    )


def _draw_poll() -> timeseries.Panel:
    return _draw_curve(
        "Poll time",
        "How long the gateway took to answer one round of questions: the longest of each window.",
        'max("poll_seconds") AS "Poll"',
        unit=style.SECONDS,
    )


def _draw_clock() -> timeseries.Panel:
    return _draw_curve(
        "Clock of the gateway",
        "Gateway minus scraper. Beyond five minutes the report dates of inverters are corrected by it.",
        'last("clock_offset") AS "Offset"',
        unit=style.SECONDS,
    ).line_interpolation(LineInterpolation.STEP_AFTER)


def _draw_events() -> tables.Panel:
    query = query_table(
        select('"type", "reason", "end", "rows"', "event", _LAST_WEEK, tail="ORDER BY time DESC LIMIT 200")
    )
    panel = panel_builders.make_table_panel(
        "Events of the last seven days",
        "Gaps, losses, resets of counters, steps of clocks, starts, new fields and certificates. A gap without an end "
        "is open.",
        [query],
        unit=style.NUMBER,
        width=24,
        height=12,
    ).transformations(
        [
            transforms.order_columns(
                "Time", "type", "reason", "end", "rows",
                without=(), Time="Start", type="Type", reason="Reason", end="End", rows="Readings",
            )
        ]
    )  # fmt: skip
    panel.override_by_name("End", style.override_field(unit=style.DATE_TIME))
    return panel


def _draw_gateways() -> tables.Panel:
    columns = {
        "firmware": ("Firmware", style.NUMBER),
        "role": ("Role", style.NUMBER),
        "version": ("Scraper", style.NUMBER),
        "token_expires_in": ("Token left", style.SECONDS),
        "poll_seconds": ("Poll", style.SECONDS),
        "outbox_rows": ("Waiting", style.NUMBER),
        "outbox_bytes": ("Outbox", style.BYTES),
        "dead_letters": ("Refused", style.NUMBER),
        "lost_rows": ("Lost", style.NUMBER),
        "clock_offset": ("Clock", style.SECONDS),
    }
    panel = panel_builders.make_table_panel(
        "Every gateway",
        "The last state of every gateway in this database that was heard in the last seven days.",
        [_query_all(columns)],
        unit=style.NUMBER,
        width=24,
        height=8,
    ).transformations(
        [
            transforms.order_columns(
                "gateway", *columns, gateway="Gateway", **{field: label for field, (label, _) in columns.items()}
            )
        ]
    )
    for label, unit in columns.values():
        if unit != style.NUMBER:
            panel.override_by_name(label, style.override_field(unit=unit, decimals=1))
    return panel


def _query_all(fields: Iterable[str]) -> Query:
    columns = ", ".join(f'last("{field}") AS "{field}"' for field in fields)
    return query_table(f'SELECT {columns} FROM "gateway" WHERE {_LAST_WEEK} GROUP BY "gateway"')  # noqa: S608 (constants)
